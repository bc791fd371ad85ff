"""Every operation on instances, under the laws of operations."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from computekit import compute
from computekit.compute import operation_kinds
from computekit.ids import OperationId
from computekit.model import InstanceState
from computekit.testing.fake_fleet import FakeFleet
from computekit.testing.operation_laws import OperationLaws
from computekit.testing.operation_world import OperationCase, Snapshot, World
from computekit.units import Seconds

VICTIM = "victim"


def snapshot(fleet: FakeFleet) -> Snapshot:
    """Return books and hosts by the names of instances."""
    rows = fleet.services.instances.instances(deleted=True)
    names = {row.id: row.name for row in rows}
    return {
        "instances": {row.name: (row.state, row.host) for row in rows},
        "used": {
            use.provider.name: dict(use.used)
            for use in fleet.services.placement.uses()
            if any(use.used.values())
        },
        "domains": {
            (host, names[domain.mark.instance]): domain.state
            for host, hypervisor in fleet.hypervisors.items()
            for domain in hypervisor.domains()
        },
        "files": {
            (host, names[one])
            for host, hypervisor in fleet.hypervisors.items()
            for one in hypervisor.instances()
        },
    }


def failed_create(before: Snapshot) -> Snapshot:
    instances = before["instances"]
    assert isinstance(instances, dict)
    return {**before, "instances": {**instances, VICTIM: (InstanceState.ERROR, None)}}


def submit(word: str, fleet: FakeFleet) -> OperationId:
    services = fleet.services
    if word == "create":
        live = services.journal.live(fleet.create(VICTIM))
        assert live is not None
        return live.id
    (row,) = services.instances.instances()
    match word:
        case "delete":
            return compute.delete(services, row.id).id
        case "start":
            return compute.start(services, row.id).id
        case "stop":
            return compute.stop(services, row.id).id
        case _:
            return compute.reboot(services, row.id, hard=word == "reboot-hard").id


@pytest.fixture(params=["create", "delete", "start", "stop", "reboot-soft", "reboot-hard"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> OperationCase:
    word = str(request.param)
    numbers = itertools.count()

    def make(passed: Callable[[str], None]) -> World:
        directory = tmp_path / str(next(numbers))
        directory.mkdir()
        fleet = FakeFleet(directory, passed=passed)
        if word != "create":
            instance = fleet.create(VICTIM)
            fleet.run()
            if word == "start":
                compute.stop(fleet.services, instance, Seconds(0.0))
                fleet.run()
        return World(
            store=fleet.store,
            journal=fleet.journal,
            kinds=operation_kinds(fleet.services),
            clock=fleet.clock,
            submit=lambda: submit(word, fleet),
            snapshot=lambda: snapshot(fleet),
            undone=failed_create if word == "create" else lambda before: before,
            restart=fleet.restart_agents,
        )

    return make


class TestComputeLaws(OperationLaws):
    """All operations but those that only read."""
