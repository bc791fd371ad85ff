"""Aggregates, the zones that they make, and instances pinned to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from computekit import compute
from computekit.compute import (
    add_host_to_aggregate,
    create_aggregate,
    delete_aggregate,
    describe_aggregate,
    pin_instance,
    remove_host_from_aggregate,
    rename_aggregate,
    set_host_zone,
    zone_shown,
)
from computekit.errors import AlreadyExists, InUse, InvalidInput, NotFound, StateConflict
from computekit.ids import AggregateId, HostName, InstanceId
from computekit.model import Instance, InstanceState
from computekit.testing.fake_fleet import FakeFleet

A, B = HostName("a"), HostName("b")
NONE = AggregateId("none")


@pytest.fixture(params=["memory", "sqlite"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeFleet]:
    url = None if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    made = FakeFleet(tmp_path / "hosts", url=url)
    yield made
    made.close()


def created(fleet: FakeFleet, name: str, zone: str | None = None) -> Instance:
    instance = fleet.create(name, zone=zone)
    fleet.run()
    return fleet.services.existing(instance)


def zone_of(fleet: FakeFleet, host: HostName) -> str | None:
    row = fleet.services.hosts.host(host)
    assert row is not None
    return row.zone


def test_a_host_is_in_the_zone_of_its_aggregate(fleet: FakeFleet) -> None:
    services = fleet.services
    north = create_aggregate(services, "racks 1-9", zone="north")
    add_host_to_aggregate(services, north.uuid, B)
    add_host_to_aggregate(services, north.uuid, B)
    assert zone_of(fleet, B) == "north"
    assert created(fleet, "one", "north").host == B
    assert created(fleet, "two", "south").host is None


def test_metadata_may_make_a_zone_later_and_end_it(fleet: FakeFleet) -> None:
    services = fleet.services
    plain = create_aggregate(services, "plain", metadata={"ssd": "true"})
    add_host_to_aggregate(services, plain.uuid, A)
    assert zone_of(fleet, A) is None
    describe_aggregate(services, plain.uuid, {"availability_zone": "north"})
    assert zone_of(fleet, A) == "north"
    after = describe_aggregate(services, plain.uuid, {"availability_zone": None, "ssd": None})
    assert dict(after.metadata) == {}
    assert zone_of(fleet, A) is None


def test_a_host_is_in_one_zone(fleet: FakeFleet) -> None:
    services = fleet.services
    north, south = (create_aggregate(services, zone, zone=zone) for zone in ("north", "south"))
    again = create_aggregate(services, "north too", zone="north")
    add_host_to_aggregate(services, north.uuid, A)
    add_host_to_aggregate(services, again.uuid, A)
    with pytest.raises(StateConflict, match="not in south too"):
        add_host_to_aggregate(services, south.uuid, A)
    with pytest.raises(StateConflict, match="not in south too"):
        describe_aggregate(services, again.uuid, {"availability_zone": "south"})
    assert zone_of(fleet, A) == "north"


def test_while_a_host_has_instances_its_zone_stays(fleet: FakeFleet) -> None:
    services = fleet.services
    north = create_aggregate(services, "n", zone="north")
    add_host_to_aggregate(services, north.uuid, A)
    one = created(fleet, "one", "north")
    assert one.host == A
    for change in (
        lambda: describe_aggregate(services, north.uuid, {"availability_zone": "south"}),
        lambda: describe_aggregate(services, north.uuid, {"availability_zone": None}),
        lambda: remove_host_from_aggregate(services, north.uuid, A),
        lambda: set_host_zone(services, A, None),
    ):
        with pytest.raises(InUse, match="1 instance"):
            change()
    assert zone_of(fleet, A) == "north"
    assert rename_aggregate(services, north.uuid, "new").name == "new"
    describe_aggregate(services, north.uuid, {"ssd": "true"})
    compute.delete(services, one.id)
    fleet.run()
    remove_host_from_aggregate(services, north.uuid, A)
    assert zone_of(fleet, A) is None


def test_a_host_with_instances_may_not_come_into_a_zone_either(fleet: FakeFleet) -> None:
    services = fleet.services
    host = created(fleet, "one").host
    assert host is not None
    north = create_aggregate(services, "n", zone="north")
    with pytest.raises(InUse):
        add_host_to_aggregate(services, north.uuid, host)
    (row,) = services.aggregates.aggregates()
    assert row.hosts == frozenset()


def test_an_aggregate_with_hosts_is_not_deleted(fleet: FakeFleet) -> None:
    services = fleet.services
    made = create_aggregate(services, "n")
    add_host_to_aggregate(services, made.uuid, A)
    with pytest.raises(InUse):
        delete_aggregate(services, made.uuid)
    remove_host_from_aggregate(services, made.uuid, A)
    delete_aggregate(services, made.uuid)
    assert services.aggregates.aggregates() == ()


def test_what_is_wrong_with_an_aggregate_is_told_at_once(fleet: FakeFleet) -> None:
    services = fleet.services
    bad = {"": "x", "a\nb": "y", "k": "v" * 256}
    with pytest.raises(InvalidInput) as refused:
        create_aggregate(services, "", zone="a:b", metadata=bad)
    assert len(refused.value.faults) == 5
    with pytest.raises(InvalidInput):
        create_aggregate(services, "n", zone="")
    assert services.aggregates.aggregates() == ()


def test_what_is_not_there(fleet: FakeFleet) -> None:
    services = fleet.services
    made = create_aggregate(services, "n")
    with pytest.raises(AlreadyExists):
        create_aggregate(services, "n")
    for refused in (
        lambda: add_host_to_aggregate(services, made.uuid, HostName("no")),
        lambda: remove_host_from_aggregate(services, made.uuid, A),
        lambda: add_host_to_aggregate(services, NONE, A),
        lambda: delete_aggregate(services, NONE),
        lambda: pin_instance(services, InstanceId("no"), None),
    ):
        with pytest.raises(NotFound):
            refused()


def test_to_put_a_host_into_a_zone_is_to_put_it_into_an_aggregate(fleet: FakeFleet) -> None:
    services = fleet.services
    create_aggregate(services, "south")
    assert set_host_zone(services, A, "north").zone == "north"
    assert set_host_zone(services, B, "north").zone == "north"
    assert set_host_zone(services, A, "south").zone == "south"
    named = {row.name: row.hosts for row in services.aggregates.aggregates()}
    assert named == {"south": frozenset(), "north": {B}, "zone south": {A}}


def test_a_host_that_comes_back_is_in_its_zone(fleet: FakeFleet) -> None:
    set_host_zone(fleet.services, A, "north")
    fleet.restart_agents()
    assert zone_of(fleet, A) == "north"


def test_the_default_zone_is_that_of_hosts_in_none(fleet: FakeFleet) -> None:
    set_host_zone(fleet.services, A, "north")
    one = created(fleet, "one", "nova")
    assert one.host == B
    assert zone_shown(fleet.services, one) == "nova"
    set_host_zone(fleet.services, A, None)


def test_pinned_unpinned_and_pinned_again(fleet: FakeFleet) -> None:
    services = fleet.services
    set_host_zone(services, A, "north")
    one = created(fleet, "one", "north")
    assert pin_instance(services, one.id, "north") == one
    with pytest.raises(StateConflict, match="unpin it first"):
        pin_instance(services, one.id, "south")
    assert pin_instance(services, one.id, None).zone is None
    assert services.existing(one.id).zone is None
    for wrong in ("south", "nova"):
        with pytest.raises(StateConflict, match="in zone north"):
            pin_instance(services, one.id, wrong)
    assert pin_instance(services, one.id, "north").zone == "north"


def test_what_has_no_host_is_not_pinned(fleet: FakeFleet) -> None:
    failed = created(fleet, "one", "nowhere")
    assert failed.state is InstanceState.ERROR
    assert zone_shown(fleet.services, failed) is None
    assert pin_instance(fleet.services, failed.id, None).zone is None
    with pytest.raises(StateConflict, match="without a host"):
        pin_instance(fleet.services, failed.id, "nova")
    compute.delete(fleet.services, failed.id)
    fleet.run()
    with pytest.raises(StateConflict, match="deleted"):
        pin_instance(fleet.services, failed.id, None)


def test_while_something_is_under_way_one_may_unpin_only(fleet: FakeFleet) -> None:
    services = fleet.services
    one = created(fleet, "one")
    compute.stop(services, one.id)
    with pytest.raises(StateConflict, match="at rest"):
        pin_instance(services, one.id, "nova")
    assert pin_instance(services, one.id, None).zone is None
    fleet.run()
    assert pin_instance(services, one.id, "nova").zone == "nova"
