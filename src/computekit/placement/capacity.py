"""How many more consumers of one shape fit.

On a tree of one provider to which nobody shares, the number is a division and exact. On others it
is found by placing one after the other on a copy, first way first, so it is a number that surely
fits: another order of choices may fit more.
"""

import attrs
import numpy as np

from computekit.ids import ProviderId
from computekit.model import FrozenMap
from computekit.placement.ports import ProviderUse
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.service import Candidate
from computekit.placement.shapes import Shape

__all__ = ["Room", "TreeRoom", "room_for_more"]

# Searches on trees that are no division; beyond these the answer says that it is not complete.
_SEARCHES = 2000
_LARGEST = 10


@attrs.frozen
class TreeRoom:
    """How many more fit on one tree.

    Attributes:
        root: of the tree.
        name: of the root.
        count: how many.
    """

    root: ProviderId
    name: str
    count: int


@attrs.frozen
class Room:
    """How many more consumers that ask the same would fit, one after the other.

    Attributes:
        count: how many surely fit.
        exact: whether no more than `count` fit; not known where a choice on a tree could matter.
        complete: whether all trees were looked at; else `count` is of those that were.
        trees: how many trees take at least one.
        largest: the trees that take most, most first.
    """

    count: int
    exact: bool
    complete: bool
    trees: int
    largest: tuple[TreeRoom, ...]

    def text(self) -> str:
        """Return this as a sentence."""
        least = "" if self.exact else "at least "
        part = "" if self.complete else ", not all trees were looked at"
        trees = "1 tree" if self.trees == 1 else f"{self.trees} trees"
        return f"{least}{self.count} more on {trees}{part}"


def room_for_more(rows: ProviderRows, shape: Shape) -> Room:
    """Return how many more of a shape fit on providers that do not change meanwhile."""
    open_trees = shape.open_trees()
    plain = np.array(
        [not shape.may_have_more(root) for root in open_trees.tolist()], dtype=np.bool_
    )
    counts: dict[int, int] = {}
    at = open_trees[plain].astype(np.intp)
    if len(at):
        most = np.full(len(at), np.iinfo(np.int64).max)
        for name, amount in shape.amounts.items():
            most = np.minimum(most, rows.inventories[name].lefts(at) // amount)
        counts = dict(zip(at.tolist(), most.tolist(), strict=True))
    searched, complete = _searched(rows, shape, open_trees[~plain].tolist())
    counts.update(searched)
    taking = {root: count for root, count in counts.items() if count}
    largest = sorted(taking, key=lambda root: (-taking[root], rows.id(root)))[:_LARGEST]
    return Room(
        sum(taking.values()),
        not searched and complete,
        complete,
        len(taking),
        tuple(TreeRoom(rows.id(root), rows.names[root], taking[root]) for root in largest),
    )


def _searched(rows: ProviderRows, shape: Shape, roots: list[int]) -> tuple[dict[int, int], bool]:
    """Return how many fit on trees that are to be searched, and whether that was all of them."""
    lenders = [rows.use(lender.row) for lender in shape.lenders]
    if lenders:
        # What one tree takes of a lender is missing to the others, so they share one copy.
        copy = _Copy(shape, rows, roots)
        found: dict[int, int] = {}
        for at, root in enumerate(roots):
            found[root] = copy.fill(rows.id(root))
            if copy.searches > _SEARCHES:
                return found, at + 1 == len(roots)
        return found, True
    known: dict[object, int] = {}
    found, searches = {}, 0
    for at, root in enumerate(roots):
        look = shape.look(root)
        if look not in known:
            copy = _Copy(shape, rows, [root])
            known[look] = copy.fill(rows.id(root))
            searches += copy.searches
        found[root] = known[look]
        if searches > _SEARCHES:
            return found, at + 1 == len(roots)
    return found, True


class _Copy:
    """Some trees, with every provider that shares, to be filled up."""

    def __init__(self, shape: Shape, rows: ProviderRows, roots: list[int]) -> None:
        self.searches = 0
        self._rows = ProviderRows()
        wanted = set(roots) | {int(rows.root[row]) for row in rows.sharing}
        for root in sorted(wanted, key=rows.id):
            self._rows.put([rows.use(row) for row in rows.tree(root)[0]])
        request, searches = shape.plan.request, shape.searches
        self._shape = Shape(self._rows, request, twins=True, searches=searches)

    def fill(self, root: ProviderId) -> int:
        """Place as many as fit on one tree; return how many."""
        row = self._rows.row(root)
        assert row is not None
        count = 0
        while self.searches <= _SEARCHES:
            self.searches += 1
            found = self._shape.candidate(row, 0)
            if found is None:
                break
            count += self._take(found.candidate)
        return count

    def _take(self, candidate: Candidate) -> int:
        """Place as many in this way as it takes; return how many."""
        uses: list[ProviderUse] = []
        times: int | None = None
        for provider, amounts in candidate.allocation.items():
            row = self._rows.row(provider)
            assert row is not None
            uses.append(self._rows.use(row))
            for name, amount in amounts.items():
                fitting = self._rows.inventories[name].left(row) // amount
                times = fitting if times is None else min(times, fitting)
        assert times is not None
        for use in uses:
            taken = candidate.allocation[use.provider.id]
            used = {name: use.used.get(name, 0) + times * n for name, n in taken.items()}
            self._rows.put([attrs.evolve(use, used=FrozenMap({**use.used, **used}))])
        return times
