"""The single constraints of a request, judged one by one for every provider.

`row_mask` answers "can it serve this need"; these say which part of that fails. A provider serves
a need exactly if it breaks none of its constraints.
"""

from collections.abc import Iterator
from typing import Protocol

import attrs
import numpy as np

from computekit.ids import AggregateId, ProviderId
from computekit.model import ResourceClass, Trait
from computekit.placement.columns import BoolArray
from computekit.placement.plan import Kind, Plan
from computekit.placement.provider_columns import RowNumbers
from computekit.placement.provider_rows import ProviderRows
from computekit.placement.row_mask import in_one_of_each

__all__ = ["Constraint", "constraints_of"]


class Constraint(Protocol):
    """One thing that a provider must be or have to serve a kind of need."""

    @property
    def rule(self) -> str:
        """What is judged: `inventory`, `amount`, `units`, `required`, `forbidden` ..."""
        ...

    @property
    def asked(self) -> str:
        """What the request asks for."""
        ...

    def passed(self, rows: ProviderRows, at: RowNumbers, roots: RowNumbers) -> BoolArray:
        """Return which providers keep it.

        Args:
            rows: the columns.
            at: the providers.
            roots: of each, the provider whose aggregates count for it too: the root of its tree,
                or itself if it is looked at from another tree.
        """
        ...

    def there(self, rows: ProviderRows, row: int, root: int) -> str:
        """Return what a provider has; the arguments are those of `passed`."""
        ...


@attrs.frozen
class HasInventory:
    """The provider has the class."""

    name: ResourceClass
    rule = "inventory"

    @property
    def asked(self) -> str:
        return f"{self.name}"

    def passed(self, rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        column = rows.inventories.get(self.name)
        if column is None:
            return np.zeros(len(at), dtype=np.bool_)
        found: BoolArray = column.codes[at] != 0
        return found

    def there(self, rows: ProviderRows, row: int, _root: int) -> str:
        column = rows.inventories.get(self.name)
        return "none" if column is None or column[row] is None else "some"


@attrs.frozen
class Left:
    """The provider has so much of the class left; one that lacks the class is told otherwise."""

    name: ResourceClass
    amount: int
    rule = "amount"

    @property
    def asked(self) -> str:
        return f"{self.amount} {self.name}"

    def passed(self, rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        column = rows.inventories.get(self.name)
        if column is None:
            return np.ones(len(at), dtype=np.bool_)
        lefts = column.lefts(at)
        found: BoolArray = (column.codes[at] == 0) | (lefts >= self.amount)
        return found

    def there(self, rows: ProviderRows, row: int, _root: int) -> str:
        column = rows.inventories.get(self.name)
        inventory = None if column is None else column[row]
        if column is None or inventory is None:
            return "none"
        return f"{column.left(row)} left of {inventory.capacity}"


@attrs.frozen
class UnitsAllow:
    """The amount keeps min_unit, max_unit and step_size."""

    name: ResourceClass
    amount: int
    rule = "units"

    @property
    def asked(self) -> str:
        return f"{self.amount} {self.name} at once"

    def passed(self, rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        column = rows.inventories.get(self.name)
        if column is None:
            return np.ones(len(at), dtype=np.bool_)
        amount = self.amount
        table = column.where(amount, lambda one: one is None or one.broken_rule(amount) is None)
        found: BoolArray = table[column.codes[at]]
        return found

    def there(self, rows: ProviderRows, row: int, _root: int) -> str:
        column = rows.inventories.get(self.name)
        inventory = None if column is None else column[row]
        return "none" if inventory is None else inventory.broken_rule(self.amount) or "allowed"


@attrs.frozen
class HasTrait:
    """The provider has one of these traits."""

    any_of: frozenset[Trait]
    rule = "required"

    @property
    def asked(self) -> str:
        return _one_of(self.any_of)

    def passed(self, rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        any_of = self.any_of
        table = rows.traits.where((any_of, "any"), lambda held: bool(any_of & held))
        found: BoolArray = table[rows.traits.codes[at]]
        return found

    def there(self, rows: ProviderRows, row: int, _root: int) -> str:
        return _among(self.any_of & rows.traits[row], "lacks it")


@attrs.frozen
class LacksTrait:
    """The provider does not have this trait."""

    trait: Trait
    rule = "forbidden"

    @property
    def asked(self) -> str:
        return f"not {self.trait}"

    def passed(self, rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        trait = self.trait
        table = rows.traits.where((trait, "none"), lambda held: trait not in held)
        found: BoolArray = table[rows.traits.codes[at]]
        return found

    def there(self, rows: ProviderRows, row: int, _root: int) -> str:
        return "has it" if self.trait in rows.traits[row] else "lacks it"


@attrs.frozen
class InAggregate:
    """The provider (for the unsuffixed group: or the root) belongs to one of these aggregates."""

    any_of: frozenset[AggregateId]
    spans: bool
    rule = "member_of"

    @property
    def asked(self) -> str:
        return _one_of(self.any_of)

    def passed(self, rows: ProviderRows, at: RowNumbers, roots: RowNumbers) -> BoolArray:
        return ~_outside(rows, self.any_of, at, roots, spans=self.spans)

    def there(self, rows: ProviderRows, row: int, root: int) -> str:
        return _among(_groups(rows, row, root, spans=self.spans), "in none")


@attrs.frozen
class InAggregates:
    """One provider, itself or the root, belongs to an aggregate of each of these sets."""

    sets: frozenset[frozenset[AggregateId]]
    rule = "member_of"

    @property
    def asked(self) -> str:
        return " and ".join(map(_one_of, sorted(self.sets, key=sorted))) + " of one provider"

    def passed(self, rows: ProviderRows, at: RowNumbers, roots: RowNumbers) -> BoolArray:
        return in_one_of_each(rows, self.sets, at) | in_one_of_each(rows, self.sets, roots)

    def there(self, rows: ProviderRows, row: int, root: int) -> str:
        own, top = rows.aggregates[row], rows.aggregates[root]
        return f"{_among(own, 'in none')}; the root: {_among(top, 'in none')}"


@attrs.frozen
class NotInAggregate:
    """The provider (for the unsuffixed group: and the root) does not belong to this aggregate."""

    aggregate: AggregateId
    spans: bool
    rule = "not member_of"

    @property
    def asked(self) -> str:
        return f"not {self.aggregate}"

    def passed(self, rows: ProviderRows, at: RowNumbers, roots: RowNumbers) -> BoolArray:
        return _outside(rows, frozenset({self.aggregate}), at, roots, spans=self.spans)

    def there(self, rows: ProviderRows, row: int, root: int) -> str:
        groups = _groups(rows, row, root, spans=self.spans)
        return "is in it" if self.aggregate in groups else "is not"


@attrs.frozen
class InTree:
    """The provider is in the tree of another; for the unsuffixed group that is the anchor's."""

    provider: ProviderId
    spans: bool
    rule = "in_tree"

    @property
    def asked(self) -> str:
        return f"the tree of {self.provider}"

    def passed(self, rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        target = rows.row(self.provider)
        root = -2 if target is None else int(rows.root[target])
        found: BoolArray = rows.root[at] == root
        return found

    def there(self, rows: ProviderRows, row: int, _root: int) -> str:
        return f"in the tree of {rows.id(int(rows.root[row]))}"


@attrs.frozen
class NamesSomething:
    """A group without resources says what its provider must be like; without that, none is."""

    rule = "resources"
    asked = "a trait or an aggregate to look for"

    def passed(self, _rows: ProviderRows, at: RowNumbers, _roots: RowNumbers) -> BoolArray:
        return np.zeros(len(at), dtype=np.bool_)

    def there(self, _rows: ProviderRows, _row: int, _root: int) -> str:
        return "the group names none"


def constraints_of(plan: Plan) -> tuple[tuple[Constraint, ...], ...]:
    """Return the constraints of each kind of need, by its number."""
    return tuple(tuple(_of_kind(kind)) for kind in plan.kinds)


def _of_kind(kind: Kind) -> Iterator[Constraint]:
    if kind.blank:
        yield NamesSomething()
    for name, amount in kind.amounts:
        yield HasInventory(name)
        yield UnitsAllow(name, amount)
        yield Left(name, amount)
    for any_trait in sorted(kind.required, key=sorted):
        yield HasTrait(any_trait)
    for trait in sorted(kind.forbidden):
        yield LacksTrait(trait)
    for any_of in sorted(kind.member_of, key=sorted):
        yield InAggregate(any_of, kind.spans)
    if kind.spans and len(kind.member_of) > 1:
        yield InAggregates(kind.member_of)
    for aggregate in sorted(kind.not_member_of):
        yield NotInAggregate(aggregate, kind.spans)
    if kind.in_tree is not None:
        yield InTree(kind.in_tree, kind.spans)


def _outside(
    rows: ProviderRows,
    groups: frozenset[AggregateId],
    at: RowNumbers,
    roots: RowNumbers,
    *,
    spans: bool,
) -> BoolArray:
    column = rows.aggregates
    table = column.where(groups, groups.isdisjoint)
    found: BoolArray = table[column.codes[at]]
    return found & table[column.codes[roots]] if spans else found


def _groups(rows: ProviderRows, row: int, root: int, *, spans: bool) -> frozenset[AggregateId]:
    own = rows.aggregates[row]
    return own | rows.aggregates[root] if spans else own


def _one_of(names: frozenset[Trait] | frozenset[AggregateId]) -> str:
    return " or ".join(sorted(names))


def _among(names: frozenset[Trait] | frozenset[AggregateId], none: str) -> str:
    return ", ".join(sorted(names)) or none
