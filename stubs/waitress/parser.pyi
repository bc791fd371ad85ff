from waitress.adjustments import Adjustments
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver

class HTTPRequestParser:
    adj: Adjustments
    body_rcv: ChunkedReceiver | FixedStreamReceiver | None
    chunked: bool
    command: str
    completed: bool
    content_length: int
    empty: bool
    error: object | None
    headers_finished: bool
    path: str
    def __init__(self, adj: Adjustments) -> None: ...
    def parse_header(self, header_plus: bytes) -> None: ...
    def received(self, data: bytes) -> int: ...
