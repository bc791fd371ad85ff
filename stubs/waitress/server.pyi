import socket
from collections.abc import Callable, Sequence
from _typeshed.wsgi import WSGIApplication

from waitress.channel import HTTPChannel
from waitress.task import ThreadedTaskDispatcher

class TcpWSGIServer:
    channel_class: Callable[..., HTTPChannel]
    active_channels: dict[int, HTTPChannel]
    task_dispatcher: ThreadedTaskDispatcher
    socket: socket.socket
    def del_channel(self, map: dict[int, object] | None = None) -> None: ...
    def pull_trigger(self) -> None: ...

def create_server(
    application: WSGIApplication,
    map: dict[int, object] | None = None,
    *,
    sockets: Sequence[socket.socket],
    threads: int,
    backlog: int,
    connection_limit: int,
    channel_timeout: int,
    max_request_body_size: int,
    max_request_header_size: int,
    asyncore_use_poll: bool,
    ident: str | None,
    recv_bytes: int,
    inbuf_overflow: int,
    outbuf_overflow: int,
    outbuf_high_watermark: int,
) -> TcpWSGIServer: ...
