"""Traits that attest a host are asked again on every move, of a host that is named too."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit.agent import host_tree
from computekit.compute import ask_for_place, rebuild_report
from computekit.errors import InvalidInput, StateConflict
from computekit.ids import HostName
from computekit.model import FrozenMap, Instance, ProviderTree, Trait
from computekit.scheduler import AskedZone, MoveKind, Placed, Unplaced
from computekit.testing.fake_fleet import SMALL, FakeFleet, fake_facts

A, B, C = HostName("a"), HostName("b"), HostName("c")
ATTESTED = Trait("CUSTOM_HW_ATTESTATION_TRUSTED")
TRUSTED = attrs.evolve(SMALL, extra_specs=FrozenMap({f"trait:{ATTESTED}": "required"}))
CHOOSE = (
    MoveKind.CREATE,
    MoveKind.COLD_MIGRATE,
    MoveKind.RESIZE,
    MoveKind.LIVE_MIGRATE,
    MoveKind.EVACUATE,
    MoveKind.UNSHELVE,
)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    made = FakeFleet(tmp_path, tuple(fake_facts(name) for name in "abc"))
    for host in (A, B):
        attest(made, host, trusted=True)
    yield made
    made.close()


def attest(fleet: FakeFleet, host: HostName, *, trusted: bool) -> None:
    """Let an external service say of a host whether it is trusted."""
    (root,) = host_tree(fleet.hypervisors[host].facts())
    traits = root.traits | {ATTESTED} if trusted else root.traits
    tree = ProviderTree((attrs.evolve(root, traits=traits),))
    fleet.store.write(lambda tx: fleet.services.placement.put_tree(tx, tree))


def created(fleet: FakeFleet) -> Instance:
    instance = fleet.create("one", TRUSTED)
    fleet.run()
    found = fleet.services.existing(instance)
    assert found.host in {A, B}
    return found


def chosen(
    fleet: FakeFleet, instance: Instance, move: MoveKind, host: HostName | None = None
) -> HostName | None:
    asked = ask_for_place(fleet.services, instance, move, host=host)
    decision = fleet.services.scheduler.place(asked.request)
    if isinstance(decision, Placed):
        return decision.host
    assert isinstance(decision, Unplaced)
    return None


@pytest.mark.parametrize("move", CHOOSE)
def test_only_a_host_that_is_attested_is_chosen(fleet: FakeFleet, move: MoveKind) -> None:
    one = created(fleet)
    assert chosen(fleet, one, move) in {A, B}
    assert one.host is not None
    for host in (A, B):
        if host != one.host:
            attest(fleet, host, trusted=False)
    expected = one.host if move in {MoveKind.CREATE, MoveKind.UNSHELVE} else None
    assert chosen(fleet, one, move) == expected


@pytest.mark.parametrize("move", CHOOSE)
def test_to_name_a_host_does_not_attest_it(fleet: FakeFleet, move: MoveKind) -> None:
    one = created(fleet)
    other = B if one.host == A else A
    assert chosen(fleet, one, move, C) is None
    assert chosen(fleet, one, move, other) == other
    attest(fleet, other, trusted=False)
    assert chosen(fleet, one, move, other) is None
    asked = ask_for_place(fleet.services, one, move, host=C)
    report = fleet.services.scheduler.place(asked.request).explain().host(C)  # type: ignore[union-attr]
    assert report is not None
    assert [verdict.asked for verdict in report.failing] == [ATTESTED]


@pytest.mark.parametrize("move", MoveKind)
def test_nothing_is_forced(fleet: FakeFleet, move: MoveKind) -> None:
    one = created(fleet)
    with pytest.raises(InvalidInput):
        ask_for_place(fleet.services, one, move, host=C, forced=True)


@pytest.mark.parametrize("move", [move for move in MoveKind if move not in CHOOSE])
def test_what_stays_in_place_asks_for_no_host(fleet: FakeFleet, move: MoveKind) -> None:
    with pytest.raises(StateConflict):
        ask_for_place(fleet.services, created(fleet), move)


def test_a_rebuild_asks_the_host_that_it_is_on(fleet: FakeFleet) -> None:
    one = created(fleet)
    assert one.host is not None
    assert rebuild_report(fleet.services, one, fleet.image).fits
    attest(fleet, one.host, trusted=False)
    report = rebuild_report(fleet.services, one, fleet.image)
    assert [verdict.asked for verdict in report.failing] == [ATTESTED]
    with pytest.raises(StateConflict):
        rebuild_report(fleet.services, attrs.evolve(one, host=None), fleet.image)
    picky = attrs.evolve(fleet.image, properties=FrozenMap({"trait:CUSTOM_GOLD": "required"}))
    assert "CUSTOM_GOLD" in [v.asked for v in rebuild_report(fleet.services, one, picky).failing]


def test_the_pin_and_the_zones_of_volumes_hold_on_every_move(fleet: FakeFleet) -> None:
    one = attrs.evolve(created(fleet), zone="north")
    for move in CHOOSE:
        asked = ask_for_place(fleet.services, one, move, volume_zones=frozenset({"north"}))
        assert (asked.pin, asked.request.intent.zone) == ("north", "north")
        assert asked.request.run.zones == frozenset()
        both = ask_for_place(fleet.services, one, move, volume_zones=frozenset({"south"}))
        assert both.request.run.zones == {"south"}
        found = fleet.services.scheduler.place(both.request)
        assert isinstance(found, Unplaced)
        assert "zone of volumes south" in found.summary
    unpinned = ask_for_place(fleet.services, one, MoveKind.UNSHELVE, asked=AskedZone(None))
    assert (unpinned.pin, unpinned.request.intent.zone) == (None, None)
