"""The server inside the process: bounded in every direction, and it ends when told to."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from computekit.clock import SystemClock
from computekit.http import Server, listening_socket
from computekit.units import Bytes, Seconds
from tests.api.shop import shop

TIMEOUT_S = 20


@contextmanager
def serving(application: Any = None, **options: Any) -> Iterator[tuple[str, int]]:
    listener = listening_socket("127.0.0.1", 0)
    address = listener.getsockname()
    clock = SystemClock()
    server = Server(application or shop(clock=clock), listener, clock, **options)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield address
    finally:
        server.stop()
        thread.join(TIMEOUT_S)
    assert not thread.is_alive()


def connection(address: tuple[str, int]) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(*address, timeout=TIMEOUT_S)


def get(address: tuple[str, int], path: str) -> int:
    with closing(connection(address)) as caller:
        caller.request("GET", path, headers={"X-Auth-Token": "admin"})
        return caller.getresponse().status


def test_a_connection_serves_many_requests() -> None:
    with serving() as address, closing(connection(address)) as caller:
        for _ in range(3):
            caller.request("GET", "/things/a", headers={"X-Auth-Token": "admin"})
            answer = caller.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"said":"a"}')


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_is_too_long_is_not_read(framing: str) -> None:
    with serving(body_limit=Bytes(1000)) as address, closing(connection(address)) as caller:
        headers = {"X-Auth-Token": "admin", "Content-Type": "application/json"}
        if framing == "chunked":
            caller.request("POST", "/things", iter([b"x" * 600, b"x" * 600]), headers)
        else:
            caller.putrequest("POST", "/things")
            caller.putheader("Content-Length", "1000000000")
            caller.endheaders()
        assert caller.getresponse().status == 413


def test_a_path_keeps_the_slashes_that_it_begins_with() -> None:
    with serving() as address:
        assert get(address, "/things/a") == 200
        assert get(address, "//things/a") == get(address, "///things/a") == 404


def test_headers_and_urls_are_bounded() -> None:
    with serving() as address:
        assert get(address, "/things/" + "x" * 30_000) == 200
        assert get(address, "/things/" + "x" * 300_000) == 431


@pytest.mark.parametrize(
    "begun",
    [b"GET /thi", b"POST /things HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"],
    ids=["headers", "body"],
)
def test_a_slow_caller_is_cut_off_and_delays_nobody(begun: bytes) -> None:
    with serving(threads=1, receive_s=Seconds(0.2)) as address:
        slow = [socket.create_connection(address, timeout=TIMEOUT_S) for _ in range(20)]
        for caller in slow:
            caller.sendall(begun)
        assert get(address, "/things/a") == 200
        for caller in slow:
            assert caller.recv(100) == b"", "the server hangs up"
            caller.close()


def test_callers_that_ask_nothing_keep_nobody_out() -> None:
    with serving(connections=8) as address:
        silent = [socket.create_connection(address, timeout=TIMEOUT_S) for _ in range(20)]
        assert get(address, "/things/a") == 200
        for caller in silent:
            caller.close()


def test_what_is_under_way_is_answered_before_the_end() -> None:
    arrived, release = threading.Event(), threading.Event()

    def slow(_environ: Any, start: Any) -> list[bytes]:
        arrived.set()
        assert release.wait(TIMEOUT_S)
        start("200 OK", [("Content-Length", "4")])
        return [b"done"]

    listener = listening_socket("127.0.0.1", 0)
    address = listener.getsockname()
    server = Server(slow, listener, SystemClock())
    thread = threading.Thread(target=server.serve)
    thread.start()
    with closing(connection(address)) as caller:
        caller.request("GET", "/")
        assert arrived.wait(TIMEOUT_S)
        server.stop()
        while True:  # until nobody listens any more
            try:
                socket.create_connection(address, timeout=TIMEOUT_S).close()
            except ConnectionResetError:  # it was in the queue when the listener went
                continue
            except ConnectionRefusedError:
                break
        release.set()
        assert caller.getresponse().read() == b"done"
    thread.join(TIMEOUT_S)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nContent-Length: hi mom\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nX Y: z\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(sent: bytes) -> None:
    with serving() as address, socket.create_connection(address, timeout=TIMEOUT_S) as caller:
        caller.sendall(sent)
        assert b" 400 " in caller.recv(1000).split(b"\r\n")[0]
