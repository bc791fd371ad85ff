"""Locks by key: one at a time, others not held up, nothing kept."""

import threading

import pytest

from computekit.clock import Deadline, SystemClock
from computekit.errors import DeadlineExceeded
from computekit.runtime import KeyedLocks
from computekit.units import Seconds


def soon(timeout_s: float = 5.0) -> Deadline:
    return Deadline(SystemClock(), Seconds(timeout_s))


def test_the_same_key_waits_and_another_does_not() -> None:
    locks = KeyedLocks()
    with (
        locks.holding("a", soon()),
        locks.holding("b", soon()),
        pytest.raises(DeadlineExceeded),
        locks.holding("a", soon(0.01)),
    ):
        pytest.fail("held twice")
    with locks.holding("a", soon()):
        pass


def test_it_goes_to_whoever_waits() -> None:
    locks, order = KeyedLocks(), list[str]()
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with locks.holding("a", soon()):
            order.append("second")

    thread = threading.Thread(target=second)
    with locks.holding("a", soon()):
        thread.start()
        assert waiting.wait(5.0)
        order.append("first")
    thread.join(5.0)
    assert order == ["first", "second"]


def test_nothing_is_kept_of_keys_that_nobody_uses() -> None:
    locks = KeyedLocks()
    for key in range(100):
        with locks.holding(str(key), soon()):
            pass
    with pytest.raises(ValueError, match="mine"), locks.holding("a", soon()):
        raise ValueError("mine")
    assert not locks._entries
