"""Threads that have an owner: bounded pools, calls with a deadline, timers, and an end to it all.

A `Runtime` belongs to whoever wires a process together; it is passed in, and `drain()` ends it.
A pool is a bulkhead: a callee that hangs can fill its own pool and no other.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

import attrs

from computekit.clock import Clock, Deadline, SystemClock
from computekit.errors import DeadlineExceeded, Overloaded
from computekit.units import Seconds

__all__ = ["Doorbell", "Pool", "PoolHealth", "Runtime"]

R = TypeVar("R")


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
