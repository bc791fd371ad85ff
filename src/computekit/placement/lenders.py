"""The providers that share with other trees, as one request sees them."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from computekit.ids import AggregateId, ProviderId
from computekit.placement.columns import IntArray
from computekit.placement.plan import Plan
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.row_mask import Bits, masks

__all__ = ["Lender", "find_lenders", "lenders_of", "paths_of", "reached_by", "room_of"]


@attrs.frozen
class Lender:
    """A provider that shares something the request asks for; equal while it looks the same.

    Attributes:
        id: of the provider.
        row: of the provider.
        root: row of the root of its own tree.
        mask: what it can contribute to the trees of others.
        room: how much of each contested class it has.
        aggregates: with whose members it shares.
        seen: all else that the request can see of it.
    """

    id: ProviderId
    row: int
    root: int
    mask: int
    room: tuple[int, ...]
    aggregates: frozenset[AggregateId]
    seen: object


def find_lenders(
    plan: Plan,
    bits: Bits,
    rows: ProviderRows,
    seen: Callable[[int, int], object],
) -> tuple[Lender, ...]:
    """Return the providers that share something a plan asks for, by id.

    Args:
        plan: of the request.
        bits: of the plan.
        rows: all providers.
        seen: says what else is seen of a row with this mask.
    """
    at = np.array(sorted(rows.sharing), dtype=np.intp)
    found: list[Lender] = []
    mask = masks(plan, bits, rows, at, abroad=True) if len(at) else np.zeros(0, dtype=np.int64)
    for row, of in zip(at.tolist(), mask.tolist(), strict=True):
        if of & bits.foreign & bits.kinds:
            found.append(
                Lender(
                    rows.id(row),
                    row,
                    int(rows.root[row]),
                    of & bits.foreign,
                    room_of(plan, rows, row),
                    rows.aggregates[row],
                    None,
                )
            )
    found.sort(key=lambda lender: lender.id)
    if len(found) > 1:
        paths = paths_of(rows, found, 0)
        found = [
            attrs.evolve(lender, seen=(path, seen(lender.row, lender.mask)))
            for lender, path in zip(found, paths, strict=True)
        ]
    return tuple(found)


def room_of(plan: Plan, rows: ProviderRows, row: int) -> tuple[int, ...]:
    """Return how much a provider can give in all of each contested class."""
    inventories = ((rows.inventories.get(name), total) for name, total in plan.contested)
    return tuple([0 if c is None else c.room(row, total) for c, total in inventories])


def lenders_of(rows: ProviderRows, lenders: Sequence[Lender], root: int) -> Sequence[Lender]:
    """Return those that share with one tree."""
    if not lenders:
        return ()
    groups = rows.aggregates[root]
    members = rows.members(root)
    if len(members) > 1:
        groups = groups.union(*(rows.aggregates[member] for member in members))
    return [
        lender
        for lender in lenders
        if lender.root != root and not groups.isdisjoint(lender.aggregates)
    ]


def reached_by(rows: ProviderRows, lender: Lender) -> IntArray:
    """Return the rows of the roots of the other trees that a provider shares with."""
    count = rows.count
    root = rows.root[:count]
    table = rows.aggregates.where(lender.aggregates, lender.aggregates.isdisjoint)
    held = np.zeros(count, dtype=np.bool_)
    held[root[(root >= 0) & ~table[rows.aggregates.codes[:count]]]] = True
    held[lender.root] = False
    return np.flatnonzero(held)


def paths_of(
    rows: ProviderRows, lenders: Sequence[Lender], first: int
) -> tuple[tuple[int, ...], ...]:
    """Return the ancestors of lenders among themselves, itself last, by number from `first` on."""
    if len({lender.root for lender in lenders}) == len(lenders):
        return tuple([(first + at,) for at in range(len(lenders))])
    number = {lender.row: first + at for at, lender in enumerate(lenders)}
    paths: list[tuple[int, ...]] = []
    for lender in lenders:
        path: list[int] = []
        row: int | None = lender.row
        while row is not None:
            if row in number:
                path.append(number[row])
            row = rows.parent_row(row)
        paths.append(tuple(reversed(path)))
    return tuple(paths)
