"""What every keeper of instances must do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import attrs
import pytest

from computekit.compute import InstanceWriter
from computekit.errors import AlreadyExists, GenerationConflict, NotFound
from computekit.guest import DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import (
    FlavorId,
    HostName,
    ImageId,
    InstanceId,
    ProjectId,
    ServerGroupId,
    UserId,
)
from computekit.model import Flavor, FrozenMap, Image, Instance, InstanceState
from computekit.scheduler import LOAD_CHANGED, LoadReader, image_property_figure
from computekit.units import Bytes, Gib, Mib, Seconds
from computekit.work import Store, Tx

__all__ = ["InstanceBench", "InstanceLaws", "LoadingInstances", "example_instance"]


class LoadingInstances(InstanceWriter, LoadReader, Protocol):
    """A keeper of instances that says what they make of hosts."""


@attrs.frozen
class InstanceBench:
    """A keeper of instances and the store that it writes in."""

    store: Store
    instances: LoadingInstances


def example_instance(name: str, created_s: float = 1.0) -> Instance:
    """Return an instance whose id is made of its name."""
    return Instance(
        id=InstanceId(f"id-of-{name}"),
        name=name,
        project=ProjectId("p"),
        user=UserId("u"),
        flavor=Flavor(
            FlavorId("f"), "f", 1, Mib(64), Gib(1), extra_specs=FrozenMap({"hw:x": "<&>"})
        ),
        image=Image(ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "00"),
        state=InstanceState.BUILDING,
        created_s=Seconds(created_s),
        hints=FrozenMap({"group": ("g",)}),
    )


GUEST = GuestConfig(
    "x86_64", "q35", Firmware.UEFI, 1, Mib(64), (GuestDisk(DiskRole.ROOT, Bytes(1)),)
)


class InstanceLaws(ABC):
    """Subclass it with `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[InstanceBench]:
        """Make an empty keeper of instances."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[InstanceBench]:
        with self.open(tmp_path) as bench:
            yield bench

    def add(self, bench: InstanceBench, *rows: Instance) -> None:
        def write(tx: Tx) -> None:
            for row in rows:
                bench.instances.add_instance(tx, row)

        bench.store.write(write)

    def test_an_instance_is_read_as_it_was_written(self, bench: InstanceBench) -> None:
        row = example_instance("a")
        self.add(bench, row)
        assert bench.instances.instance(row.id) == row
        assert bench.instances.instance(InstanceId("none")) is None

    def test_an_id_is_taken_once(self, bench: InstanceBench) -> None:
        self.add(bench, example_instance("a"))
        with pytest.raises(AlreadyExists):
            self.add(bench, example_instance("a", 2.0))

    def test_they_are_listed_by_age_and_by_what_is_asked(self, bench: InstanceBench) -> None:
        young, old = example_instance("young", 9.0), example_instance("old", 1.0)
        there = attrs.evolve(example_instance("there", 5.0), host=HostName("h"))
        gone = attrs.evolve(example_instance("gone", 6.0), state=InstanceState.DELETED)
        self.add(bench, young, gone, there, old)
        assert bench.instances.instances() == (old, there, young)
        assert bench.instances.instances(deleted=True) == (old, there, gone, young)
        assert bench.instances.instances(host=HostName("h")) == (there,)
        assert bench.instances.instances(name="young") == (young,)
        assert bench.instances.instances(name="none") == ()

    def test_a_change_needs_the_row_as_it_was(self, bench: InstanceBench) -> None:
        before = example_instance("a")
        self.add(bench, before)
        after = attrs.evolve(before, state=InstanceState.ACTIVE, host=HostName("h"), epoch=1)
        bench.store.write(lambda tx: bench.instances.change_instance(tx, before, after))
        assert bench.instances.instance(before.id) == after
        with pytest.raises(GenerationConflict) as caught:
            bench.store.write(lambda tx: bench.instances.change_instance(tx, before, after))
        assert (caught.value.expected, caught.value.actual) == (0, 1)
        stranger = example_instance("stranger")
        with pytest.raises(GenerationConflict):
            bench.store.write(lambda tx: bench.instances.change_instance(tx, stranger, stranger))

    def test_what_somebody_else_changed_meanwhile_stays(self, bench: InstanceBench) -> None:
        before = attrs.evolve(example_instance("a"), zone="z")
        self.add(bench, before)
        unpinned = attrs.evolve(before, zone=None, name="b")
        bench.store.write(lambda tx: bench.instances.change_instance(tx, before, unpinned))
        placed = attrs.evolve(before, host=HostName("h"), epoch=1)
        bench.store.write(lambda tx: bench.instances.change_instance(tx, before, placed))
        expected = attrs.evolve(unpinned, host=HostName("h"), epoch=1)
        assert bench.instances.instance(before.id) == expected

    def test_a_guest_is_kept_beside_it(self, bench: InstanceBench) -> None:
        row = example_instance("a")
        self.add(bench, row)
        assert bench.instances.guest(row.id) is None
        bench.store.write(lambda tx: bench.instances.put_guest(tx, row.id, GUEST))
        assert bench.instances.guest(row.id) == GUEST
        assert bench.instances.instance(row.id) == row

    def test_an_instance_is_forgotten(self, bench: InstanceBench) -> None:
        row, other = example_instance("a"), example_instance("other", 2.0)
        self.add(bench, row, other)
        bench.store.write(lambda tx: bench.instances.put_guest(tx, row.id, GUEST))

        def fail(tx: Tx) -> None:
            bench.instances.remove_instance(tx, row.id)
            raise NotFound("thing", "x")

        with pytest.raises(NotFound):
            bench.store.write(fail)
        assert bench.instances.instance(row.id) == row
        assert bench.instances.guest(row.id) == GUEST
        for _ in range(2):
            bench.store.write(lambda tx: bench.instances.remove_instance(tx, row.id))
        assert bench.instances.instances(deleted=True) == (other,)
        assert bench.instances.guest(row.id) is None

    def test_nothing_of_a_failed_transaction_remains(self, bench: InstanceBench) -> None:
        row, new = example_instance("a"), example_instance("new")
        self.add(bench, row)

        def write(tx: Tx) -> None:
            bench.instances.add_instance(tx, new)
            bench.instances.change_instance(tx, row, attrs.evolve(row, epoch=7))
            bench.instances.put_guest(tx, row.id, GUEST)
            raise NotFound("thing", "x")

        with pytest.raises(NotFound):
            bench.store.write(write)
        assert bench.instances.instances(deleted=True) == (row,)
        assert bench.instances.guest(row.id) is None

    def test_members_of_a_group_are_found(self, bench: InstanceBench) -> None:
        one, other = example_instance("a", 1.0), example_instance("b", 2.0)
        alone = attrs.evolve(example_instance("c"), hints=FrozenMap())
        assert (one.group, alone.group) == (ServerGroupId("g"), None)

        def write(tx: Tx) -> None:
            for instance in (other, one, alone):
                bench.instances.add_instance(tx, instance)

        bench.store.write(write)
        found = bench.instances.instances(group=ServerGroupId("g"))
        assert [row.id for row in found] == [one.id, other.id]
        gone = attrs.evolve(one, state=InstanceState.DELETED)
        bench.store.write(lambda tx: bench.instances.change_instance(tx, one, gone))
        assert bench.instances.instances(group=ServerGroupId("g")) == (other,)
        assert bench.instances.instances(group=ServerGroupId("h")) == ()

    def test_what_instances_make_of_a_host_is_counted(self, bench: InstanceBench) -> None:
        image = attrs.evolve(example_instance("x").image, properties=FrozenMap({"os": "linux"}))
        here = attrs.evolve(example_instance("a"), host=HostName("h"), image=image)
        up = attrs.evolve(example_instance("b"), host=HostName("h"), state=InstanceState.ACTIVE)
        there = attrs.evolve(example_instance("c"), host=HostName("i"), image=image)
        gone = attrs.evolve(
            example_instance("d"), host=HostName("i"), state=InstanceState.DELETED, image=image
        )
        self.add(bench, here, up, there, gone, example_instance("nowhere"))
        linux = image_property_figure("os", "linux")
        at_h = {"instances": 2.0, "io_ops": 1.0, linux: 1.0}
        at_i = {"instances": 1.0, "io_ops": 1.0, linux: 1.0}
        assert bench.instances.loads() == {"h": at_h, "i": at_i}
        asked = frozenset(map(HostName, ("i", "none")))
        assert bench.instances.loads(asked) == {"i": at_i}
        assert bench.instances.loads(frozenset()) == {}

    def test_replicas_hear_where_instances_come_and_go(self, bench: InstanceBench) -> None:
        def heard(write: Callable[[Tx], None]) -> set[str]:
            head = bench.store.head()
            bench.store.write(write)
            news = bench.store.changes(head)
            assert news is not None
            assert all(change.kind == LOAD_CHANGED for change in news.changes)
            return {change.key for change in news.changes}

        def change(before: Instance, after: Instance) -> Callable[[Tx], None]:
            return lambda tx: bench.instances.change_instance(tx, before, after)

        new = example_instance("a")
        placed = attrs.evolve(new, host=HostName("h"), epoch=1)
        up = attrs.evolve(placed, state=InstanceState.ACTIVE)
        moved = attrs.evolve(up, host=HostName("i"), epoch=2)
        assert heard(lambda tx: bench.instances.add_instance(tx, new)) == set()
        assert heard(change(new, placed)) == {"h"}
        assert heard(change(placed, placed)) == set()
        assert heard(change(placed, up)) == {"h"}
        assert heard(change(up, moved)) == {"h", "i"}
        assert heard(lambda tx: bench.instances.remove_instance(tx, new.id)) == {"i"}
        assert heard(lambda tx: bench.instances.remove_instance(tx, new.id)) == set()
