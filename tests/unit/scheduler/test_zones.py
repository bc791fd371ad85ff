"""Pins and moves: every row of their tables."""

import itertools

import pytest

from computekit.errors import InvalidInput, StateConflict
from computekit.ids import AggregateId, HostName, InstanceId
from computekit.model import Aggregate, FrozenMap
from computekit.scheduler.zones import (
    AskedZone,
    MoveKind,
    PinPolicy,
    PinState,
    ZoneConstraint,
    az_constraint,
    check_zone_name,
    may_pin,
    pin_after,
    zone_of_host,
)

X = InstanceId("x")
H = HostName("h")
CHOSEN = (
    MoveKind.COLD_MIGRATE,
    MoveKind.RESIZE,
    MoveKind.LIVE_MIGRATE,
    MoveKind.EVACUATE,
    MoveKind.UNSHELVE,
)
IN_PLACE = (MoveKind.REBUILD, MoveKind.REBOOT, MoveKind.CONFIRM_RESIZE)


@pytest.mark.parametrize(
    ("pin", "zone", "wanted"),
    [
        ("a", "a", None),
        (None, "a", None),
        (None, None, None),
        (None, "a", "a"),
        (None, "nova", "nova"),
        ("a", "a", "a"),
        ("a", None, "a"),
    ],
    ids=["unpin", "not pinned", "no host", "pin", "default zone", "again", "again, no host"],
)
@pytest.mark.parametrize("moving", [False, True])
def test_a_pin_that_may_be(
    pin: str | None, zone: str | None, wanted: str | None, moving: bool
) -> None:
    now = PinState(X, pin, zone, moving)
    if moving and wanted is not None and wanted != pin:
        with pytest.raises(StateConflict, match="at rest"):
            pin_after(now, wanted)
    else:
        assert pin_after(now, wanted) == wanted


@pytest.mark.parametrize(
    ("pin", "zone", "wanted", "why"),
    [
        (None, "a", "b", "in zone a"),
        (None, "a", "no such zone", "in zone a"),
        (None, "a", "nova", "in zone a"),
        (None, None, "a", "without a host"),
        (None, "a", "", "in zone a"),
        ("a", "a", "b", "unpin it first"),
        ("a", "b", "b", "unpin it first"),
    ],
)
def test_a_pin_that_may_not_be(pin: str | None, zone: str | None, wanted: str, why: str) -> None:
    with pytest.raises(StateConflict, match=why):
        pin_after(PinState(X, pin, zone), wanted)


def test_no_sequence_of_pins_ends_where_the_instance_is_not() -> None:
    for zone, *asked in itertools.product(
        ("a", "nova"), ("a", "b", "nova", None), ("a", "b", "nova", None), ("a", "b", None)
    ):
        assert zone is not None
        pin = None
        for wanted in asked:
            try:
                pin = pin_after(PinState(X, pin, zone), wanted)
            except StateConflict:
                continue
        assert pin in {None, zone}


@pytest.mark.parametrize("move", CHOSEN)
@pytest.mark.parametrize("host", [None, H])
def test_a_pinned_instance_stays_in_its_zone(move: MoveKind, host: HostName | None) -> None:
    expected = ZoneConstraint(frozenset({"a"}), host, pin="a")
    assert az_constraint(move, "a", host=host) == expected


@pytest.mark.parametrize("move", CHOSEN)
@pytest.mark.parametrize("host", [None, H])
def test_one_that_is_not_pinned_goes_anywhere(move: MoveKind, host: HostName | None) -> None:
    assert az_constraint(move, None, host=host) == ZoneConstraint(host=host)
    again = az_constraint(move, None, host=host, default_schedule_zone="a")
    assert again == ZoneConstraint(host=host)


@pytest.mark.parametrize("move", IN_PLACE)
@pytest.mark.parametrize("pin", [None, "a"])
def test_what_stays_in_place_chooses_nothing(move: MoveKind, pin: str | None) -> None:
    assert az_constraint(move, pin) == ZoneConstraint(chosen=False, pin=pin)


@pytest.mark.parametrize("pin", [None, "a"])
def test_a_reverted_resize_goes_back_to_where_it_came_from(pin: str | None) -> None:
    expected = ZoneConstraint(host=H, chosen=False, pin=pin)
    assert az_constraint(MoveKind.REVERT_RESIZE, pin, host=H) == expected


@pytest.mark.parametrize("pin", [None, "a", "b"])
@pytest.mark.parametrize("asked", [None, "a"])
def test_unshelving_rewrites_the_pin_where_a_zone_is_named(
    pin: str | None, asked: str | None
) -> None:
    found = az_constraint(MoveKind.UNSHELVE, pin, asked=AskedZone(asked))
    zones = frozenset[str]() if asked is None else frozenset({asked})
    assert found == ZoneConstraint(zones, pin=asked)


def test_a_new_instance_is_pinned_to_what_is_named_or_to_the_default() -> None:
    asked = AskedZone("a")
    assert az_constraint(MoveKind.CREATE, None, asked=asked).pin == "a"
    assert az_constraint(MoveKind.CREATE, None, default_schedule_zone="z").zones == {"z"}
    found = az_constraint(MoveKind.CREATE, None, asked=asked, default_schedule_zone="z")
    assert found == ZoneConstraint(frozenset({"a"}), pin="a")
    assert az_constraint(MoveKind.CREATE, None) == ZoneConstraint()


def test_volumes_that_may_not_cross_zones_hold_their_instance_too() -> None:
    volumes = frozenset({"b"})
    found = az_constraint(MoveKind.EVACUATE, None, volume_zones=volumes)
    assert found == ZoneConstraint(volumes)
    assert az_constraint(MoveKind.EVACUATE, "a", volume_zones=volumes).zones == {"a", "b"}


@pytest.mark.parametrize("move", MoveKind)
def test_nothing_is_forced_past_the_scheduler(move: MoveKind) -> None:
    with pytest.raises(InvalidInput) as caught:
        az_constraint(move, None, host=H, forced=True)
    assert [fault.code for fault in caught.value.faults] == ["not_offered"]


@pytest.mark.parametrize(
    "move", [move for move in MoveKind if move not in {MoveKind.CREATE, MoveKind.UNSHELVE}]
)
def test_other_moves_take_no_zone(move: MoveKind) -> None:
    with pytest.raises(InvalidInput) as caught:
        az_constraint(move, None, asked=AskedZone(None), forced=True)
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("roles", "same_project", "policy", "allowed"),
    [
        ({"admin"}, False, PinPolicy.ADMIN, True),
        ({"member"}, True, PinPolicy.ADMIN, False),
        ({"admin"}, False, PinPolicy.PROJECT_MEMBER_OR_ADMIN, True),
        ({"member"}, True, PinPolicy.PROJECT_MEMBER_OR_ADMIN, True),
        ({"member"}, False, PinPolicy.PROJECT_MEMBER_OR_ADMIN, False),
        ({"reader"}, True, PinPolicy.PROJECT_MEMBER_OR_ADMIN, False),
        (set(), True, PinPolicy.PROJECT_MEMBER_OR_ADMIN, False),
    ],
)
def test_who_may_pin(roles: set[str], same_project: bool, policy: PinPolicy, allowed: bool) -> None:
    assert may_pin(frozenset(roles), same_project, policy) is allowed


def test_the_zone_of_a_host_is_that_of_its_aggregates() -> None:
    fast = Aggregate(1, AggregateId("1"), "fast", FrozenMap({"ssd": "true"}), frozenset({H}))
    north = FrozenMap({"availability_zone": "north"})
    zoned = Aggregate(2, AggregateId("2"), "n", north, frozenset({H}))
    assert zone_of_host(H, [fast]) is None
    assert zone_of_host(H, [fast, zoned]) == "north"
    assert zone_of_host(HostName("other"), [fast, zoned]) is None


@pytest.mark.parametrize("name", ["", "a:b", " a", "x" * 256, "a\nb", ":"])
def test_what_no_zone_is_called(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_zone_name(name)
    assert check_zone_name("North 1") == "North 1"
