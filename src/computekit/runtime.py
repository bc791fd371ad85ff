"""Threads that have an owner: bounded pools, calls with a deadline, timers, and an end to it all.

A `Runtime` belongs to whoever wires a process together; it is passed in, and `drain()` ends it.
A pool is a bulkhead: a callee that hangs can fill its own pool and no other.
"""

import logging
import queue
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from typing import TypeVar

import attrs

from computekit.clock import Clock, Deadline, SystemClock
from computekit.errors import ComputekitError, DeadlineExceeded, Overloaded
from computekit.units import Seconds

__all__ = ["Doorbell", "Faults", "KeyedLocks", "Pool", "PoolHealth", "Runtime"]

R = TypeVar("R")

_MOST_FAULTS = 16


class Doorbell:
    """Wakes one or more waiting threads; a ring that nobody waits for is kept for the next wait."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake whoever waits."""
        self._event.set()

    def wait(self, timeout_s: Seconds) -> bool:
        """Wait for a ring, `timeout_s` at most; return whether there was one."""
        rung = self._event.wait(timeout_s)
        self._event.clear()
        return rung


class Faults:
    """What keeps going wrong in one or more loops: said once, and rested for longer and longer.

    Args:
        log: where it is said: one line for each distinct fault, one when all is well again.
        what: whose faults they are, for people.
        source: of randomness, for the rests.
        first_s: the first rest; each further one is twice as long.
        longest_s: the longest. Each is less by a random part of up to a half.
    """

    def __init__(
        self,
        log: logging.Logger,
        what: str,
        source: random.Random,
        *,
        first_s: Seconds = Seconds(0.5),
        longest_s: Seconds = Seconds(5.0),
    ) -> None:
        self._log = log
        self._what = what
        self._source = source
        self._first_s = first_s
        self._longest_s = longest_s
        self._lock = threading.Lock()
        self._said: set[tuple[type[Exception], str]] = set()
        self._count = 0

    def came(self, error: Exception) -> Seconds:
        """Take note of a fault and return how long to rest, in seconds."""
        fault = (type(error), str(error))
        with self._lock:
            new = fault not in self._said and len(self._said) < _MOST_FAULTS
            if new:
                self._said.add(fault)
            longest_s = min(self._longest_s, self._first_s * 2.0 ** min(self._count, 30))
            self._count += 1
            rest_s = Seconds(longest_s * (1.0 - self._source.random() / 2))
        if new and isinstance(error, ComputekitError):
            self._log.warning("%s: %s [%s]", self._what, error, error.code)
        elif new:
            self._log.error("%s: %s", self._what, error, exc_info=error)
        return rest_s

    def passed(self) -> None:
        """Take note that something went well that a fault would have kept from it."""
        if not self._count:
            return
        with self._lock:
            count, self._count = self._count, 0
            self._said.clear()
        if count:
            self._log.info("%s: all is well again, after %d faults", self._what, count)


@attrs.define
class _Entry:
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    users: int = 0


class KeyedLocks:
    """Locks by key; one that nobody holds or waits for takes no memory."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    @contextmanager
    def holding(self, key: str, deadline: Deadline) -> Iterator[None]:
        """Hold the lock of `key`.

        Raises:
            DeadlineExceeded: another held it until the deadline.
        """
        waited_s = deadline.left_s()
        with self._guard:
            entry = self._entries.setdefault(key, _Entry())
            entry.users += 1
        try:
            if not entry.lock.acquire(timeout=waited_s):
                raise DeadlineExceeded(f"an earlier call on {key}", Seconds(round(waited_s, 1)))
            try:
                yield
            finally:
                entry.lock.release()
        finally:
            with self._guard:
                entry.users -= 1
                if not entry.users:
                    del self._entries[key]


@attrs.frozen
class PoolHealth:
    """How a pool is doing.

    Attributes:
        name: the pool.
        size: its threads.
        busy: threads at work.
        waiting: calls in the queue.
        stuck: threads whose caller has stopped waiting.
    """

    name: str
    size: int
    busy: int
    waiting: int
    stuck: int


class Pool:
    """A fixed number of threads behind a bounded queue.

    Args:
        name: shows in thread names and health.
        size: number of threads, started when first needed.
        queue_limit: calls that may wait; one more raises `Overloaded`.
    """

    def __init__(self, name: str, size: int, queue_limit: int = 64) -> None:
        self.name = name
        self.size = size
        self._todo: queue.Queue[Callable[[], None] | None] = queue.Queue(queue_limit)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._pending = 0
        self._stuck = 0
        self._closed = False

    def submit(self, fn: Callable[[], R]) -> "Future[R]":
        """Start `fn` on a thread of the pool.

        Raises:
            Overloaded: the queue is full or the pool is closed.
        """
        future: Future[R] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn()
            except BaseException as error:  # noqa: BLE001  handed to who waits for the future
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._lock:
            if self._closed:
                raise Overloaded(f"pool {self.name} (closed)")
            try:
                self._todo.put_nowait(work)
            except queue.Full:
                raise Overloaded(f"pool {self.name}") from None
            self._pending += 1
            if len(self._threads) < min(self.size, self._pending):
                thread = threading.Thread(
                    target=self._serve, name=f"{self.name}-{len(self._threads)}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        return future

    def call(self, fn: Callable[[], R], timeout_s: Seconds, what: str) -> R:
        """Run `fn` on the pool and wait for it.

        Raises:
            DeadlineExceeded: `fn` has not ended in time; its thread counts as stuck until it does.
            Overloaded: the queue is full.
        """
        future = self.submit(fn)
        try:
            return future.result(timeout_s)
        except FutureTimeout:
            if future.done():  # it has ended since, or has itself raised a TimeoutError
                return future.result()
            if not future.cancel():
                with self._lock:
                    self._stuck += 1
                future.add_done_callback(self._unstick)
            raise DeadlineExceeded(what, timeout_s) from None

    def health(self) -> PoolHealth:
        """Return how the pool is doing now."""
        with self._lock:
            return PoolHealth(self.name, self.size, self._busy, self._todo.qsize(), self._stuck)

    def close(self, timeout_s: Seconds, clock: Clock | None = None) -> bool:
        """Take no more calls and wait for those under way; return whether all have ended."""
        with self._lock:
            self._closed = True
            threads = tuple(self._threads)
        deadline = Deadline(clock or SystemClock(), timeout_s)
        for _ in threads:
            try:
                self._todo.put(None, timeout=deadline.left_s())
            except queue.Full:
                return False
        for thread in threads:
            thread.join(deadline.left_s())
        return not any(thread.is_alive() for thread in threads)

    def _unstick(self, _future: "Future[R]") -> None:
        with self._lock:
            self._stuck -= 1

    def _serve(self) -> None:
        while (work := self._todo.get()) is not None:
            with self._lock:
                self._busy += 1
            try:
                work()
            finally:
                with self._lock:
                    self._busy -= 1
                    self._pending -= 1


class Runtime:
    """All threads of one service, and the way to end them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._pools: list[Pool] = []
        self._loops: list[tuple[threading.Thread, Doorbell]] = []
        self._ending = threading.Event()

    @property
    def ending(self) -> bool:
        """Whether `drain` has been called; loops look at this between two rounds."""
        return self._ending.is_set()

    def pool(self, name: str, size: int, queue_limit: int = 64) -> Pool:
        """Make a pool that ends with this runtime."""
        pool = Pool(name, size, queue_limit)
        with self._lock:
            self._pools.append(pool)
        return pool

    def loop(
        self,
        name: str,
        body: Callable[[], Seconds],
        on_error: Callable[[Exception], Seconds],
    ) -> Doorbell:
        """Run `body` again and again on a thread of its own, until `drain`.

        Args:
            name: of the thread.
            body: does one round and returns how long to rest, in seconds.
            on_error: told what `body` raised; returns how long to rest before the next round.

        Returns:
            A doorbell that cuts the rest short.
        """
        bell = Doorbell()

        def run() -> None:
            while not self.ending:
                try:
                    rest_s = body()
                except Exception as error:  # noqa: BLE001  handed to on_error
                    rest_s = on_error(error)
                if rest_s > 0 and not self.ending:
                    bell.wait(rest_s)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._loops.append((thread, bell))
        thread.start()
        return bell

    def health(self) -> tuple[PoolHealth, ...]:
        """Return the health of every pool."""
        with self._lock:
            pools = tuple(self._pools)
        return tuple(pool.health() for pool in pools)

    def drain(self, timeout_s: Seconds) -> bool:
        """End all loops and pools; return whether everything ended within `timeout_s`."""
        self._ending.set()
        deadline = Deadline(self.clock, timeout_s)
        with self._lock:
            loops, pools = tuple(self._loops), tuple(self._pools)
        for _, bell in loops:
            bell.ring()
        for thread, _ in loops:
            thread.join(deadline.left_s())
        ended = [pool.close(deadline.left_s(), self.clock) for pool in pools]
        return all(ended) and not any(thread.is_alive() for thread, _ in loops)
