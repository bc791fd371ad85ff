"""What every `GroupWriter` keeps, as tests to subclass."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.errors import AlreadyExists, NotFound
from computekit.ids import ProjectId, ServerGroupId, UserId
from computekit.model import PlacementRule, RuleKind, RuleMode, ServerGroup
from computekit.scheduler.groups import GROUP_CHANGED, GroupWriter
from computekit.work import Change, Store, Tx

__all__ = ["GroupBench", "GroupLaws", "example_group"]


def example_group(id: str, *rules: PlacementRule, project: str = "p") -> ServerGroup:
    """Return a group; without rules its members are apart on hosts."""
    return ServerGroup(
        ServerGroupId(id),
        f"name of {id}",
        ProjectId(project),
        rules or (PlacementRule(RuleKind.SPREAD, "host"),),
    )


@attrs.frozen
class GroupBench:
    """An empty implementation and the store that it writes in."""

    store: Store
    groups: GroupWriter

    def add(self, *groups: ServerGroup) -> None:
        """Write new groups in one transaction."""

        def write(tx: Tx) -> None:
            for group in groups:
                self.groups.add_group(tx, group)

        self.store.write(write)

    def heard(self, since: int) -> frozenset[Change]:
        """Return what replicas heard after a head."""
        news = self.store.changes(since)
        assert news is not None
        return news.changes


class GroupLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[GroupBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[GroupBench]:
        with self.open(tmp_path) as bench:
            yield bench

    def test_a_group_is_read_as_it_was_written(self, bench: GroupBench) -> None:
        plain = example_group("b")
        full = attrs.evolve(
            example_group(
                "a",
                PlacementRule(RuleKind.SPREAD, "az", max_skew=1, min_domains=2),
                PlacementRule(RuleKind.TOGETHER, "rack", RuleMode.SOFT, weight=0.5),
                project="other",
            ),
            name="z\u00fcrich",
            user=UserId("u"),
        )
        bench.add(plain, full)
        groups = bench.groups
        assert (groups.group(plain.id), groups.group(full.id)) == (plain, full)
        assert groups.groups() == (full, plain)
        assert groups.groups(frozenset({plain.id, ServerGroupId("no")})) == (plain,)
        assert groups.groups(project=ProjectId("other")) == (full,)
        assert groups.groups(frozenset({plain.id}), project=ProjectId("other")) == ()
        assert groups.group(ServerGroupId("no")) is None
        assert groups.groups(frozenset()) == ()

    def test_replicas_hear_of_what_comes_and_goes(self, bench: GroupBench) -> None:
        group = example_group("g")
        head = bench.store.head()
        bench.add(group)
        assert bench.heard(head) == {Change(GROUP_CHANGED, "g")}
        head = bench.store.head()
        bench.store.write(lambda tx: bench.groups.delete_group(tx, group.id))
        assert bench.heard(head) == {Change(GROUP_CHANGED, "g")}
        head = bench.store.head()
        bench.store.write(lambda tx: bench.groups.delete_group(tx, group.id))
        assert bench.store.head() == head
        assert bench.groups.groups() == ()

    def test_an_id_is_taken_once(self, bench: GroupBench) -> None:
        group = example_group("g")
        bench.add(group)
        with pytest.raises(AlreadyExists) as taken:
            bench.add(attrs.evolve(group, name="other"))
        assert (taken.value.kind, taken.value.id) == ("server group", "g")
        assert bench.groups.groups() == (group,)

    def test_who_locks_a_group_sees_what_its_transaction_wrote(self, bench: GroupBench) -> None:
        group = example_group("g")

        def write(tx: Tx) -> tuple[ServerGroup | None, ServerGroup | None]:
            before = bench.groups.lock_group(tx, group.id)
            bench.groups.add_group(tx, group)
            return before, bench.groups.lock_group(tx, group.id)

        assert bench.store.write(write) == (None, group)

    def test_what_is_rolled_back_was_never_there(self, bench: GroupBench) -> None:
        group = example_group("g")
        bench.add(group)

        def fail(tx: Tx) -> None:
            bench.groups.add_group(tx, example_group("h"))
            bench.groups.delete_group(tx, group.id)
            raise NotFound("thing", "x")

        with pytest.raises(NotFound):
            bench.store.write(fail)
        assert bench.groups.groups() == (group,)
