"""Processes on one database see each other's commits at once, all of them, in one order."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from computekit.clock import SystemClock
from computekit.ids import ConsumerId, ProviderId
from computekit.model import VCPU, ProviderTree
from computekit.placement import PROVIDER_CHANGED, LocalPlacement
from computekit.store import open_placement
from computekit.testing.placement_bench import example_claim, example_tree
from computekit.work import Change
from tests.real.postgresql import running

pytestmark = pytest.mark.real

SCRIPT = Path(__file__).with_name("neighbour.py")
ROUNDS = 300
JOIN_S = 20.0


class Neighbour:
    """Another process on the same database."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.answer()

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=JOIN_S)


def put(placement: LocalPlacement, tree: ProviderTree) -> None:
    placement.store.write(lambda tx: placement.books.put_tree(tx, tree))


@contextmanager
def street(directory: Path, database: str) -> Iterator[tuple[LocalPlacement, Neighbour]]:
    """Give a placement and a neighbour on the same database."""
    with ExitStack() as stack:
        if database == "sqlite":
            url = f"sqlite:///{directory}/store.db"
        else:
            url = stack.enter_context(running()).url(directory)
        placement = stack.enter_context(open_placement(url, SystemClock(), random.Random(1)))
        neighbour = Neighbour(url)
        stack.callback(neighbour.end)
        yield placement, neighbour


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_reader_is_never_behind_another_process(tmp_path: Path, database: str) -> None:
    with street(tmp_path, database) as (placement, neighbour):
        put(placement, example_tree("h", vcpu=10_000))
        for n in range(0, ROUNDS, 2):
            placement.claim(example_claim(f"a{n}", {"h": {VCPU: 1}}))
            assert neighbour.ask("see h") == f"{n + 1} {n + 1}"
            assert neighbour.ask(f"claim b{n} h") == "claimed"
            (node,) = placement.providers(name="host h")
            assert node.generation == n + 2
            assert placement.provider(node.id).used[VCPU] == n + 2


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_writer_that_stops_before_its_commit_loses_no_change(
    tmp_path: Path, database: str
) -> None:
    with street(tmp_path, database) as (placement, neighbour):
        for name in ("h", "k"):
            put(placement, example_tree(name))
        head = placement.store.head()
        assert neighbour.ask("pause a h") == "stopping"
        writing = threading.Thread(
            target=placement.claim, args=(example_claim("b", {"k": {VCPU: 1}}),), daemon=True
        )
        writing.start()
        # A reader that comes by meanwhile sees neither, and may note how far it has read.
        for _ in range(20):
            news = placement.store.changes(head)
            assert news is not None
            assert (news.head, news.changes) == (head, frozenset())
            writing.join(0.01)
        assert writing.is_alive(), "two writers at once"
        neighbour.process.send_signal(signal.SIGCONT)
        assert neighbour.answer() == "claimed"
        writing.join(JOIN_S)
        assert not writing.is_alive()
        news = placement.store.changes(head)
        assert news is not None
        assert news.head == head + 2
        assert news.changes == {Change(PROVIDER_CHANGED, "h"), Change(PROVIDER_CHANGED, "k")}
        first = placement.store.changes(head + 1)
        assert first is not None
        assert first.changes == {Change(PROVIDER_CHANGED, "k")}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_writer_that_is_killed_before_its_commit_leaves_nothing(
    tmp_path: Path, database: str
) -> None:
    with street(tmp_path, database) as (placement, neighbour):
        put(placement, example_tree("h"))
        head = placement.store.head()
        assert neighbour.ask("pause a h") == "stopping"
        neighbour.end()
        placement.claim(example_claim("b", {"h": {VCPU: 8}}))
        assert placement.store.head() == head + 1
        assert placement.allocation(ConsumerId("a")) is None
        assert placement.provider(ProviderId("h")).used == {VCPU: 8}
