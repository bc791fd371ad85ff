"""Hosts that are disabled, enabled and put into zones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from computekit import compute
from computekit.compute import disable_host, enable_host, mark_absent, set_host_zone
from computekit.errors import InUse, InvalidInput, NotFound
from computekit.ids import HostName
from computekit.testing.fake_fleet import FakeFleet

A, B = HostName("a"), HostName("b")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    made = FakeFleet(tmp_path)
    yield made
    made.close()


def created(fleet: FakeFleet, name: str, zone: str | None = None) -> HostName | None:
    """Return where a new instance went, or None."""
    instance = fleet.create(name, zone=zone)
    fleet.run()
    return fleet.services.existing(instance).host


def test_nothing_goes_to_a_host_that_is_disabled(fleet: FakeFleet) -> None:
    for host in (A, B):
        assert disable_host(fleet.services, host, "new firmware").disabled == "new firmware"
    assert created(fleet, "one") is None
    assert enable_host(fleet.services, B).disabled is None
    assert created(fleet, "two") == B


def test_instances_stay_on_a_host_that_is_disabled(fleet: FakeFleet) -> None:
    host = created(fleet, "one")
    assert host is not None
    disable_host(fleet.services, host, "new firmware")
    (instance,) = fleet.services.instances.instances()
    assert instance.host == host
    compute.stop(fleet.services, instance.id)
    fleet.run()
    compute.start(fleet.services, instance.id)
    fleet.run()
    assert fleet.services.existing(instance.id).state.value == "active"


def test_a_zone_is_found_once_a_host_is_in_it(fleet: FakeFleet) -> None:
    assert created(fleet, "one", "north") is None
    set_host_zone(fleet.services, B, "north")
    assert created(fleet, "two", "north") == B


def test_a_host_with_instances_stays_in_its_zone(fleet: FakeFleet) -> None:
    set_host_zone(fleet.services, A, "north")
    assert created(fleet, "one", "north") == A
    for zone in ("south", None):
        with pytest.raises(InUse, match=r"by 1 instance$"):
            set_host_zone(fleet.services, A, zone)
    assert set_host_zone(fleet.services, A, "north").zone == "north"
    (instance,) = fleet.services.instances.instances()
    compute.delete(fleet.services, instance.id)
    fleet.run()
    assert set_host_zone(fleet.services, A, None).zone is None


def test_what_an_operator_said_outlives_the_agent(fleet: FakeFleet) -> None:
    disable_host(fleet.services, A, "new firmware")
    set_host_zone(fleet.services, A, "north")
    mark_absent(fleet.services, frozenset())
    row = fleet.services.hosts.host(A)
    assert row is not None
    assert (row.up, row.disabled, row.zone) == (False, "new firmware", "north")


def test_a_host_that_is_not_there(fleet: FakeFleet) -> None:
    none = HostName("none")
    with pytest.raises(NotFound):
        enable_host(fleet.services, none)
    with pytest.raises(NotFound):
        disable_host(fleet.services, none, "x")
    with pytest.raises(NotFound):
        set_host_zone(fleet.services, none, "x")


@pytest.mark.parametrize("text", ["", " x", "a\nb", "x" * 256])
def test_words_that_nobody_could_read(fleet: FakeFleet, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        disable_host(fleet.services, A, text)
    assert {fault.path for fault in refused.value.faults} == {"reason"}
    with pytest.raises(InvalidInput) as refused:
        set_host_zone(fleet.services, A, text)
    assert {fault.path for fault in refused.value.faults} == {"zone"}
