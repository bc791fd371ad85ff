"""Rules of a policy in the running service: what instances make of hosts, and where others are."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.errors import InvalidInput
from computekit.ids import HostName
from computekit.model import FrozenMap, Instance, InstanceState
from computekit.scheduler import (
    IoOpsFilter,
    NumInstancesFilter,
    Policy,
    image_property_figure,
    nova_policy,
)
from computekit.testing.fake_fleet import SMALL, FakeFleet


def fleet_with(policy: Policy, tmp_path: Path, kind: str) -> FakeFleet:
    url = None if kind == "memory" else f"sqlite:///{tmp_path}/store.db"
    return FakeFleet(tmp_path / "hosts", url=url, policy=policy)


@pytest.fixture(params=["memory", "sqlite"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeFleet]:
    policy = nova_policy([NumInstancesFilter(1), IoOpsFilter(1)])
    made = fleet_with(policy, tmp_path, request.param)
    yield made
    made.close()


def created(fleet: FakeFleet, name: str) -> Instance:
    instance = fleet.create(name)
    fleet.run()
    return fleet.services.existing(instance)


def test_a_host_takes_as_many_instances_as_it_may_have(fleet: FakeFleet) -> None:
    first, second = created(fleet, "one"), created(fleet, "two")
    assert {first.host, second.host} == {"a", "b"}
    third = created(fleet, "three")
    assert third.state is InstanceState.ERROR
    error = fleet.journal.history(third.id)[-1].error
    assert isinstance(error, str)
    assert "2 fail instances below 1" in error
    compute.delete(fleet.services, first.id)
    fleet.run()
    assert created(fleet, "four").host == first.host


def test_figures_follow_what_becomes_of_instances(fleet: FakeFleet) -> None:
    index = fleet.services.scheduler.index

    def figures(host: str) -> tuple[float | None, float | None]:
        index.refresh()
        row = index.row(HostName(host))
        assert row is not None
        return index.figures.of("instances", row), index.figures.of("io_ops", row)

    assert figures("a") == (0.0, 0.0)
    one = created(fleet, "one")
    assert one.host is not None
    assert figures(one.host) == (1.0, 0.0)
    building = attrs.evolve(one, state=InstanceState.BUILDING)
    instances = fleet.services.instances
    fleet.store.write(lambda tx: instances.change_instance(tx, one, building))
    assert figures(one.host) == (1.0, 1.0)
    windows = FrozenMap({"os_type": "windows"})
    other = attrs.evolve(building, image=attrs.evolve(one.image, properties=windows), epoch=9)
    fleet.store.write(lambda tx: instances.change_instance(tx, building, other))
    row = index.row(one.host)
    assert row is not None
    compute.delete(fleet.services, one.id)
    fleet.run()
    assert figures(one.host) == (0.0, 0.0)
    assert index.figures.of(image_property_figure("os_type", "windows"), row) is None


def test_what_rules_cannot_read_is_refused_at_once(tmp_path: Path) -> None:
    fleet = fleet_with(nova_policy(), tmp_path, "memory")
    flavor = attrs.evolve(
        SMALL, extra_specs=FrozenMap({"capabilities:host": "<or>", "hw:cpu_policy": "odd"})
    )
    with pytest.raises(InvalidInput) as error:
        fleet.create("one", flavor)
    assert {fault.path for fault in error.value.faults} == {
        "flavor.extra_specs[capabilities:host]",
        "flavor.extra_specs[hw:cpu_policy]",
    }
    fleet.close()
