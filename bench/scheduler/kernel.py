"""What the index kernel costs beside the least that can be done, and beside a whole decision.

The kernel: bring the scores of a shape up to date, take the best row, count what it gives. The
least: bare NumPy arrays and a maximum for each block, no types, no rules, no reasons. The whole:
the public `place` and the claim in memory. All three decide the same requests on equal fleets, one
request after the other in turns, and must choose the same hosts.
"""

import random
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench.decision import Bare, Load
from bench.measure import Measure
from computekit.scheduler import Placed, Policy, RamWeigher, Scheduler
from computekit.scheduler.deciding_again import all_predicates
from computekit.scheduler.passing import Answers
from computekit.scheduler.shape import Shape

SIZES = (1_000, 10_000, 100_000, 1_000_000)


class Kernel:
    """The kernel alone: shapes over an index."""

    def __init__(self, load: Load) -> None:
        self.index = load.index()
        self._answers = Answers(self.index)
        self._amounts = [request.placement.groups[0].resources for request in load.requests]
        self._shapes = [
            Shape(all_predicates(request, Policy(), self.index), (RamWeigher(),))
            for request in load.requests
        ]
        for shape in self._shapes:
            shape.catch_up(self.index, self._answers)

    def place(self, number: int) -> int | None:
        """Choose a row for a shape and take what it asks for."""
        shape = self._shapes[number]
        shape.catch_up(self.index, self._answers)
        row = shape.scores.best()
        if row is not None:
            self.index.take(row, self._amounts[number])
        return row


def run(load: Load) -> tuple[list[float], list[float], list[float]]:
    """Return microseconds of CPU of each decision: kernel, bare, whole."""
    kernel, bare, whole = Kernel(load), Bare(load), Scheduler(load.index())
    for request in load.requests:
        whole.place(request)

    def decide(number: int) -> int | None:
        decision = whole.place(load.requests[number])
        assert isinstance(decision, Placed)
        whole.index.apply_claim(decision.allocation)
        return whole.index.row(decision.host)

    sides: list[Callable[[int], int | None]] = [kernel.place, bare.place, decide]
    taken: tuple[list[float], list[float], list[float]] = ([], [], [])
    now = time.thread_time_ns
    for turn, number in enumerate(load.sequence):
        rows: list[int | None] = [None, None, None]
        for side in ((turn + at) % 3 for at in range(3)):
            place = sides[side]
            started = now()
            rows[side] = place(number)
            taken[side].append((now() - started) / 1e3)
        if not rows[0] == rows[1] == rows[2]:
            raise AssertionError(f"rows {rows} were chosen")
    return taken


def measure(seconds: float) -> Iterator[Measure]:
    """Measure fleets of all sizes; CPU time of one thread."""
    for hosts in SIZES:
        source = random.Random(29)
        kernel: list[float] = []
        bare: list[float] = []
        whole: list[float] = []
        end = time.monotonic() + seconds
        while not kernel or time.monotonic() < end:
            first, second, third = run(Load.of(hosts, source))
            kernel += first
            bare += second
            whole += third
        least = float(np.median(bare))
        yield Measure(
            f"{hosts} hosts: kernel",
            float(np.median(kernel)),
            "us",
            {
                "p99_us": float(np.percentile(kernel, 99)),
                "bare_us": least,
                "ratio_to_bare": float(np.median(kernel)) / least,
                "whole_us": float(np.median(whole)),
                "whole_p99_us": float(np.percentile(whole, 99)),
                "decisions": float(len(kernel)),
            },
        )
