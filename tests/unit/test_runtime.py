import logging
import random
import threading

import pytest

from computekit.errors import DeadlineExceeded, Overloaded
from computekit.runtime import Doorbell, Faults, Runtime
from computekit.units import Seconds


def test_a_call_returns_or_raises_what_the_function_does() -> None:
    runtime = Runtime()
    pool = runtime.pool("p", 2)
    nothing: dict[str, int] = {}
    assert pool.call(lambda: 3, Seconds(5), "three") == 3
    with pytest.raises(KeyError):
        pool.call(lambda: nothing["x"], Seconds(5), "key")
    assert runtime.drain(Seconds(5))


def test_a_hung_call_ends_at_its_deadline_and_counts_as_stuck() -> None:
    runtime = Runtime()
    pool = runtime.pool("p", 1)
    release = threading.Event()
    with pytest.raises(DeadlineExceeded) as caught:
        pool.call(release.wait, Seconds(0.05), "a wait")
    assert caught.value.what == "a wait"
    assert pool.health().stuck == 1
    release.set()
    assert pool.call(lambda: 1, Seconds(5), "next") == 1
    assert pool.health().stuck == 0
    assert runtime.drain(Seconds(5))


def test_a_full_queue_refuses_at_once() -> None:
    runtime = Runtime()
    pool = runtime.pool("p", 1, queue_limit=1)
    started, release = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        release.wait(5)

    held = pool.submit(hold)
    assert started.wait(5)
    waiting = pool.submit(lambda: None)
    with pytest.raises(Overloaded):
        pool.submit(lambda: None)
    release.set()
    held.result(5)
    waiting.result(5)
    assert runtime.drain(Seconds(5))
    with pytest.raises(Overloaded):
        pool.submit(lambda: None)


def test_a_function_that_raises_timeout_is_not_mistaken_for_the_deadline() -> None:
    runtime = Runtime()
    pool = runtime.pool("p", 1)

    def fail() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        pool.call(fail, Seconds(5), "x")
    assert runtime.drain(Seconds(5))


def test_a_loop_survives_its_errors_and_ends_with_the_runtime() -> None:
    runtime = Runtime()
    rounds: list[int] = []
    errors: list[Exception] = []
    enough = threading.Event()

    def body() -> Seconds:
        rounds.append(len(rounds))
        if len(rounds) == 2:
            raise ValueError("second round")
        if len(rounds) >= 3:
            enough.set()
            return Seconds(60)
        return Seconds(0)

    def on_error(error: Exception) -> Seconds:
        errors.append(error)
        return Seconds(0)

    runtime.loop("l", body, on_error)
    assert enough.wait(5)
    assert runtime.drain(Seconds(5))
    assert [str(error) for error in errors] == ["second round"]


def test_a_ring_without_a_listener_is_kept() -> None:
    bell = Doorbell()
    bell.ring()
    assert bell.wait(Seconds(0))
    assert not bell.wait(Seconds(0))


def test_distinct_faults_are_said_once_and_rested_for_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("computekit.test")
    faults = Faults(log, "the loop", random.Random(1), first_s=Seconds(1), longest_s=Seconds(8))
    with caplog.at_level(logging.INFO):
        faults.passed()
        rests = [faults.came(Overloaded("a")) for _ in range(6)]
        faults.came(Overloaded("b"))
        faults.came(ValueError("odd"))
        for number in range(40):
            faults.came(Overloaded(str(number)))
        faults.passed()
        faults.passed()
        faults.came(Overloaded("a"))
    for rest_s, longest_s in zip(rests, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest_s / 2 <= rest_s <= longest_s
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:3] == [
        "the loop: a is full [overloaded]",
        "the loop: b is full [overloaded]",
        "the loop: odd",
    ]
    assert len(lines) == 16 + 2
    assert lines[-2:] == [
        "the loop: all is well again, after 48 faults",
        "the loop: a is full [overloaded]",
    ]
    traced = [record.getMessage() for record in caplog.records if record.exc_info]
    assert traced == ["the loop: odd"]
