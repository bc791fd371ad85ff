"""Many requests at once are decided as one after the other, and the fleet is as it was."""

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler import (
    BatchPlaced,
    BatchUnplaced,
    Placed,
    Policy,
    Request,
    Scheduler,
    Selection,
    nova_weighing,
)
from tests.property.effort import examples
from tests.property.scheduler.fleets import FleetHost, fleets, index_of, requests

POLICIES = (Policy(), Policy(nova_weighing()))


def left(index: FleetIndex) -> list[tuple[object, ...]]:
    """Return what is left of each host, and used of each of its providers."""
    return [
        (view.name, view.free, [{n: u for n, u in use.used.items() if u} for use in view.providers])
        for view in (index.view(row) for row in range(len(index)))
    ]


def one_by_one(index: FleetIndex, asked: list[Request], policy: Policy) -> list[HostName | None]:
    """Return where requests go, each counted before the next is decided."""
    found: list[HostName | None] = []
    for request in asked:
        decision = Scheduler(index, policy).place(request)
        found.append(decision.host if isinstance(decision, Placed) else None)
        if isinstance(decision, Placed):
            index.apply_claim(decision.allocation)
    return found


@settings(max_examples=examples(60), deadline=None)
@given(
    fleets(),
    st.lists(requests(), min_size=1, max_size=3),
    st.integers(1, 3),
    st.sampled_from(POLICIES),
)
def test_a_batch_is_decided_as_one_after_the_other(
    fleet: tuple[FleetHost, ...], some: list[Request], times: int, policy: Policy
) -> None:
    asked = some * times
    index = index_of(fleet)
    wanted = one_by_one(index.copy(), asked, policy)
    scheduler = Scheduler(index, policy)
    before = left(index)
    for _ in range(2):
        found = scheduler.place_many(asked, "best_effort")
        assert isinstance(found, BatchPlaced)
        hosts = [one.host if isinstance(one, Placed) else None for one in found.decisions]
        assert hosts == wanted
        assert left(index) == before
    every = scheduler.place_many(asked)
    if None in wanted:
        assert isinstance(every, BatchUnplaced)
        assert every.number == wanted.index(None)
    else:
        assert isinstance(every, BatchPlaced)
        assert [one.host for one in every.placed] == wanted
    # What is kept between decisions does not show.
    assert candidates(scheduler, some[0]) == candidates(Scheduler(index, policy), some[0])


def candidates(scheduler: Scheduler, request: Request) -> list[Selection]:
    """Return all that may be tried, whenever it was found."""
    return [attrs.evolve(one, epoch=0) for one in scheduler.place(request).candidates()]
