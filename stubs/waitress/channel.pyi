import socket
from collections.abc import Callable, Mapping
from threading import Lock

from waitress.parser import HTTPRequestParser

class HTTPChannel:
    parser_class: Callable[[object], HTTPRequestParser]
    request: HTTPRequestParser | None
    requests: list[HTTPRequestParser]
    requests_lock: Lock
    last_activity: float
    total_outbufs_len: int
    will_close: bool
    close_when_flushed: bool
    def __init__(
        self,
        server: object,
        sock: socket.socket,
        addr: object,
        adj: object,
        map: Mapping[int, object] | None = None,
    ) -> None: ...
    def handle_close(self) -> None: ...
    def readable(self) -> bool: ...
    def received(self, data: bytes) -> bool: ...
