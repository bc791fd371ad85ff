"""What requests of one shape share: the answers for every provider, kept up to date row by row.

For each provider there is one number of a bit for each question (`row_mask`); from these follows,
by operations on whole columns, which trees can take the request at all. Only these are searched.
A tree of one provider to which nobody shares needs no search: its bits are exact.
"""

from collections.abc import Iterable, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from computekit.ids import AggregateId, ProviderId
from computekit.model import FrozenMap, PlacementRequest, ResourceClass, Resources
from computekit.placement.columns import BoolArray
from computekit.placement.found import Found, FoundCandidate
from computekit.placement.plan import plan_of
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.row_mask import Bits, MaskArray, masks
from computekit.placement.search import Pattern
from computekit.placement.service import Candidate
from computekit.placement.tree_pattern import arranged
from computekit.placement.tree_ways import PatternWays, TreeWays

__all__ = ["Lender", "Shape"]

_PATTERNS = 4096
# Above this share of changed rows all of them are looked at anew.
_MOST_STALE = 0.25


@attrs.frozen(eq=False)
class Lender:
    """A provider that shares something the request asks for.

    Attributes:
        row: of the provider.
        root: of its own tree.
        mask: what it can contribute to the trees of others.
        aggregates: with whose members it shares.
    """

    row: int
    root: int
    mask: int
    aggregates: frozenset[AggregateId]


class Shape:
    """The trees that can take a request, and how.

    Attributes:
        plan: of the request.
        amounts: all that it takes, by class.
        lenders: the providers that share something it asks for, by id.
        answers: the last answers by their question, each with the version of the rows.
    """

    def __init__(self, rows: ProviderRows, request: PlacementRequest, *, twins: bool) -> None:
        self.plan = plan_of(request, blank=False)
        self.bits = Bits(self.plan)
        self.lenders: tuple[Lender, ...] = ()
        self.answers: dict[object, tuple[int, Found]] = {}
        self._rows = rows
        self._twins = twins
        self._follows_trees = any(kind.in_tree is not None for kind in self.plan.kinds)
        self._version = self._layout = self._sharing = -1
        self._lent_before_or_now = False
        self._mask: MaskArray = np.zeros(0, dtype=self.bits.dtype)
        self._open: BoolArray = np.zeros(0, dtype=np.bool_)
        self._near: BoolArray = np.zeros(0, dtype=np.bool_)
        self._list: npt.NDArray[np.int32] | None = None
        self._flat: dict[int, FoundCandidate] = {}
        self._trees: dict[int, TreeWays] = {}
        self._patterns: dict[Pattern, PatternWays] = {}
        self.amounts: Resources = _total(request)
        self._suffixes = sorted({need.group.suffix for need in self.plan.needs})

    @property
    def kept(self) -> int:
        """How many trees something is kept of."""
        return len(self._flat) + len(self._trees)

    @property
    def cells(self) -> int:
        """How many rows the vectors have."""
        return len(self._mask)

    def open_trees(self) -> npt.NDArray[np.int32]:
        """Return the rows of the roots of trees that may take the request, by their ids."""
        self.catch_up()
        if self._list is None:
            order = self._rows.order()
            self._list = order[self._open[order]]
        return self._list

    def candidate(self, root: int, number: int) -> FoundCandidate | None:
        """Return a candidate on an open tree by its number, or None if it has fewer."""
        self.catch_up()
        if not self._open[root]:
            return None
        if not self.may_have_more(root):
            return None if number else self._on_one(root)
        found = self._trees.get(root)
        if found is None or found.stale:
            pattern, ids = self.pattern(root)
            if found is not None and found.pattern == pattern and found.ids == ids:
                found.stale = False
            else:
                shared = self._patterns.get(pattern)
                if shared is None:
                    if len(self._patterns) >= _PATTERNS:
                        self._patterns.clear()
                    shared = self._patterns[pattern] = PatternWays(self.plan, pattern)
                found = TreeWays(self.plan, self._rows.id(root), pattern, ids, shared)
                self._trees[root] = found
        return found.candidate(number)

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
            self._patterns.clear()
        else:
            self._look_at(stale)
        if stale is None or shared:
            self._find_lenders()
        if stale is None or (shared and self._lent_before_or_now):
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
            for name in ("_open", "_near"):
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
                self._trees.pop(row, None)
        self._look(np.array(live, dtype=np.intp))

    def _look(self, at: npt.NDArray[np.intp]) -> None:
        if len(at):
            self._mask[at] = masks(self.plan, self.bits, self._rows, at)

    def _find_lenders(self) -> None:
        rows, bits = self._rows, self.bits
        at = np.array(sorted(rows.sharing), dtype=np.intp)
        found: list[Lender] = []
        if len(at):
            for row, mask in zip(at.tolist(), self._mask[at].tolist(), strict=True):
                if mask & bits.foreign & bits.kinds:
                    root = int(rows.root[row])
                    found.append(Lender(row, root, mask & bits.foreign, rows.aggregates[row]))
        self._lent_before_or_now = bool(found or self.lenders)
        self.lenders = tuple(sorted(found, key=lambda lender: rows.id(lender.row)))

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
        codes = rows.aggregates.codes[:count]
        for lender in self.lenders:
            table = rows.aggregates.where(lender.aggregates, lender.aggregates.isdisjoint)
            reached = np.unique(root[(root >= 0) & ~table[codes]])
            reached = reached[reached != lender.root]
            total[reached] |= lender.mask
            near[reached] = True
        complete = (total & bits.needed) == bits.needed
        whole = (mask & bits.whole) != 0
        anchor = (mask & bits.anchor) != 0
        self._open[:count] = top & anchor & np.where(single & ~near, whole, complete)
        self._near[:count] = near

    def _judge(self, roots: Iterable[int]) -> None:
        rows, bits = self._rows, self.bits
        for root in roots:
            members = rows.members(root)
            lenders = self._lenders_of(root)
            own = int(self._mask[root])
            if len(members) == 1 and not lenders:
                fine = own & bits.whole and own & bits.anchor
            else:
                total = 0
                for row in members:
                    total |= int(self._mask[row])
                for lender in lenders:
                    total |= lender.mask
                fine = own & bits.anchor and total & bits.needed == bits.needed
            self._near[root] = bool(lenders)
            if self._open[root] != bool(fine):
                self._open[root] = bool(fine)
                self._list = None

    def _lenders_of(self, root: int) -> Sequence[Lender]:
        if not self.lenders:
            return ()
        rows = self._rows
        groups = rows.aggregates[root].union(*(rows.aggregates[m] for m in rows.members(root)))
        return [
            lender
            for lender in self.lenders
            if lender.root != root and not groups.isdisjoint(lender.aggregates)
        ]

    # Patterns

    def pattern(self, root: int) -> tuple[Pattern, tuple[ProviderId, ...]]:
        """Return how the request sees a tree, and the providers by number."""
        rows, bits = self._rows, self.bits
        lenders = self._lenders_of(root)
        own, ancestors = rows.tree(root)
        at = [*own, *(lender.row for lender in lenders)]
        serving: list[int] = [*self._mask[list(own)].tolist()]
        serving += [lender.mask for lender in lenders]
        likeness: tuple[int, ...] | None = None
        if self._twins:
            ancestors += _lender_paths(rows, lenders, len(own))
        else:
            order, ancestors, likeness = arranged(
                at,
                [_row_of(rows, rows.parents[row]) for row in at],
                [rows.names[row] for row in at],
                {row: self._seen(row, mask) for row, mask in zip(at, serving, strict=True)},
                own=len(own),
                twins=False,
            )
            at = [at[number] for number in order]
            serving = [serving[number] for number in order]
        inventories = [(rows.inventories.get(name), total) for name, total in self.plan.contested]
        pattern = Pattern(
            ancestors,
            tuple([mask & bits.kinds for mask in serving]),
            tuple([(mask & bits.needed) >> bits.meets for mask in serving]),
            tuple(
                [
                    tuple([0 if c is None else c.room(row, total) for c, total in inventories])
                    for row in at
                ]
            ),
            likeness,
        )
        return pattern, tuple([rows.id(row) for row in at])

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


def _lender_paths(
    rows: ProviderRows, lenders: Sequence[Lender], first: int
) -> tuple[tuple[int, ...], ...]:
    """Return the ancestors of lenders among themselves, by number from `first` on."""
    number = {lender.row: first + at for at, lender in enumerate(lenders)}
    if len({lender.root for lender in lenders}) == len(lenders):
        return tuple((at,) for at in number.values())
    paths: list[tuple[int, ...]] = []
    for lender in lenders:
        path: list[int] = []
        row: int | None = lender.row
        while row is not None:
            if row in number:
                path.append(number[row])
            row = _row_of(rows, rows.parents[row])
        paths.append(tuple(reversed(path)))
    return tuple(paths)


def _row_of(rows: ProviderRows, provider: ProviderId | None) -> int | None:
    return None if provider is None else rows.row(provider)


def _total(request: PlacementRequest) -> Resources:
    total: dict[ResourceClass, int] = {}
    for group in request.groups:
        for name, amount in group.resources.items():
            total[name] = total.get(name, 0) + amount
    return FrozenMap(total)
