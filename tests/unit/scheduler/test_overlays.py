"""What one request asks or prefers, laid over what its shape shares."""

from collections.abc import Callable, Mapping
from typing import ClassVar

import attrs
import numpy as np
import pytest

from computekit.ids import FlavorId, HostName, ImageId, InstanceId, ProjectId, ServerGroupId, UserId
from computekit.model import MEMORY_MB, Flavor, FrozenMap, Image, Instance, InstanceState
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler import (
    Adjustment,
    Explanation,
    FreeWeigher,
    Limits,
    Normalised,
    Overlay,
    Placed,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    Unplaced,
    intent_of,
)
from computekit.units import Bytes, Mib, Seconds
from tests.unit.scheduler.fleet import flat, index, request

FLEET = ("a", "b", "c", "d", "e")


def fleet() -> FleetIndex:
    return index(*(flat(name, memory=1_000 * at) for at, name in enumerate(FLEET)))


@attrs.frozen
class Named:
    """An overlay whose limits a test gives."""

    limited: Callable[[FleetIndex], Limits]
    rule: ClassVar[str] = "named"
    asked: ClassVar[str] = "some"

    def limits(self, fleet: FleetIndex, /) -> Limits:
        return self.limited(fleet)

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return self.limited(fleet).rows(len(fleet))[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return fleet.names[row]

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return ()


@attrs.frozen
class Rule:
    """A rule that is overlays only."""

    laid: tuple[Overlay, ...]
    name: ClassVar[str] = "rule"

    def overlays(self, _request: Request, /) -> tuple[Overlay, ...]:
        return self.laid


@attrs.frozen
class Lean:
    """Prefers some rows."""

    given: FrozenMap[int, float]
    multiplier: float = 1.0
    name: ClassVar[str] = "lean"

    def weights(self, _request: Request, _fleet: FleetIndex, /) -> Mapping[int, float]:
        return self.given


def ranked(scheduler: Scheduler, asked: Request) -> str:
    decision = scheduler.place(asked)
    found = "".join(candidate.host for candidate in decision.candidates())
    if isinstance(decision, Placed):
        explanation = decision.explain()
        assert isinstance(explanation, Explanation)
        assert "".join(host.host for host in explanation.ranking) == found
        assert {report.host for report in explanation.hosts if report.fits} == set(found)
    return found


def mask(fleet: FleetIndex) -> BoolArray:
    return np.array([name != "c" for name in fleet.names])


WAYS = {
    "only": (Limits(only=frozenset({1, 3})), "bd"),
    "one": (Limits(only=frozenset({3})), "d"),
    "none": (Limits(only=frozenset()), ""),
    "without": (Limits(without=frozenset({0, 4})), "bcd"),
    "mask": (Limits(mask=np.array([True, True, False, True, False])), "abd"),
    "all": (Limits(), "abcde"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "weighers", [(RamWeigher(),), Normalised((FreeWeigher("RAMWeigher", MEMORY_MB),))]
)
def test_an_overlay_narrows(way: str, weighers: tuple[RamWeigher, ...] | Normalised) -> None:
    limits, expected = WAYS[way]
    policy = Policy(weighers, rules=(Rule((Named(lambda _: limits),)),))
    scheduler = Scheduler(fleet(), policy)
    assert ranked(scheduler, request()) == expected
    assert ranked(scheduler, request(ignored=("b", "nobody"))) == expected.replace("b", "")
    assert ranked(scheduler, request(on="d")) == ("d" if "d" in expected else "")
    assert ranked(Scheduler(scheduler.index, Policy(weighers)), request()) == "abcde"


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
def test_overlays_hold_together(first: str, second: str) -> None:
    one, other = WAYS[first][0], WAYS[second][0]
    both = one.both(other)
    assert both.rows(5).tolist() == (one.rows(5) & other.rows(5)).tolist()
    assert [both.allow(row) for row in range(5)] == both.rows(5).tolist()


def test_an_overlay_weigher_lifts_a_few_hosts_of_one_request() -> None:
    lean = Lean(FrozenMap({2: 1_500.0, 4: 1_500.0}))
    policy = Policy(overlay_weighers=(lean,))
    assert ranked(Scheduler(fleet(), policy), request()) == "acbed"
    assert ranked(Scheduler(fleet(), policy), request(ignored=("c",))) == "abed"
    against = Policy(overlay_weighers=(attrs.evolve(lean, multiplier=-10.0),))
    assert ranked(Scheduler(fleet(), against), request()) == "abdce"
    off = Policy(overlay_weighers=(attrs.evolve(lean, multiplier=0.0),))
    assert ranked(Scheduler(fleet(), off), request()) == "abcde"


def test_under_nova_s_weighing_an_overlay_weigher_is_scaled_too() -> None:
    weighing = Normalised((FreeWeigher("RAMWeigher", MEMORY_MB),))
    lean = Lean(FrozenMap({4: 7.0}), 3.0)
    scheduler = Scheduler(fleet(), Policy(weighing, overlay_weighers=(lean,)))
    assert ranked(scheduler, request()) == "eabcd"
    assert ranked(scheduler, request(on="b")) == "b"
    decision = scheduler.place(request())
    assert isinstance(decision, Placed)
    assert decision.candidate.score == pytest.approx(3.0 + 61_536 / 65_536)


def test_a_request_that_an_overlay_refuses_everywhere_says_so() -> None:
    nowhere = Named(lambda _: Limits(only=frozenset()))
    decision = Scheduler(fleet(), Policy(rules=(Rule((nowhere,)),))).place(request())
    assert isinstance(decision, Unplaced)
    assert decision.summary == "none of 5 hosts fits: 5 fail named some"


def test_the_intent_of_an_instance_is_what_its_owner_wants() -> None:
    instance = Instance(
        InstanceId("i"),
        "i",
        ProjectId("p"),
        UserId("u"),
        Flavor(FlavorId("f"), "f", 1, Mib(1)),
        Image(ImageId("m"), "m", "raw", Bytes(1), Bytes(1), ""),
        InstanceState.ACTIVE,
        Seconds(0.0),
        HostName("a"),
        zone="z",
        hints=FrozenMap({"group": ("g",), "other": ("1", "2")}),
    )
    intent = intent_of(instance)
    assert (intent.zone, intent.project, intent.user) == ("z", "p", "u")
    assert (intent.flavor, intent.image) == (instance.flavor, instance.image)
    assert intent.group == ServerGroupId("g")
    assert intent_of(attrs.evolve(instance, hints=FrozenMap({"group": ()}))).group is None
