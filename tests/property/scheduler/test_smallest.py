"""The smallest change that is named is the smallest there is; "nothing helps" is true."""

from hypothesis import given, settings

from computekit.scheduler import Policy, Request, Scheduler
from tests.property.effort import examples
from tests.property.scheduler.every_change import every_change, smallest_by_trying
from tests.property.scheduler.fleets import FleetHost, fleets, index_of, requests

Fleet = tuple[FleetHost, ...]
POLICY = Policy()


def check(fleet: Fleet, request: Request, most: int) -> None:
    index = index_of(fleet)
    for of in fleet[:1]:
        found = Scheduler(index, POLICY).why_not(request, of.host.name)
        changes = every_change(of, index, request)
        tried = smallest_by_trying(index, request, of.host.name, changes, POLICY, most)
        if found.fits:
            assert tried == (0, 0.0)
        elif found.remedy is None:
            assert tried is None or not found.remedies.complete, found.text()
        elif found.remedy.size[0] <= most:
            assert tried is not None
            assert found.remedy.size[0] == tried[0], found.text()
            assert found.remedy.size[1] <= tried[1] + 1e-9, (found.text(), tried)
        else:
            assert tried is None


@settings(max_examples=examples(60))
@given(fleets(most=1), requests(suffixed=2))
def test_no_smaller_change_lets_a_flat_host_take_it(fleet: Fleet, request: Request) -> None:
    check(fleet, request, 2 if len(request.placement.groups) == 1 else 1)


@settings(max_examples=examples(60))
@given(fleets(most=3), requests(suffixed=2))
def test_no_smaller_change_lets_a_host_with_a_tree_take_it(fleet: Fleet, request: Request) -> None:
    check(fleet, request, 1)


@settings(max_examples=examples(150))
@given(fleets(most=3), requests(suffixed=2))
def test_what_helps_a_fleet_is_the_least_of_what_helps_its_hosts(
    fleet: Fleet, request: Request
) -> None:
    scheduler = Scheduler(index_of(fleet), POLICY)
    found = scheduler.why_not(request)
    if found.fits:
        return
    each = [scheduler.why_not(request, of.host.name).remedy for of in fleet]
    sizes = [remedy.size for remedy in each if remedy is not None]
    assert (found.remedy is None) == (not sizes)
    if found.remedy is not None:
        assert found.remedy.size == min(sizes), found.text()
