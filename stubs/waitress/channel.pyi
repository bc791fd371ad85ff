import socket
from collections.abc import Mapping

class HTTPChannel:
    request: object | None
    requests: list[object]
    last_activity: float
    total_outbufs_len: int
    will_close: bool
    def __init__(
        self,
        server: object,
        sock: socket.socket,
        addr: object,
        adj: object,
        map: Mapping[int, object] | None = None,
    ) -> None: ...
    def received(self, data: bytes) -> bool: ...
