"""Requests have a deadline, and are repeated only where that does no harm."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from computekit.client import Connection, basic, token
from computekit.errors import DeadlineExceeded, InvalidInput, TransportFailed
from computekit.secret import Secret
from computekit.testing import ManualClock
from computekit.units import Seconds

Step = Exception | httpx2.Response | Callable[[], httpx2.Response]


class Script(httpx2.BaseTransport):
    """Answers one step after the other, and remembers what was asked."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.seen: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step


def connect(script: Script, clock: ManualClock | None = None) -> Connection:
    return Connection(
        "http://server/placement/",
        authentication=token(Secret(b"hidden")),
        timeout_s=Seconds(10.0),
        transport=script,
        clock=clock or ManualClock(),
    )


OK = httpx2.Response(200, json={})


def test_a_request_carries_body_query_and_credentials() -> None:
    script = Script(httpx2.Response(200, json={"a": 1}))
    with connect(script) as connection:
        answer = connection.ask("PUT", "/x", query=[("q", "a&b"), ("q", "c")], body={"n": 1})
    assert (answer.status, answer.body) == (200, b'{"a":1}')
    (request,) = script.seen
    assert str(request.url) == "http://server/placement/x?q=a%26b&q=c"
    assert request.headers["X-Auth-Token"] == "hidden"
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == b'{"n": 1}'
    assert "hidden" not in repr(connection)


def test_what_did_not_arrive_is_sent_again() -> None:
    script = Script(httpx2.ConnectError("no"), httpx2.ConnectTimeout("no"), OK)
    clock = ManualClock()
    assert connect(script, clock).ask("POST", "/x").status == 200
    assert clock.monotonic_s() > 0  # it paused


def test_a_server_that_is_not_there_fails() -> None:
    script = Script(*[httpx2.ConnectError("refused")] * 3)
    with pytest.raises(TransportFailed, match="refused"):
        connect(script).ask("GET", "/x", again=True)


def test_a_lost_answer_is_asked_for_again_only_where_that_is_safe() -> None:
    lost = httpx2.RemoteProtocolError("server disconnected")
    assert connect(Script(lost, lost, OK)).ask("GET", "/x", again=True).status == 200
    script = Script(lost, OK)
    with pytest.raises(TransportFailed, match="disconnected"):
        connect(script).ask("POST", "/x")
    assert len(script.seen) == 1


def test_no_answer_in_time() -> None:
    script = Script(httpx2.ReadTimeout("slow"), OK)
    with pytest.raises(DeadlineExceeded):
        connect(script).ask("GET", "/x", again=True)


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    clock = ManualClock()

    class Drips(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                clock.advance(Seconds(1.0))
                yield b"."

    script = Script(lambda: httpx2.Response(200, stream=Drips()))
    with pytest.raises(DeadlineExceeded):
        connect(script, clock).ask("GET", "/x", again=True)
    assert clock.monotonic_s() < 20


def test_pauses_end_at_the_deadline() -> None:
    clock = ManualClock()

    def slow() -> httpx2.Response:
        clock.advance(Seconds(11.0))
        raise httpx2.ConnectError("no")

    with pytest.raises(DeadlineExceeded):
        connect(Script(slow, OK), clock).ask("GET", "/x", again=True)


@pytest.mark.parametrize(
    "url", ["server", "ftp://server", "http://", "http://u:secret@server", "http://server/?q=1"]
)
def test_bad_urls_are_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        Connection(url)
    assert "secret" not in str(raised.value)


def test_basic_authentication() -> None:
    assert basic("ana", Secret(b"b:c"))() == {"Authorization": "Basic YW5hOmI6Yw=="}
