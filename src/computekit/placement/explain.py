"""Explain a candidate search: for each tree what it does not meet, and how many do not meet what.

A tree counts as fitting exactly if the search finds a candidate there; the constraints are judged
on the same columns, and what no single constraint decides is found by searching again with one
rule less. Trees that look the same are judged once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import attrs
import numpy as np

from computekit.errors import InvalidInput
from computekit.ids import AggregateId, ProviderId
from computekit.model import PlacementRequest
from computekit.placement.explanation import (
    Obstacle,
    PlacementExplanation,
    Reason,
    ReasonCount,
    TreeReport,
)
from computekit.placement.fit import check_request
from computekit.placement.obstacles import (
    HasInventory,
    InTree,
    Left,
    NotInAggregate,
    constraints_of,
)
from computekit.placement.provider_columns import RowNumbers
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.relaxing import Change, change_for, without_root_trait
from computekit.placement.rule_conflicts import conflicts
from computekit.placement.search import Pattern
from computekit.placement.shapes import Shape

__all__ = ["Explainer"]

_NEAR = 10
# Trees of which near misses are chosen.
_WEIGHED = 200
_EXAMPLES = 3
_WORD = 62

Counted: TypeAlias = tuple[ReasonCount, ...]


@attrs.frozen
class _Broken:
    """A constraint that is not met, before it is put into words."""

    reason: Reason
    row: int | None
    there: str
    change: Change | None


class Explainer:
    """Explains one request on providers that do not change meanwhile.

    Args:
        rows: the providers.
        shape: of the request, on these rows.
    """

    def __init__(self, rows: ProviderRows, shape: Shape) -> None:
        self._rows = rows
        self._shape = shape
        self._plan = shape.plan
        self._constraints = [
            (kind, constraint)
            for kind, of_kind in enumerate(constraints_of(self._plan))
            for constraint in of_kind
        ]
        self._of_kind = [0] * len(self._plan.kinds)
        for bit, (kind, _constraint) in enumerate(self._constraints):
            self._of_kind[kind] |= 1 << bit
        # What the unsuffixed group asks of a provider's own tree.
        self._only_at_home = sum(
            1 << bit
            for bit, (_kind, constraint) in enumerate(self._constraints)
            if isinstance(constraint, InTree) and constraint.spans
        )
        self._no_inventory = sum(
            1 << bit
            for bit, (_kind, constraint) in enumerate(self._constraints)
            if isinstance(constraint, HasInventory)
        )
        self._failed: dict[int, int] = {}
        self._failed_abroad: dict[int, int] = {}
        self._sharing: dict[frozenset[AggregateId], Sequence[int]] = {}
        self._by_pattern: dict[Pattern, tuple[Reason, ...]] = {}
        self._by_looks: dict[object, tuple[Reason, ...]] = {}
        # By suffix and words: how a reason that is about an amount leads to it.
        self._amounts = {
            (need.group.suffix, constraint.asked): constraint
            for need in self._plan.needs
            for kind, constraint in self._constraints
            if kind == need.kind and isinstance(constraint, Left)
        }

    def explanation(self, *, reports: int) -> PlacementExplanation:
        """Return the explanation over all trees, with at most so many reports."""
        order: list[int] = self._rows.order().tolist()
        self._judge_rows()
        groups: dict[tuple[Reason, ...], list[int]] = {}
        for root in order:
            groups.setdefault(self.reasons(root), []).append(root)
        fitting = len(groups.pop((), ()))
        failing = sorted(root for roots in groups.values() for root in roots) if reports else []
        failing.sort(key=self._rows.id)
        return PlacementExplanation(
            self._plan.request,
            len(order),
            fitting,
            self._counted(groups),
            tuple(self._near_misses(groups)),
            tuple(self.report(root) for root in failing[:reports]),
        )

    def _counted(self, groups: Mapping[tuple[Reason, ...], Sequence[int]]) -> Counted:
        counts: dict[Reason, list[int]] = {}
        examples: dict[Reason, list[int]] = {}
        for reasons, roots in groups.items():
            for at, reason in enumerate(reasons):
                count = counts.setdefault(reason, [0, 0, 0])
                count[0] += len(roots)
                count[1] += len(roots) if at == 0 else 0
                count[2] += len(roots) if len(reasons) == 1 else 0
                examples.setdefault(reason, []).extend(roots[:_EXAMPLES])
        rows = self._rows
        found = [
            ReasonCount(
                reason,
                trees,
                first,
                alone,
                tuple(rows.names[at] for at in sorted(examples[reason], key=rows.id)[:_EXAMPLES]),
            )
            for reason, (trees, first, alone) in counts.items()
        ]
        return tuple(sorted(found, key=lambda c: (-c.first, -c.trees, c.reason.text)))

    def report(self, root: int) -> TreeReport:
        """Return the report of one tree."""
        return self._report(root, list(self._broken(root)))

    def reasons(self, root: int) -> tuple[Reason, ...]:
        """Return the constraints that a tree does not meet; none if it has a candidate."""
        own, _ancestors = self._rows.tree(root)
        near = self._near(root)
        key = (
            int(self._rows.traits.codes[root]),
            self._plan.shunned & self._rows.aggregates[root],
            tuple([self._failed_of(row) for row in own]),
            tuple(self._failed_from(near)),
            # Which providers meet the traits of the unsuffixed group together.
            tuple([int(self._rows.traits.codes[row]) for row in (*own, *near)])
            if self._plan.together
            else (),
        )
        known = self._by_looks.get(key)
        if known is None:
            parts = (*self._broken_by_root(root), *self._broken_by_providers(root))
            known = tuple(dict.fromkeys(broken.reason for broken in parts))
            self._by_looks[key] = known
        return known or self._conflicts(root)

    def _conflicts(self, root: int) -> tuple[Reason, ...]:
        """Return the rules that keep apart what would fit alone; none if there is a candidate."""
        if self._shape.fits(root):
            return ()
        pattern, _ids = self._shape.pattern(root)
        reasons = self._by_pattern.get(pattern)
        if reasons is None:
            reasons = self._by_pattern[pattern] = tuple(
                conflicts(self._plan, pattern, self._shape.searches)
            )
        return reasons

    # One tree

    def _broken(self, root: int) -> Iterator[_Broken]:
        """Yield what a tree does not meet; nothing exactly if it has a candidate."""
        found = (*self._broken_by_root(root), *self._broken_by_providers(root))
        seen: set[Reason] = set()
        for broken in found:
            if broken.reason not in seen:
                seen.add(broken.reason)
                yield broken
        for reason in () if found else self._conflicts(root):
            yield _Broken(reason, None, "each group fits alone, not together", None)

    def _broken_by_root(self, root: int) -> Iterator[_Broken]:
        request, traits = self._plan.request, self._rows.traits[root]
        for trait in sorted(request.root_required - traits):
            change = without_root_trait(trait, forbidden=False)
            yield _Broken(Reason("root_required", "", trait), root, "lacks it", change)
        for trait in sorted(request.root_forbidden & traits):
            change = without_root_trait(trait, forbidden=True)
            yield _Broken(Reason("root_required", "", f"not {trait}"), root, "has it", change)
        for aggregate in sorted(self._plan.shunned & self._rows.aggregates[root]):
            shun = NotInAggregate(aggregate, spans=True)
            yield _Broken(
                Reason(shun.rule, "", shun.asked),
                root,
                shun.there(self._rows, root, root),
                change_for(shun, "", self._rows, root),
            )

    def _broken_by_providers(self, root: int) -> Iterator[_Broken]:
        rows, plan = self._rows, self._plan
        own, _ancestors = rows.tree(root)
        near = self._near(root)
        failed = [self._failed_of(row) for row in own]
        failed += self._failed_from(near)
        at = [*own, *near]
        giving: set[int] = set()
        for need in plan.needs:
            bits = self._of_kind[need.kind]
            best = min(range(len(at)), key=lambda n: self._distance(failed[n] & bits))
            missing = failed[best] & bits
            if not missing:
                if not need.suffixed:
                    giving.update(at[n] for n in range(len(at)) if not failed[n] & bits)
                continue
            for bit in _bits(missing):
                _kind, constraint = self._constraints[bit]
                row, suffix = at[best], need.group.suffix
                yield _Broken(
                    Reason(constraint.rule, suffix, constraint.asked),
                    row,
                    constraint.there(rows, row, root if best < len(own) else row),
                    change_for(constraint, suffix, rows, row),
                )
        for any_of in plan.together if giving else ():
            if not any(any_of & rows.traits[row] for row in giving):
                asked = " or ".join(sorted(any_of))
                yield _Broken(Reason("required", "", asked), None, "no provider has it", None)

    def _distance(self, failed: int) -> tuple[int, int]:
        """Return how far a provider is from serving: how much it breaks, then how early."""
        # Without an inventory there is no amount that could be too small.
        lacking = 3 * (failed & self._no_inventory).bit_count()
        return failed.bit_count() + lacking, -(failed & -failed).bit_length()

    # Rows

    def _judge_rows(self) -> None:
        """Judge every provider against every constraint, at home in its own tree."""
        rows = self._rows
        at = np.flatnonzero(rows.root[: rows.count] >= 0)
        masks = self._masks(at, rows.root[at].astype(np.intp))
        self._failed = dict(zip(at.tolist(), masks, strict=True))

    def _masks(self, at: RowNumbers, roots: RowNumbers) -> list[int]:
        masks = [0] * len(at)
        for first in range(0, len(self._constraints), _WORD):
            found = np.zeros(len(at), dtype=np.int64)
            for bit, (_kind, constraint) in enumerate(self._constraints[first : first + _WORD]):
                passed = constraint.passed(self._rows, at, roots)
                found |= (~passed).astype(np.int64) << bit
            words = zip(masks, found.tolist(), strict=True)
            masks = [mask | word << first for mask, word in words]
        return masks

    def _failed_of(self, row: int) -> int:
        known = self._failed.get(row)
        if known is None:
            root = np.array([self._rows.root[row]], dtype=np.intp)
            (known,) = self._masks(np.array([row], dtype=np.intp), root)
        return known

    def _failed_from(self, near: Sequence[int]) -> list[int]:
        """Return what providers that share break when they are looked at from another tree."""
        for row in near:
            if row not in self._failed_abroad:
                at = np.array([row], dtype=np.intp)
                (failed,) = self._masks(at, at)
                self._failed_abroad[row] = failed | self._only_at_home
        return [self._failed_abroad[row] for row in near]

    def _near(self, root: int) -> Sequence[int]:
        rows = self._rows
        if not rows.sharing:
            return ()
        groups = rows.aggregates[root]
        members = rows.members(root)
        if len(members) > 1:
            groups = groups.union(*(rows.aggregates[member] for member in members))
        found = self._sharing.get(groups)
        if found is None:
            held = (row for row in rows.sharing if not groups.isdisjoint(rows.aggregates[row]))
            found = self._sharing[groups] = tuple(sorted(held, key=rows.id))
        return [row for row in found if rows.root[row] != root]

    # Near misses

    def _near_misses(
        self, groups: Mapping[tuple[Reason, ...], Sequence[int]]
    ) -> Iterator[TreeReport]:
        """Yield the trees that come closest: by how many constraints, then by how much."""
        weighed: list[tuple[int, float, ProviderId, list[_Broken], int]] = []
        for reasons in sorted(groups, key=len):
            left = _WEIGHED - len(weighed)
            if left <= 0:
                break
            for root in self._closest(reasons, groups[reasons], left):
                broken = list(self._broken(root))
                lack = sum(1.0 if one.change is None else one.change.lack for one in broken)
                weighed.append((len(broken), lack, self._rows.id(root), broken, root))
        weighed.sort(key=lambda one: one[:3])
        for _count, _lack, _id, broken, root in weighed[:_NEAR]:
            yield self._report(root, broken)

    def _closest(
        self, reasons: tuple[Reason, ...], roots: Sequence[int], most: int
    ) -> Sequence[int]:
        """Return the trees whose roots have most of the amounts that are missing."""
        if len(roots) <= most:
            return roots
        at = np.array(roots, dtype=np.intp)
        there = np.zeros(len(at))
        for reason in reasons:
            constraint = self._amounts.get((reason.group, reason.asked))
            column = None if constraint is None else self._rows.inventories.get(constraint.name)
            if constraint is not None and column is not None:
                there += np.clip(column.lefts(at) / constraint.amount, 0, 1)
        nearest = np.argsort(-there, kind="stable")[:most]
        found: list[int] = at[nearest].tolist()
        return found

    def _report(self, root: int, broken: Sequence[_Broken]) -> TreeReport:
        rows = self._rows
        obstacles = tuple(
            Obstacle(
                one.reason,
                None if one.row is None else rows.id(one.row),
                "" if one.row is None else rows.names[one.row],
                one.there,
                "" if one.change is None else one.change.text,
            )
            for one in broken
        )
        return TreeReport(
            rows.id(root), rows.names[root], not broken, obstacles, self._would_fit(root, broken)
        )

    def _would_fit(self, root: int, broken: Sequence[_Broken]) -> tuple[str, ...]:
        """Return the changes with which the tree fits, if it does then."""
        changes = [one.change for one in broken if one.change is not None]
        if not broken or len(changes) < len(broken):
            return ()
        request: PlacementRequest = self._plan.request
        for change in changes:
            request = change.apply(request)
        request = attrs.evolve(
            request, groups=tuple(g for g in request.groups if not _asks_nothing(g.suffix, request))
        )
        try:
            check_request(request)
        except InvalidInput:
            return ()  # what is left asks for nothing at all
        if not Shape(self._rows, request, twins=True, searches=self._shape.searches).fits(root):
            return ()
        return tuple(dict.fromkeys(change.text for change in changes))


def _asks_nothing(suffix: str, request: PlacementRequest) -> bool:
    (group,) = (g for g in request.groups if g.suffix == suffix)
    return not group.resources and all(suffix not in named for named in request.same_subtree)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
