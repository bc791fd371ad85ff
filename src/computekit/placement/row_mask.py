"""What each provider can do for a plan: one number a row, one bit a question.

Every question is answered for all rows by a few operations on columns. The rules are those of
`tree_pattern`, which spells them out for one provider.
"""

from collections.abc import Iterable
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from computekit.ids import AggregateId
from computekit.model import Trait
from computekit.placement.columns import BoolArray
from computekit.placement.plan import Kind, Plan
from computekit.placement.provider_columns import RowNumbers, any_of_each
from computekit.placement.provider_rows import ProviderRows

__all__ = ["Bits", "MaskArray", "in_one_of_each", "masks"]

MaskArray: TypeAlias = npt.NDArray[np.int64]
"""One number a row; Python's own numbers where a plan has more questions than 64 bits."""

_WIDEST = 62


class Bits:
    """Which bit of a mask is which question of a plan.

    Attributes:
        kinds: all bits "could serve this kind of need alone"; that of kind k is bit k.
        needed: what a tree must have among its providers.
        meets: the first bit of those "gives, and has a trait of this set of the unsuffixed group".
        anchor: "as a root, may be the anchor".
        whole: "serves everything alone".
        foreign: what a provider of another tree can contribute.
        dtype: of a mask; Python's own numbers where the bits are too many.
    """

    __slots__ = ("anchor", "dtype", "foreign", "kinds", "meets", "needed", "whole")

    def __init__(self, plan: Plan) -> None:
        count, sets = len(plan.kinds), len(plan.together)
        self.meets: int = count
        self.anchor: int = 1 << (count + sets)
        self.whole: int = self.anchor << 1
        self.kinds: int = (1 << count) - 1
        self.needed: int = (1 << (count + sets)) - 1
        self.foreign: int = self.needed
        for number, kind in enumerate(plan.kinds):
            if kind.spans and kind.in_tree is not None:
                self.foreign &= ~(1 << number)
        wide = count + sets + 2 > _WIDEST
        self.dtype: type[np.int64] = cast("type[np.int64]", np.object_) if wide else np.int64


def masks(
    plan: Plan, bits: Bits, rows: ProviderRows, at: RowNumbers, *, abroad: bool = False
) -> MaskArray:
    """Return the masks of some rows that are in use.

    Args:
        plan: what is asked.
        bits: of the plan.
        rows: the columns.
        at: which rows.
        abroad: whether they are looked at from other trees, where the aggregates of their roots do
            not count for them; else from their own.
    """
    roots: RowNumbers = at if abroad else rows.root[at].astype(np.intp)
    found: MaskArray = np.zeros(len(at), dtype=bits.dtype)
    gives = np.zeros(len(at), dtype=np.bool_)
    whole = np.ones(len(at), dtype=np.bool_)
    for number, kind in enumerate(plan.kinds):
        held = _serves(kind, rows, at, roots)
        found |= held.astype(bits.dtype) << number
        whole &= held
        if kind.spans:
            gives |= held
    for number, any_of in enumerate(plan.together):
        held = _with_traits(rows, at, (any_of,), frozenset()) & gives
        found |= held.astype(bits.dtype) << (bits.meets + number)
        whole &= held
    request = plan.request
    required = tuple(frozenset({trait}) for trait in sorted(request.root_required))
    anchor = _with_traits(rows, at, required, request.root_forbidden)
    if plan.shunned:
        table = rows.aggregates.where(plan.shunned, plan.shunned.isdisjoint)
        anchor = anchor & table[rows.aggregates.codes[at]]
    found |= anchor.astype(bits.dtype) * bits.anchor
    whole &= anchor
    for name, total in plan.contested:
        column = rows.inventories.get(name)
        if column is not None:
            whole &= column.holding(total, at)
    if plan.isolate and sum(1 for group in request.groups if group.suffix) > 1:
        whole &= False
    found |= whole.astype(bits.dtype) * bits.whole
    return found


def _serves(kind: Kind, rows: ProviderRows, at: RowNumbers, roots: RowNumbers) -> BoolArray:
    held = np.full(len(at), not kind.blank, dtype=np.bool_)
    if kind.blank:
        return held
    for name, amount in kind.amounts:
        column = rows.inventories.get(name)
        if column is None:
            return np.zeros(len(at), dtype=np.bool_)
        held &= column.giving(amount, at)
    if kind.required or kind.forbidden:
        held &= _with_traits(rows, at, kind.required, kind.forbidden)
    if kind.in_tree is not None:
        target = rows.row(kind.in_tree)
        root = -2 if target is None else int(rows.root[target])
        held &= rows.root[at] == root
    if kind.member_of or kind.not_member_of:
        held &= _in_aggregates(kind, rows, at, roots)
    return held


def _with_traits(
    rows: ProviderRows,
    at: RowNumbers,
    required: Iterable[frozenset[Trait]],
    forbidden: frozenset[Trait],
) -> BoolArray:
    sets = frozenset(required)
    if not sets and not forbidden:
        return np.ones(len(at), dtype=np.bool_)
    table = rows.traits.where((sets, forbidden), any_of_each(sets, forbidden))
    found: BoolArray = table[rows.traits.codes[at]]
    return found


def in_one_of_each(
    rows: ProviderRows, sets: frozenset[frozenset[AggregateId]], at: RowNumbers
) -> BoolArray:
    """Return which providers belong to one aggregate of each set themselves."""
    column = rows.aggregates
    held = np.ones(len(at), dtype=np.bool_)
    for any_of in sets:
        held &= ~column.where(any_of, any_of.isdisjoint)[column.codes[at]]
    return held


def _in_aggregates(kind: Kind, rows: ProviderRows, at: RowNumbers, roots: RowNumbers) -> BoolArray:
    held = in_one_of_each(rows, kind.member_of, at)
    if kind.spans and kind.member_of:
        held |= in_one_of_each(rows, kind.member_of, roots)
    if kind.not_member_of:
        column = rows.aggregates
        table = column.where(kind.not_member_of, kind.not_member_of.isdisjoint)
        held &= table[column.codes[at]]
        if kind.spans:
            held &= table[column.codes[roots]]
    return held
