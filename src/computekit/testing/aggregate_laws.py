"""What every `AggregateWriter` keeps, as tests to subclass."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.errors import AlreadyExists, InUse, NotFound
from computekit.ids import AggregateId, HostName
from computekit.model import Aggregate, FrozenMap
from computekit.scheduler.aggregates import AGGREGATE_CHANGED, AggregateWriter
from computekit.work import Change, Store, Tx

__all__ = ["AggregateBench", "AggregateLaws"]


@attrs.frozen
class AggregateBench:
    """An empty implementation and the store that it writes in."""

    store: Store
    aggregates: AggregateWriter

    def create(self, uuid: str, name: str, **metadata: str) -> Aggregate:
        """Make an aggregate in a transaction of its own."""
        return self.store.write(
            lambda tx: self.aggregates.create_aggregate(
                tx, AggregateId(uuid), name, FrozenMap(metadata)
            )
        )

    def put(self, aggregate: Aggregate) -> None:
        """Replace an aggregate in a transaction of its own."""
        self.store.write(lambda tx: self.aggregates.put_aggregate(tx, aggregate))

    def delete(self, uuid: str) -> None:
        """Remove an aggregate in a transaction of its own."""
        self.store.write(lambda tx: self.aggregates.delete_aggregate(tx, AggregateId(uuid)))


def _hosts(*names: str) -> frozenset[HostName]:
    return frozenset(map(HostName, names))


class AggregateLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[AggregateBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[AggregateBench]:
        with self.open(tmp_path) as bench:
            yield bench

    def test_what_is_said_of_a_host_is_read_at_once(self, bench: AggregateBench) -> None:
        for uuid, hosts in (("u0", ("a", "b")), ("u1", ("b",)), ("u2", ())):
            made = bench.create(uuid, f"name of {uuid}", rack=uuid)
            bench.put(attrs.evolve(made, hosts=_hosts(*hosts)))
        first, second = FrozenMap({"rack": "u0"}), FrozenMap({"rack": "u1"})
        assert bench.aggregates.metadata_of(HostName("b")) == (first, second)
        assert bench.aggregates.metadata_of(HostName("a")) == (first,)
        assert bench.aggregates.metadata_of(HostName("c")) == ()

    def test_an_aggregate_is_read_as_it_was_written(self, bench: AggregateBench) -> None:
        plain = bench.create("u1", "plain")
        other = bench.create("u0", "z\u00fcrich", availability_zone="z", ssd="")
        assert (plain.name, plain.metadata, plain.hosts) == ("plain", FrozenMap(), frozenset())
        assert plain.id < other.id
        full = attrs.evolve(other, hosts=_hosts("a", "b"))
        bench.put(full)
        assert bench.aggregates.aggregate(plain.uuid) == plain
        assert bench.aggregates.aggregate(full.uuid) == full
        assert bench.aggregates.aggregates() == (plain, full)
        assert bench.aggregates.aggregates(frozenset({full.uuid, AggregateId("no")})) == (full,)
        assert bench.aggregates.aggregates(frozenset()) == ()
        assert bench.aggregates.aggregate(AggregateId("no")) is None

    def test_hosts_come_and_go_and_belong_to_several(self, bench: AggregateBench) -> None:
        one, two = bench.create("u1", "one"), bench.create("u2", "two")
        for hosts in (_hosts("a", "b"), _hosts("b", "c"), _hosts()):
            for aggregate in (one, two):
                bench.put(attrs.evolve(aggregate, hosts=hosts))
                found = bench.aggregates.aggregate(aggregate.uuid)
                assert found is not None
                assert found.hosts == hosts

    def test_name_and_metadata_are_replaced(self, bench: AggregateBench) -> None:
        made = bench.create("u1", "one", a="1", b="2")
        changed = attrs.evolve(made, name="other", metadata=FrozenMap({"b": "3"}))
        bench.put(changed)
        assert bench.aggregates.aggregates() == (changed,)
        bench.create("u2", "one")

    def test_a_number_is_never_given_twice(self, bench: AggregateBench) -> None:
        first = bench.create("u1", "one")
        bench.delete("u1")
        assert bench.create("u1", "one").id > first.id

    def test_names_and_uuids_are_unique(self, bench: AggregateBench) -> None:
        bench.create("u1", "one")
        two = bench.create("u2", "two")
        refused: tuple[tuple[Callable[[], object], str], ...] = (
            (lambda: bench.create("u1", "three"), "aggregate"),
            (lambda: bench.create("u3", "one"), "aggregate name"),
            (lambda: bench.put(attrs.evolve(two, name="one")), "aggregate name"),
        )
        for attempt, kind in refused:
            with pytest.raises(AlreadyExists) as error:
                attempt()
            assert error.value.kind == kind
        assert [found.name for found in bench.aggregates.aggregates()] == ["one", "two"]

    def test_what_is_not_there_cannot_be_replaced_and_need_not_be_removed(
        self, bench: AggregateBench
    ) -> None:
        with pytest.raises(NotFound):
            bench.put(Aggregate(1, AggregateId("u1"), "one"))
        bench.delete("u1")

    def test_one_that_has_hosts_stays(self, bench: AggregateBench) -> None:
        made = bench.create("u1", "one")
        bench.put(attrs.evolve(made, hosts=_hosts("a")))
        with pytest.raises(InUse) as error:
            bench.delete("u1")
        assert error.value.by == "host a"
        bench.put(made)
        bench.delete("u1")
        assert bench.aggregates.aggregates() == ()

    def test_replicas_hear_of_differences_only(self, bench: AggregateBench) -> None:
        start = bench.store.head()
        made = bench.create("u1", "one")
        assert bench.store.head() == start + 1
        bench.put(made)
        bench.delete("other")
        assert bench.store.head() == start + 1
        bench.put(attrs.evolve(made, hosts=_hosts("a")))
        bench.put(made)
        bench.delete("u1")
        news = bench.store.changes(start)
        assert news is not None
        assert news.head == start + 4
        assert news.changes == {Change(AGGREGATE_CHANGED, "u1")}

    def test_a_transaction_sees_what_it_wrote_and_takes_all_of_it_back(
        self, bench: AggregateBench
    ) -> None:
        def write(tx: Tx) -> None:
            made = bench.aggregates.create_aggregate(tx, AggregateId("u1"), "one")
            bench.aggregates.put_aggregate(tx, attrs.evolve(made, hosts=_hosts("a")))
            with pytest.raises(InUse):
                bench.aggregates.delete_aggregate(tx, made.uuid)
            raise NotFound("anything", "at all")

        with pytest.raises(NotFound):
            bench.store.write(write)
        assert bench.aggregates.aggregates() == ()

    def test_many_are_asked_for_at_once(self, bench: AggregateBench) -> None:
        def write(tx: Tx) -> None:
            for n in range(1200):
                bench.aggregates.create_aggregate(tx, AggregateId(f"u{n}"), f"n{n}")

        bench.store.write(write)
        uuids = frozenset(AggregateId(f"u{n}") for n in range(1200))
        assert bench.aggregates.aggregates(uuids) == bench.aggregates.aggregates()
