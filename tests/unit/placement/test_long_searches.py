"""Searches that take long, or find very much: others go on, and memory has a bound."""

import gc
import random
import threading
from collections.abc import Callable
from itertools import islice

import pytest

from computekit.clock import Deadline
from computekit.errors import DeadlineExceeded, InvalidInput
from computekit.model import DISK_GB, VCPU, FrozenMap, PlacementRequest, RequestGroup
from computekit.placement import ProviderIndex
from computekit.placement.patience import Patience
from computekit.placement.plan import plan_of
from computekit.placement.search import DeadEnds, steps
from computekit.placement.searches import Searches
from computekit.placement.shapes import Shape
from computekit.testing import ManualClock
from computekit.units import Seconds
from tests.unit.placement.test_provider_index import (
    DEVICE,
    ONE_CPU,
    devices,
    packing,
    soon,
    use,
    wide,
)


class Meanwhile(ManualClock):
    """A clock at each look of which another does something, once the index is free for that."""

    def __init__(self, index: ProviderIndex, do: Callable[[], object]) -> None:
        super().__init__()
        self.left = 0
        self._index, self._do = index, do

    def monotonic_s(self) -> Seconds:
        if self.left:
            other = threading.Thread(target=self._try)
            other.start()
            other.join()
        return super().monotonic_s()

    def _try(self) -> None:
        if self._index.lock.acquire(blocking=False):
            try:
                self._do()
                self.left -= 1
            finally:
                self._index.lock.release()


class Enough(Exception):
    """Ends a search that would go on."""


@pytest.mark.parametrize("ask", [ProviderIndex.found, ProviderIndex.explain, ProviderIndex.room])
def test_while_a_search_takes_long_others_are_answered(ask: Callable[..., object]) -> None:
    index, request = packing()
    answers: list[int] = []
    meanwhile = Meanwhile(index, lambda: answers.append(len(index.page(ONE_CPU).candidates)))

    class Until(ManualClock):
        def monotonic_s(self) -> Seconds:
            if not meanwhile.left:
                raise Enough
            return meanwhile.monotonic_s()

    meanwhile.left = 1
    deadline = Deadline(Until(), Seconds(60.0))
    meanwhile.left = 3
    answers.clear()
    with pytest.raises(Enough):
        ask(index, request, deadline=deadline)
    assert answers == [6, 6, 6]


def just_failing() -> tuple[ProviderIndex, PlacementRequest]:
    """Return groups that do not fit on four providers, which takes a tenth of a second to find."""
    source = random.Random(1)
    amounts = [(source.randint(200, 800), source.randint(200, 800)) for _ in range(11)]
    cpus, disk = (sum(column) * 51 // 50 // 4 for column in zip(*amounts, strict=True))
    uses = [use("h"), *(use(f"n{n}", "h", VCPU=cpus + n, DISK_GB=disk + n) for n in range(4))]
    groups = tuple(
        RequestGroup(f"_{n:02}", FrozenMap({VCPU: c, DISK_GB: d}))
        for n, (c, d) in enumerate(amounts)
    )
    return ProviderIndex.of(uses), PlacementRequest(groups, "none")


def found_one(index: ProviderIndex, request: PlacementRequest, deadline: Deadline) -> int:
    return len(index.found(request, limit=1, twins=True, deadline=deadline).candidates)


def explained(index: ProviderIndex, request: PlacementRequest, deadline: Deadline) -> int:
    return index.explain(request, deadline=deadline).fitting


def room(index: ProviderIndex, request: PlacementRequest, deadline: Deadline) -> int:
    return int(index.room(request, deadline=deadline).count > 0)


@pytest.mark.parametrize("ask", [found_one, explained, room])
def test_what_changes_while_a_search_takes_long_is_in_the_answer(
    ask: Callable[[ProviderIndex, PlacementRequest, Deadline], int],
) -> None:
    index, request = just_failing()
    clock = Meanwhile(index, lambda: index.put([use("n4", "h", VCPU=7000, DISK_GB=7000)]))
    deadline = Deadline(clock, Seconds(60.0))
    clock.left = 1
    assert ask(index, request, deadline) == 1
    assert not clock.left


def test_a_long_answer_is_of_one_moment_though_others_go_on() -> None:
    index = wide(2, 6)
    before = index.page(devices(4), twins=True)
    index.forget()
    gone = use("h1d0", "h1", CUSTOM_DEVICE=1, used={DEVICE: 1})
    clock = Meanwhile(index, lambda: index.put([gone]))
    deadline = Deadline(clock, Seconds(60.0))
    clock.left = 1
    found = index.found(devices(4), twins=True, deadline=deadline)
    assert not clock.left
    assert found.page() == before
    after = index.page(devices(4), twins=True)
    assert len(after.candidates) == len(before.candidates) - 4 * 5 * 4 * 3


def test_an_answer_that_nobody_could_read_asks_for_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("computekit.placement.candidate_rounds.MOST_CANDIDATES", 1000)
    index = wide(2, 8)
    with pytest.raises(InvalidInput, match="give a limit") as refused:
        index.found(devices(5), twins=True)
    assert [fault.path for fault in refused.value.faults] == ["limit"]
    assert len(index.found(devices(5), twins=True, limit=1000).candidates) == 1000
    with pytest.raises(InvalidInput, match="give a limit"):
        index.found(devices(5), twins=True, limit=1001)
    flat = ProviderIndex.of([use(f"h{n:04}", VCPU=1) for n in range(1001)])
    with pytest.raises(InvalidInput, match="give a limit"):
        flat.found(ONE_CPU)


def test_ways_that_are_not_kept_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(wide(2, 6).candidates(devices(4), twins=True))
    monkeypatch.setattr("computekit.placement.tree_ways._WAYS", 20)
    monkeypatch.setattr("computekit.placement.tree_ways._KEPT", 10)
    index = wide(2, 6)
    first, second = (index.candidates(devices(4), twins=True) for _ in range(2))
    assert list(islice(first, 300)) == whole[:300]
    assert list(second) == whole
    assert list(first) == whole[300:]


def test_all_that_a_question_keeps_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("computekit.placement.provider_index._KEPT", 2000)
    index = wide(1, 8)
    index.page(ONE_CPU)
    index.page(devices(3), twins=True)
    assert index.shapes == 2
    # 1680 ways; 256 candidates, and an answer of 1680.
    index.page(devices(4), twins=True)
    assert index.shapes == 2, "what is too much by itself displaces nothing"
    assert index.found(devices(4), twins=True) is not index.found(devices(4), twins=True)
    assert index.found(devices(3), twins=True) is index.found(devices(3), twins=True)

    # A suspended search remembers states that led to nothing.
    monkeypatch.setattr("computekit.placement.provider_index._KEPT", 500)
    hard, request = packing()
    hard.page(ONE_CPU)
    with pytest.raises(DeadlineExceeded):
        hard.found(request, deadline=soon())
    assert hard.shapes == 1


def test_states_that_lead_to_nothing_are_remembered_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("computekit.placement.search._DEAD", 25)
    index, request = packing()
    plan = plan_of(request)
    shape = Shape(index.rows, request, twins=True, searches=Searches(Patience()))
    shape.catch_up()
    pattern, _ids = shape.pattern(0)
    dead_ends = DeadEnds()
    searches = [steps(plan, pattern, dead_ends) for _ in range(2)]
    for search in searches:
        assert list(islice(search, 20)) == [None] * 20
    assert dead_ends.kept == 25
    del search, searches
    gc.collect()
    assert dead_ends.kept == 0
