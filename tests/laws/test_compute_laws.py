"""Every operation on instances, under the laws of operations."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.clock import SystemClock
from computekit.compute import operation_kinds
from computekit.ids import ConsumerId, HostName, InstanceId, OperationId
from computekit.model import InstanceState
from computekit.store import SqlStore
from computekit.testing.fake_fleet import FakeFleet
from computekit.testing.operation_laws import OperationLaws
from computekit.testing.operation_world import OperationCase, Snapshot, World
from computekit.units import Seconds
from computekit.work import Tx

VICTIM = "victim"
HOST = HostName("a")
WORDS = (
    "create",
    "delete",
    "start",
    "stop",
    "reboot-soft",
    "reboot-hard",
    "observe",
    "remove_orphan",
)


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
        case "observe":
            operation = compute.observe(services, row.id)
            assert operation is not None
            return operation.id
        case "remove_orphan":
            operation = compute.remove_orphan(services, HOST, row.id)
            assert operation is not None
            return operation.id
        case _:
            return compute.reboot(services, row.id, hard=word == "reboot-hard").id


def leave(fleet: FakeFleet, instance: InstanceId) -> None:
    """Let the books say that the instance has no place, as if its host had not answered."""
    row = fleet.services.existing(instance)
    gone = attrs.evolve(row, state=InstanceState.ERROR, host=None, epoch=row.epoch + 1)

    def write(tx: Tx) -> None:
        fleet.services.placement.release(tx, ConsumerId(instance))
        fleet.services.instances.change_instance(tx, row, gone)

    fleet.store.write(write)


def prepare(word: str, fleet: FakeFleet) -> None:
    if word == "create":
        return
    instance = fleet.create(VICTIM)
    fleet.run()
    if word == "start":
        compute.stop(fleet.services, instance, Seconds(0.0))
        fleet.run()
    elif word == "observe":
        fleet.hypervisors[HOST].power_off_guest(instance)
    elif word == "remove_orphan":
        leave(fleet, instance)


def worlds(word: str, books: Path | None = None) -> Iterator[OperationCase]:
    """Yield what makes worlds; one at a time, for each has files.

    They are in memory where there is such a place: thousands of them are synchronised.
    """
    memory = Path("/dev/shm")  # a place, not a name in it
    with ExitStack() as stack:
        place = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        directory = Path(stack.enter_context(place))
        yield partial(world, word, directory, books, stack.enter_context(ExitStack()))


def world(
    word: str,
    directory: Path,
    books: Path | None,
    last: ExitStack,
    passed: Callable[[str], None],
) -> World:
    last.close()
    here = Path(tempfile.mkdtemp(dir=directory))
    url = None if books is None else f"sqlite:///{shutil.copy(books, here)}"
    fleet = FakeFleet(here, passed=passed, url=url)
    last.callback(shutil.rmtree, here)
    last.callback(fleet.close)
    prepare(word, fleet)
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


class TestComputeLaws(OperationLaws):
    """All operations but those that only read."""

    @pytest.fixture(params=WORDS)
    def case(self, request: pytest.FixtureRequest) -> Iterator[OperationCase]:
        yield from worlds(str(request.param))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, to be copied: making one takes longer than all that is done with it."""
    path = tmp_path_factory.mktemp("books") / "books.db"
    SqlStore(f"sqlite:///{path}", SystemClock(), random.Random(1)).close()
    return path


class TestComputeLawsOnSqlite(OperationLaws):
    """Those that write the most of the books, with everything in one database."""

    @pytest.fixture(params=["create", "delete", "remove_orphan"])
    def case(self, request: pytest.FixtureRequest, books: Path) -> Iterator[OperationCase]:
        yield from worlds(str(request.param), books)
