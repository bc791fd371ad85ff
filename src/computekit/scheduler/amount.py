"""The predicate on capacity: how much of a resource class is asked for, by which groups."""

import attrs
import numpy as np

from computekit.model import ResourceClass
from computekit.placement import BoolArray, FleetIndex, ResourceColumn, Rows, Units
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.changes import Adjustment, AskAmount, Drop, FreeUp
from computekit.scheduler.request import Request

__all__ = ["Amount", "near_amounts"]

_MOST = 2**62


@attrs.frozen
class Amount:
    """The host can give so much of a resource class.

    Attributes:
        resource_class: the class.
        parts: what each group asks for, as (suffix, amount).
    """

    resource_class: ResourceClass
    parts: tuple[tuple[str, int], ...]
    _amounts: tuple[int, ...] = attrs.field(init=False, eq=False, repr=False)
    _total: int = attrs.field(init=False, eq=False, repr=False)
    _most: int = attrs.field(init=False, eq=False, repr=False)

    @_amounts.default
    def _all(self) -> tuple[int, ...]:
        return tuple(amount for _suffix, amount in self.parts)

    @_total.default
    def _sum(self) -> int:
        return sum(self._amounts)

    @_most.default
    def _max(self) -> int:
        return max(self._amounts)

    @property
    def rule(self) -> str:
        return self.resource_class

    @property
    def asked(self) -> str:
        if len(self._amounts) == 1:
            return str(self._total)
        return f"{self._total} ({' + '.join(map(str, self._amounts))})"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return self.enough(fleet, rows) & self.allowed(fleet, rows)

    def enough(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        """Return which rows have so much left: the part that claims alter."""
        column = fleet.resources.get(self.resource_class)
        if column is None or self._total > _MOST:
            return np.zeros(len(fleet.up[rows]), dtype=np.bool_)
        found: BoolArray = column.free.value[rows] >= self._total
        largest = column.largest
        if largest is not None:
            found &= largest[rows] >= self._most
        return found

    def few_enough(self, fleet: FleetIndex, rows: list[int], passed: list[bool]) -> None:
        """Write False where a row has too little left: `enough`, quicker for a handful of rows."""
        column = fleet.resources.get(self.resource_class)
        if column is None:
            passed[:] = [False] * len(rows)
            return
        free, total, largest = column.free.value, self._total, column.largest
        item = free.item
        for at, row in enumerate(rows):
            if item(row) < total:
                passed[at] = False
        if largest is not None:
            for at, row in enumerate(rows):
                if largest.item(row) < self._most:
                    passed[at] = False

    def allowed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        """Return which rows give the class in these amounts, whatever is left of it."""
        column = fleet.resources.get(self.resource_class)
        if column is None:
            return np.zeros(len(fleet.up[rows]), dtype=np.bool_)
        return column.units.where(self._amounts, self._allowed, rows)

    def _allowed(self, units: Units) -> bool:
        return units.allow(self._amounts)

    def lacking(self, fleet: FleetIndex) -> FloatArray:
        """Return which part of the amount every row lacks: 0 none, 1 all."""
        column = fleet.resources.get(self.resource_class)
        if column is None:
            return np.ones(len(fleet))
        free = np.clip(column.free.value, 0, self._total)
        return np.asarray((self._total - free) / self._total)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        column = fleet.resources.get(self.resource_class)
        if column is None or not column.units[row].rules:
            return "none"
        free, capacity = int(column.free.value[row]), int(column.capacity.value[row])
        largest = free if column.largest is None else int(column.largest[row])
        text = f"{free} of {capacity} free"
        if free < self._total:
            return text
        if largest < self._most:
            return f"{text}, at most {largest} in one place"
        if not column.units[row].allow(self._amounts):
            given = " or ".join(
                f"{low} to {high}" + (f" in steps of {step}" if step > 1 else "")
                for low, high, step in sorted(column.units[row].rules)
            )
            return f"{text}, given {given}"
        return text

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        column = fleet.resources.get(self.resource_class)
        if column is None or not self._given(column, row):
            return (Drop(self),)
        units = column.units[row]
        free = int(column.free.value[row])
        found: list[Adjustment] = []
        if (less := self._ask(column, row)) is not None:
            found.append(less)
        lacking = self._total - free
        if lacking > 0 and units.allow(self._amounts) and not fleet.nested[row]:
            used = int(column.capacity.value[row]) - free
            if lacking <= used:
                found.append(
                    FreeUp(fleet.names[row], fleet.root(row), self.resource_class, lacking)
                )
        return tuple(found)

    def steps(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        """Return changes that do not make a failing row pass alone, but with others.

        All that is used is freed; a group asks for the least there is, or for what is next to it.
        """
        column = fleet.resources[self.resource_class]
        capacity = int(column.capacity.value[row])
        used = capacity - int(column.free.value[row])
        found: dict[Adjustment, None] = {}
        # On one provider it makes no difference which of the groups that ask the same asks less.
        alike = {asked: (suffix, asked) for suffix, asked in reversed(self.parts)}
        for suffix, asked in self.parts if fleet.nested[row] else alike.values():
            amounts = {_least(column.units[row])}
            for low, high, step in column.units[row].rules:
                amounts.update(near_amounts(asked, low, min(high, capacity), step))
            for amount in sorted(amounts - {asked}):
                found[AskAmount(suffix, self.resource_class, asked, amount)] = None
        if used > 0 and not fleet.nested[row]:
            found[FreeUp(fleet.names[row], fleet.root(row), self.resource_class, used)] = None
        return tuple(found)

    def _given(self, column: ResourceColumn, row: int) -> bool:
        """Return whether an empty row could give every group something."""
        units = column.units[row]
        if not units.rules:
            return False
        return bool(column.capacity.value[row] >= _least(units) * len(self.parts))

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"{self._total} {self.resource_class}"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        groups = tuple(
            attrs.evolve(group, resources=group.resources.without(self.resource_class))
            for group in request.placement.groups
        )
        return attrs.evolve(request, placement=attrs.evolve(request.placement, groups=groups))

    def _ask(self, column: ResourceColumn, row: int) -> AskAmount | None:
        """Return the nearest amount of one group that the row can give beside the others."""
        free = int(column.free.value[row])
        largest = free if column.largest is None else int(column.largest[row])
        units = column.units[row]
        best: AskAmount | None = None
        for at, (suffix, asked) in enumerate(self.parts):
            others = (*self._amounts[:at], *self._amounts[at + 1 :])
            if others and (max(others) > largest or not units.allow(others)):
                continue
            room = min(largest, free - sum(others))
            for low, high, step in units.rules:
                top = min(room, high - sum(others) if units.single else high)
                for amount in near_amounts(asked, low, top, step):
                    change = AskAmount(suffix, self.resource_class, asked, amount)
                    if amount != asked and (best is None or change.size < best.size):
                        best = change
        return best


def _least(units: Units) -> int:
    """Return the least amount that is given at all."""
    return min(-(-max(low, 1) // step) * step for low, _high, step in units.rules)


def near_amounts(asked: int, low: int, high: int, step: int) -> tuple[int, ...]:
    """Return the multiples of `step` within `low` and `high` that are next to `asked`."""
    first, last = -(-max(low, 1) // step) * step, high // step * step
    if first > last:
        return ()
    below = min(max(asked // step * step, first), last)
    above = min(max(-(-asked // step) * step, first), last)
    return (below, above)
