"""Bodies that are handed on while they arrive: bounded, in nobody's way, whole or not at all."""

import hashlib
import http.client
import socket
import threading
from contextlib import closing, suppress
from typing import Any

import attrs
import pytest

from computekit.http.streaming import DISCARDED_MOST, FULL, Feed
from computekit.units import Seconds
from tests.api.test_server import TIMEOUT_S, connection, serving

MIB = 1024 * 1024


@attrs.define
class Taker:
    """An application that takes what is put at `/take`, refuses at `/refuse`, and says hello."""

    entered: threading.Event = attrs.field(factory=threading.Event)
    began: threading.Event = attrs.field(factory=threading.Event)
    ended: threading.Event = attrs.field(factory=threading.Event)
    failed: list[str] = attrs.field(factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        body = b"hello"
        if path == "/take":
            self.entered.set()
            digest, total = hashlib.sha256(), 0
            try:
                while piece := environ["wsgi.input"].read(MIB):
                    self.began.set()
                    digest.update(piece)
                    total += len(piece)
            except ConnectionError as error:
                self.failed.append(str(error))
            finally:
                self.ended.set()
            body = f"{total} {digest.hexdigest()}".encode()
        status = "413 Too Long" if path == "/refuse" else "200 OK"
        start_response(status, [("Content-Length", str(len(body)))])
        return [body]


def streams(method: str, path: str) -> bool:
    return method == "PUT" and path in ("/take", "/refuse")


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [1, 100, FULL + 1, 3 * FULL])
def test_a_long_body_arrives_whole_and_the_connection_goes_on(framing: str, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    expected = f"{len(content)} {hashlib.sha256(content).hexdigest()}".encode()
    with serving(Taker(), streams=streams) as address, closing(connection(address)) as caller:
        for _ in range(2):
            body: Any = content
            if framing == "chunked":
                body = iter([content[:7], content[7:]] if size > 7 else [content])
            caller.request("PUT", "/take", body)
            assert caller.getresponse().read() == expected
            caller.request("GET", "/")
            assert caller.getresponse().read() == b"hello"


def test_a_long_body_is_not_kept_in_memory() -> None:
    taker = Taker()
    with serving(taker, streams=streams) as address, closing(connection(address)) as caller:
        caller.putrequest("PUT", "/take")
        caller.putheader("Content-Length", str(10**12))
        caller.endheaders()
        caller.send(b"x" * MIB)
        assert taker.began.wait(TIMEOUT_S), "the thread has the body before its end"
        caller.close()
        assert taker.ended.wait(TIMEOUT_S)
    assert taker.failed == ["the connection ended before the body did"]


@pytest.mark.parametrize("size", [10, 2 * FULL])
def test_who_is_refused_early_gets_to_see_it(size: int) -> None:
    with serving(Taker(), streams=streams) as address, closing(connection(address)) as caller:
        caller.request("PUT", "/refuse", b"x" * size)
        reply = caller.getresponse()
        assert (reply.status, reply.read()) == (413, b"hello")
        caller.request("GET", "/")
        assert caller.getresponse().read() == b"hello"


def test_what_nobody_wants_is_not_read_for_ever() -> None:
    with (
        serving(Taker(), streams=streams) as address,
        closing(socket.create_connection(address, timeout=TIMEOUT_S)) as caller,
    ):
        caller.sendall(b"PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % 10**12)
        sent = 0
        with suppress(OSError):
            while sent < 4 * DISCARDED_MOST:
                caller.sendall(b"x" * MIB)
                sent += MIB
        assert DISCARDED_MOST // 2 <= sent < 4 * DISCARDED_MOST


def test_slow_senders_keep_nobody_else_waiting() -> None:
    with serving(Taker(), streams=streams, threads=1, streaming_threads=2) as address:
        slow = [socket.create_connection(address, timeout=TIMEOUT_S) for _ in range(6)]
        for caller in slow:
            caller.sendall(b"PUT /take HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        for _ in range(5):
            with closing(connection(address)) as other:
                other.request("GET", "/")
                assert other.getresponse().read() == b"hello"
        for caller in slow:
            caller.close()


def test_who_stops_sending_is_cut() -> None:
    taker = Taker()
    with serving(taker, streams=streams, receive_s=Seconds(0.2)) as address:
        with closing(socket.create_connection(address, timeout=TIMEOUT_S)) as caller:
            caller.sendall(b"PUT /take HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
            assert caller.recv(1) == b""
        assert taker.ended.wait(TIMEOUT_S)
    assert taker.failed


def test_a_server_that_stops_lets_go_of_who_still_sends() -> None:
    taker = Taker()
    with serving(taker, streams=streams) as address:
        caller = socket.create_connection(address, timeout=TIMEOUT_S)
        size = 2 * MIB
        caller.sendall(f"PUT /take HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
        caller.sendall(b"x" * MIB)
        assert taker.began.wait(TIMEOUT_S)
        caller.close()
    assert taker.ended.is_set()


@pytest.mark.parametrize(
    "body", [b"zz\r\nabc\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"5\r\nabcdefgh"]
)
def test_malformed_chunks_are_no_end(body: bytes) -> None:
    taker = Taker()
    with serving(taker, streams=streams) as address:
        with closing(socket.create_connection(address, timeout=TIMEOUT_S)) as caller:
            head = b"PUT /take HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            caller.sendall(head + b"3\r\nabc\r\n")
            assert taker.entered.wait(TIMEOUT_S)
            caller.sendall(body)
            caller.shutdown(socket.SHUT_WR)
            while caller.recv(4096):
                pass
        assert taker.ended.wait(TIMEOUT_S)
    assert taker.failed


def test_who_asks_before_sending_is_told_to_go_on() -> None:
    with (
        serving(Taker(), streams=streams) as address,
        closing(socket.create_connection(address, timeout=TIMEOUT_S)) as caller,
    ):
        head = b"PUT /take HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        caller.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert caller.recv(25).startswith(b"HTTP/1.1 100 Continue")
        caller.sendall(b"abc")
        answer = http.client.HTTPResponse(caller)
        answer.begin()
        assert answer.read().startswith(b"3 ")


def test_a_feed_gives_whole_pieces_and_tells_when_there_is_room() -> None:
    woken: list[bool] = []
    feed = Feed(lambda: woken.append(True))
    feed.append(b"x" * (FULL - 1))
    fullness = [feed.full]
    feed.append(b"yz")
    fullness.append(feed.full)
    assert fullness == [False, True]
    assert feed.read(FULL) == b"x" * (FULL - 1) + b"y"
    assert woken == [True]
    feed.end()
    assert (feed.read(10), feed.read(10), feed.read()) == (b"z", b"", b"")
    feed.fail()
    assert feed.read(10) == b"", "what had ended has ended"
