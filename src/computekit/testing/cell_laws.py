"""What every `CellWriter` keeps, as tests to subclass."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.errors import CellsTaken
from computekit.ids import ConsumerId, HostName
from computekit.scheduler.cells import CELLS_CHANGED, CellHold, CellWriter, claim_cells, with_holds
from computekit.testing.host_laws import example_host
from computekit.topology import GuestNode, GuestTopology, HostNode, HostTopology, PageStock
from computekit.units import Kib, Mib
from computekit.work import Change, Store, Tx

__all__ = ["CellBench", "CellLaws"]

A, B = HostName("a"), HostName("b")
GUEST = GuestTopology(
    (GuestNode(Mib(512), frozenset({0, 1})), GuestNode(Mib(512), frozenset({2}), frozenset({3})))
)
HOST = HostTopology(
    tuple(
        HostNode(
            id=n,
            dedicated=frozenset({4 * n, 4 * n + 1}),
            shared=frozenset({4 * n + 3}),
            memory_mib=Mib(2048),
            pages=(PageStock(Kib(4), 524_288), PageStock(Kib(2048), 512)),
        )
        for n in range(2)
    )
)


@attrs.frozen
class CellBench:
    """An empty implementation and the store that it writes in."""

    store: Store
    cells: CellWriter

    def hold(self, *holds: CellHold) -> None:
        """Write holds in a transaction of its own."""
        self.store.write(lambda tx: self.cells.hold_cells(tx, holds))

    def release(self, consumer: str, host: HostName | None = None) -> None:
        """Give back in a transaction of its own."""
        self.store.write(lambda tx: self.cells.release_cells(tx, ConsumerId(consumer), host))

    def claim(self, consumer: str) -> None:
        """Claim room for a guest in a transaction of its own."""
        host = attrs.evolve(example_host(A), topology=HOST)
        self.store.write(lambda tx: claim_cells(tx, self.cells, host, ConsumerId(consumer), GUEST))


def _hold(consumer: str, node: int, *cpus: int, host: HostName = A) -> CellHold:
    return CellHold(ConsumerId(consumer), host, node, frozenset(cpus), 2, Mib(256), Kib(2048))


class CellLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[CellBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[CellBench]:
        with self.open(tmp_path) as bench:
            yield bench

    def test_what_is_held_is_read_by_host_consumer_and_node(self, bench: CellBench) -> None:
        mine, yours = _hold("y", 0, 0, 1), _hold("x", 1)
        bench.hold(mine, _hold("y", 1, 4), _hold("y", 0, 0, host=B))
        bench.hold(yours)
        assert [(h.host, h.consumer, h.node) for h in bench.cells.cell_holds()] == [
            ("a", "x", 1),
            ("a", "y", 0),
            ("a", "y", 1),
            ("b", "y", 0),
        ]
        assert bench.cells.cell_holds(frozenset({A}))[:2] == (yours, mine)
        assert bench.cells.cell_holds(frozenset({HostName("none")})) == ()

    def test_no_cpu_has_two_owners(self, bench: CellBench) -> None:
        bench.hold(_hold("x", 0, 0, 1))
        with pytest.raises(CellsTaken, match="CPUs 1 of node 0"):
            bench.hold(_hold("y", 1, 4), _hold("y", 0, 1, 2))
        assert len(bench.cells.cell_holds()) == 1
        bench.hold(_hold("y", 0, 1, host=B))

    def test_a_consumer_has_one_part_of_a_node(self, bench: CellBench) -> None:
        bench.hold(_hold("x", 0, 0))
        with pytest.raises(CellsTaken, match="already"):
            bench.hold(_hold("x", 0, 1))

    def test_what_is_given_back_is_free(self, bench: CellBench) -> None:
        bench.hold(_hold("x", 0, 0), _hold("x", 0, 0, host=B))
        bench.hold(_hold("y", 0, 1))
        bench.release("x", B)
        assert [(h.host, h.consumer) for h in bench.cells.cell_holds()] == [("a", "x"), ("a", "y")]
        bench.release("x")
        bench.release("x")
        assert [h.consumer for h in bench.cells.cell_holds()] == ["y"]

    def test_replicas_hear_of_the_host(self, bench: CellBench) -> None:
        before = bench.store.head()
        bench.hold(_hold("x", 0, 0))
        bench.release("x")
        bench.release("x")
        assert bench.store.head() == before + 2
        news = bench.store.changes(before)
        assert news is not None
        assert news.changes == {Change(CELLS_CHANGED, A)}

    def test_a_claim_takes_what_the_guest_needs_and_no_more_than_there_is(
        self, bench: CellBench
    ) -> None:
        bench.claim("x")
        left = with_holds(HOST, bench.cells.cell_holds())
        assert sum(len(node.pinned) for node in left.nodes) == 3
        assert [node.memory_used_mib for node in left.nodes] == [512, 512]
        assert sum(node.floating for node in left.nodes) == 1
        with pytest.raises(CellsTaken, match="no room"):
            bench.claim("y")
        bench.release("x")
        bench.claim("y")
        assert with_holds(HOST, ()) == HOST
        owners = {hold.consumer for hold in bench.cells.cell_holds()}
        assert owners == {ConsumerId("y")}

    def test_a_transaction_that_fails_takes_nothing(self, bench: CellBench) -> None:
        def write(tx: Tx) -> None:
            bench.cells.hold_cells(tx, (_hold("x", 0, 0),))
            raise RuntimeError("no")

        with pytest.raises(RuntimeError):
            bench.store.write(write)
        assert bench.cells.cell_holds() == ()
