"""Turns are taken in order, and handed on only to those who share."""

import threading

from computekit.store.turn import Turn, Waiter
from computekit.units import Seconds

LONG_S = Seconds(10.0)


def queue_up(turn: Turn, waiter: Waiter) -> threading.Thread:
    """Let a thread wait for the turn; return when it does."""
    thread = threading.Thread(target=turn.take, args=(waiter, LONG_S), daemon=True)
    before = len(turn._queue)
    thread.start()
    while len(turn._queue) == before:
        thread.join(0.001)
    return thread


def test_a_free_turn_is_taken_at_once() -> None:
    turn, waiter = Turn(), Waiter(shares=True)
    assert turn.take(waiter, Seconds(0.0))
    assert waiter.granted


def test_a_taken_turn_is_waited_for_no_longer_than_said() -> None:
    turn, late = Turn(), Waiter(shares=True)
    turn.take(Waiter(shares=True), LONG_S)
    assert not turn.take(late, Seconds(0.01))
    assert not late.granted
    turn.end()
    assert turn.take(Waiter(shares=True), Seconds(0.0))


def test_who_comes_first_goes_first() -> None:
    turn = Turn()
    turn.take(Waiter(shares=True), LONG_S)
    waiters = [Waiter(shares=bool(n % 2)) for n in range(4)]
    threads = [queue_up(turn, waiter) for waiter in waiters]
    for n, thread in enumerate(threads):
        turn.end()
        thread.join(LONG_S)
        assert [waiter.granted for waiter in waiters] == [m <= n for m in range(4)]
    turn.end()
    assert turn.take(Waiter(shares=True), Seconds(0.0))


def test_a_turn_is_handed_on_to_a_next_that_shares_only() -> None:
    turn = Turn()
    turn.take(Waiter(shares=True), LONG_S)
    assert not turn.hand_on()
    sharing, alone = Waiter(shares=True), Waiter(shares=False)
    threads = [queue_up(turn, sharing), queue_up(turn, alone)]
    assert turn.hand_on()
    threads[0].join(LONG_S)
    assert not turn.hand_on()
    assert not alone.granted
    turn.end()
    threads[1].join(LONG_S)
    assert alone.granted
