"""What requests of one shape share: the answers for every provider, kept up to date row by row.

For each provider there is one number of a bit for each question (`row_mask`); from these follows,
by operations on whole columns, which trees can take the request at all. Only these are searched.
A tree of one provider to which nobody shares needs no search: its bits are exact.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest, ResourceClass, Resources
from computekit.placement.columns import BoolArray, IntArray
from computekit.placement.found import Found, FoundCandidate
from computekit.placement.lenders import (
    Lender,
    find_lenders,
    lenders_of,
    paths_of,
    reached_by,
    room_of,
)
from computekit.placement.plan import Plan, plan_of
from computekit.placement.provider_columns import grown
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.row_mask import Bits, MaskArray, masks
from computekit.placement.search import Pattern
from computekit.placement.searches import Searches
from computekit.placement.service import Candidate
from computekit.placement.tree_pattern import arranged
from computekit.placement.tree_ways import TreeWays

__all__ = ["Shape"]

# So many that share are told apart by a bit of their own.
_TOLD_APART = 62
# Above this share of changed rows all of them are looked at anew.
_MOST_STALE = 0.25


class Shape:
    """The trees that can take a request, and how.

    Attributes:
        searches: what was found by pattern.
        plan: of the request.
        amounts: all that it takes, by class.
        lenders: the providers that share something it asks for, by id.
        answers: the last answers by their question, each with the version of the rows.
        kept: how many things were kept when that was last counted.
    """

    def __init__(
        self, rows: ProviderRows, request: PlacementRequest, *, twins: bool, searches: Searches
    ) -> None:
        self.searches = searches
        self.kept: int = 0
        self.plan: Plan = plan_of(request, blank=False)
        self.bits: Bits = Bits(self.plan)
        self.lenders: tuple[Lender, ...] = ()
        self.answers: dict[object, tuple[int, Found]] = {}
        self._rows = rows
        self._twins = twins
        self._key = request, twins
        self._follows_trees = any(kind.in_tree is not None for kind in self.plan.kinds)
        self._version = self._layout = self._sharing = -1
        self._mask: MaskArray = np.zeros(0, dtype=self.bits.dtype)
        self._open: BoolArray = np.zeros(0, dtype=np.bool_)
        self._near: BoolArray = np.zeros(0, dtype=np.bool_)
        # Whether no provider of the tree itself serves anything, and who shares with it.
        self._barren: BoolArray = np.zeros(0, dtype=np.bool_)
        self._lent: IntArray = np.zeros(0, dtype=np.int64)
        self._list: npt.NDArray[np.int32] | None = None
        self._flat: dict[int, FoundCandidate] = {}
        self._trees: dict[int, TreeWays] = {}
        # Candidates of all these trees.
        self._pieces = 0
        self.amounts: Resources = _total(request)
        self._suffixes = sorted({need.group.suffix for need in self.plan.needs})

    def count(self, seen: Iterable[TreeWays] = ()) -> None:
        """Count what is kept: trees, candidates, ways, states of searches, and what answers have.

        Args:
            seen: trees that were asked without `candidate`.
        """
        for tree in seen:
            if len(tree.kept) != tree.counted and self._trees.get(self._row(tree)) is tree:
                self._count(tree)
        self.kept = (
            len(self._flat)
            + len(self._trees)
            + self._pieces
            + self.searches.kept
            + sum([len(answer.candidates) for _version, answer in self.answers.values()])
        )

    def _row(self, tree: TreeWays) -> int:
        row = self._rows.row(tree.root)
        return -1 if row is None else row

    def _count(self, tree: TreeWays) -> None:
        now = len(tree.kept)
        self._pieces += now - tree.counted
        tree.counted = now

    def _drop(self, root: int) -> None:
        tree = self._trees.pop(root, None)
        if tree is not None:
            self._pieces -= tree.counted

    @property
    def cells(self) -> int:
        """How many rows the vectors have."""
        return len(self._mask)

    def open_trees(self) -> npt.NDArray[np.int32]:
        """Return the rows of the roots of trees that may take the request, by their ids."""
        self.catch_up()
        if self._list is None:
            order = self._rows.order()
            self._list = self._without_repeats(order[self._open[order]])
        return self._list

    def _without_repeats(self, found: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Drop trees that can only repeat what another tree before them leads to."""
        if not self.lenders or len(self.lenders) > _TOLD_APART:
            return found
        barren = np.flatnonzero(self._barren[found])
        _lent, first = np.unique(self._lent[found[barren]], return_index=True)
        kept = ~self._barren[found]
        kept[barren[first]] = True
        return found[kept]

    def candidate(self, root: int, number: int) -> FoundCandidate | None:
        """Return a candidate on an open tree by its number, or None if it has fewer."""
        self.catch_up()
        if not self._open[root]:
            return None
        if not self.may_have_more(root):
            return None if number else self._on_one(root)
        tree = self.tree(root)
        if number < len(tree.kept):
            return tree.kept[number]
        found = tree.candidate(number)
        self._count(tree)
        return found

    def tree(self, root: int) -> TreeWays:
        """Return the ways of an open tree that may have more than one, as it is now."""
        found = self._trees.get(root)
        if found is None or found.stale:
            pattern, ids = self.pattern(root)
            if found is not None and found.pattern == pattern and found.ids == ids:
                found.stale = False
            else:
                ways = self.searches.of(self._key, self.plan, pattern)
                self._drop(root)
                found = self._trees[root] = TreeWays(
                    self.plan, self._rows.id(root), pattern, ids, ways
                )
        return found

    def shares(self, roots: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """Return the smallest share that would stay free of what is asked of each open tree.

        Of a tree that has to be searched it is not known; it counts as 1.
        """
        at = roots.astype(np.intp)
        least = np.ones(len(at))
        for name, amount in self.amounts.items():
            column = self._rows.inventories.get(name)
            if column is not None:
                least = np.minimum(least, column.shares_left(at, amount))
        return np.where(self._near[at] | (self._rows.sizes(at) > 1), 1.0, least)

    def fits(self, root: int) -> bool:
        """Return whether a tree has a candidate."""
        self.catch_up()
        if not self._open[root]:
            return False
        return not self.may_have_more(root) or self.candidate(root, 0) is not None

    def may_have_more(self, root: int) -> bool:
        """Return whether a tree that has a candidate may have a further one."""
        return bool(self._near[root]) or len(self._rows.members(root)) > 1

    def _on_one(self, row: int) -> FoundCandidate:
        found = self._flat.get(row)
        if found is None:
            provider = self._rows.id(row)
            candidate = Candidate(
                provider,
                FrozenMap({provider: self.amounts}),
                FrozenMap(dict.fromkeys(self._suffixes, (provider,))),
            )
            found = self._flat[row] = FoundCandidate(candidate)
        return found

    # Following

    def catch_up(self) -> None:
        """Look again at the rows that have changed."""
        rows = self._rows
        if self._version == rows.version:
            return
        stale = rows.changed_since(self._version)
        moved = self._layout != rows.layout
        if stale is not None and (
            len(stale) > _MOST_STALE * rows.count + 8 or (moved and self._follows_trees)
        ):
            stale = None
        shared = self._sharing != rows.sharing_version
        self._make_room()
        if stale is None:
            self._mask[:] = 0
            self._look(np.flatnonzero(rows.root[: rows.count] >= 0))
            self._flat.clear()
            self._trees.clear()
            self._pieces = 0
        else:
            self._look_at(stale)
        lenders = self.lenders
        if stale is None or shared:
            found = find_lenders(self.plan, self.bits, rows, self._all_seen)
            self.lenders = lenders if found == lenders else found
        if stale is None or self.lenders is not lenders:
            for tree in self._trees.values():
                tree.stale = True
            self._judge_all()
            self._list = None
        else:
            self._judge({int(rows.root[row]) for row in stale if rows.root[row] >= 0})
        if moved:
            self._list = None
        self._version, self._layout = rows.version, rows.layout
        self._sharing = rows.sharing_version

    def _make_room(self) -> None:
        rows = self._rows
        if len(self._mask) < rows.room:
            longer: MaskArray = np.zeros(rows.room, dtype=self.bits.dtype)
            longer[: len(self._mask)] = self._mask
            self._mask = longer
            self._lent = grown(self._lent, rows.room)
            for name in ("_open", "_near", "_barren"):
                wider = np.zeros(rows.room, dtype=np.bool_)
                before: BoolArray = getattr(self, name)
                wider[: len(before)] = before
                setattr(self, name, wider)

    def _look_at(self, stale: Iterable[int]) -> None:
        rows = self._rows
        live: list[int] = []
        for row in stale:
            root = int(rows.root[row])
            if root >= 0:
                live.append(row)
            else:
                self._mask[row] = 0
            if root != row and self._open[row]:
                self._open[row] = False
                self._list = None
            found = self._flat.get(row)
            if found is not None and found.candidate.root != rows.ids[row]:
                del self._flat[row]
            tree = self._trees.get(root)
            if tree is not None:
                tree.stale = True
            if root != row:
                self._drop(row)
        self._look(np.array(live, dtype=np.intp))

    def _look(self, at: npt.NDArray[np.intp]) -> None:
        if len(at):
            self._mask[at] = masks(self.plan, self.bits, self._rows, at)

    def _judge_all(self) -> None:
        rows, bits = self._rows, self.bits
        count = rows.count
        mask, root = self._mask[:count], rows.root[:count]
        total, near = mask, np.zeros(count, dtype=np.bool_)
        single = root == np.arange(count)
        top = single.copy()
        nested = rows.nested()
        if len(nested) or self.lenders:
            total = mask.copy()
        if len(nested):
            np.bitwise_or.at(total, root[nested], mask[nested])
            single[root[nested]] = False
        self._barren[:count] = (total & bits.kinds) == 0
        self._lent[:] = 0
        for number, lender in enumerate(self.lenders):
            reached = reached_by(rows, lender)
            total[reached] |= lender.mask
            near[reached] = True
            self._lent[reached] |= 1 << min(number, _TOLD_APART)
        complete = (total & bits.needed) == bits.needed
        whole = (mask & bits.whole) != 0
        anchor = (mask & bits.anchor) != 0
        self._open[:count] = top & anchor & np.where(single & ~near, whole, complete)
        self._near[:count] = near

    def _judge(self, roots: Iterable[int]) -> None:
        rows, bits = self._rows, self.bits
        number = {lender.id: 1 << min(n, _TOLD_APART) for n, lender in enumerate(self.lenders)}
        for root in roots:
            members = rows.members(root)
            lenders = lenders_of(rows, self.lenders, root)
            own = int(self._mask[root])
            total = own
            for row in members if len(members) > 1 else ():
                total |= int(self._mask[row])
            barren, lent = total & bits.kinds == 0, 0
            for lender in lenders:
                total |= lender.mask
                lent |= number[lender.id]
            if len(members) == 1 and not lenders:
                fine = bool(own & bits.whole and own & bits.anchor)
            else:
                fine = bool(own & bits.anchor and total & bits.needed == bits.needed)
            self._near[root] = bool(lenders)
            before = (self._open[root], self._barren[root], self._lent[root])
            if before != (fine, barren, lent):
                self._open[root], self._barren[root], self._lent[root] = fine, barren, lent
                self._list = None

    # Patterns

    def pattern(self, root: int) -> tuple[Pattern, tuple[ProviderId, ...]]:
        """Return how the request sees a tree, and the providers by number."""
        rows, bits = self._rows, self.bits
        lenders = lenders_of(rows, self.lenders, root)
        own, ancestors = rows.tree(root)
        at = [*own, *(lender.row for lender in lenders)]
        serving: list[int] = [*self._mask[list(own)].tolist()]
        serving += [lender.mask for lender in lenders]
        likeness: tuple[int, ...] | None = None
        if self._twins:
            ancestors += paths_of(rows, lenders, len(own))
        else:
            order, ancestors, likeness = arranged(
                at,
                [rows.parent_row(row) for row in at],
                [rows.names[row] for row in at],
                {row: self._seen(row, mask) for row, mask in zip(at, serving, strict=True)},
                own=len(own),
                twins=False,
            )
            at = [at[number] for number in order]
            serving = [serving[number] for number in order]
        pattern = Pattern(
            ancestors,
            tuple([mask & bits.kinds for mask in serving]),
            tuple([(mask & bits.needed) >> bits.meets for mask in serving]),
            tuple([room_of(self.plan, rows, row) for row in at])
            if self.plan.contested
            else ((),) * len(at),
            likeness,
        )
        return pattern, tuple([rows.id(row) for row in at])

    def _all_seen(self, row: int, mask: int) -> object:
        """Return what may make a provider that shares alike to another."""
        return None if self._twins else self._seen(row, mask)

    def look(self, root: int) -> tuple[object, ...]:
        """Return all that the request can see of a tree that nobody shares with, exactly."""
        own, ancestors = self._rows.tree(root)
        serving: list[int] = self._mask[list(own)].tolist()
        return ancestors, tuple(map(self._seen, own, serving))

    def _seen(self, row: int, mask: int) -> tuple[object, ...]:
        """Return what the request can see of a provider, exactly: alike ones are equal."""
        rows = self._rows
        amounts: list[object] = []
        for name in self.amounts:
            column = rows.inventories.get(name)
            inventory = None if column is None else column[row]
            if column is not None and inventory is not None:
                units = (inventory.min_unit, inventory.max_unit, inventory.step_size)
                amounts.append((name, column.left(row), units))
        asked = rows.traits[row] & self.plan.traits
        return mask & self.bits.needed, tuple(amounts), asked


def _total(request: PlacementRequest) -> Resources:
    total: dict[ResourceClass, int] = {}
    for group in request.groups:
        for name, amount in group.resources.items():
            total[name] = total.get(name, 0) + amount
    return FrozenMap(total)
