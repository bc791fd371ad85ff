"""Predicates on providers: traits, aggregates, and how groups are spread over a tree.

Semantics: Placement API, allocation candidates.
"""

from collections.abc import Callable
from typing import ClassVar

import attrs
import numpy as np

from computekit.ids import AggregateId, ProviderId
from computekit.model import RequestGroup, Trait
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.request import Request

__all__ = ["HasTrait", "InAggregate", "InTree", "LacksTrait", "NotInAggregate", "Separate"]


@attrs.frozen
class HasTrait:
    """The host has at least one of some traits.

    Attributes:
        any_of: the traits.
        of_root: whether the root of its tree must have it, not just one of its providers.
    """

    any_of: frozenset[Trait]
    of_root: bool = False
    rule: ClassVar[str] = "trait"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return " or ".join(sorted(self.any_of))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found = np.zeros(len(fleet.up[rows]), dtype=np.bool_)
        for trait in self.any_of:
            found |= fleet.root_traits.vector(trait, rows)
            if not self.of_root:
                found |= fleet.deep_traits.vector(trait, rows)
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        has = {t for t in self.any_of if fleet.root_traits.has(t, row)}
        if not self.of_root:
            has |= {t for t in self.any_of if fleet.deep_traits.has(t, row)}
        return ", ".join(sorted(has)) if has else "lacks it"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"trait {self.asked}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        placement = request.placement
        if self.of_root:
            left = placement.root_required - self.any_of
            return attrs.evolve(request, placement=attrs.evolve(placement, root_required=left))
        return _each_group(
            request, lambda group: attrs.evolve(group, required=group.required - {self.any_of})
        )


@attrs.frozen
class LacksTrait:
    """The host does not have a trait.

    Attributes:
        trait: the trait.
        of_root: whether this is asked of the root of its tree. If not, a host with several
            providers passes: those that have the trait may be left aside.
    """

    trait: Trait
    of_root: bool = False
    rule: ClassVar[str] = "forbidden trait"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return f"not {self.trait}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        lacks = ~fleet.root_traits.vector(self.trait, rows)
        return lacks if self.of_root else lacks | fleet.nested[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "has it" if fleet.root_traits.has(self.trait, row) else "lacks it"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"forbidding {self.trait}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        placement = request.placement
        if self.of_root:
            left = placement.root_forbidden - {self.trait}
            return attrs.evolve(request, placement=attrs.evolve(placement, root_forbidden=left))
        return _each_group(
            request, lambda group: attrs.evolve(group, forbidden=group.forbidden - {self.trait})
        )


@attrs.frozen
class InAggregate:
    """The host, or one of its providers, belongs to at least one of some aggregates.

    Attributes:
        any_of: the aggregates.
    """

    any_of: frozenset[AggregateId]
    rule: ClassVar[str] = "aggregate"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return " or ".join(sorted(self.any_of))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found = np.zeros(len(fleet.up[rows]), dtype=np.bool_)
        for aggregate in self.any_of:
            found |= fleet.root_aggregates.vector(aggregate, rows)
            found |= fleet.deep_aggregates.vector(aggregate, rows)
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        has = fleet.root_aggregates.of(row) | fleet.deep_aggregates.of(row)
        return ", ".join(sorted(has & self.any_of or has)) or "no aggregate"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"aggregate {self.asked}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return _each_group(
            request, lambda group: attrs.evolve(group, member_of=group.member_of - {self.any_of})
        )


@attrs.frozen
class NotInAggregate:
    """The host does not belong to an aggregate.

    Attributes:
        aggregate: the aggregate.
        spans: whether the root's aggregates count for its whole tree (the unsuffixed group). If
            not, a host with several providers passes: members may be left aside.
    """

    aggregate: AggregateId
    spans: bool = True
    rule: ClassVar[str] = "forbidden aggregate"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return f"not {self.aggregate}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        outside = ~fleet.root_aggregates.vector(self.aggregate, rows)
        return outside if self.spans else outside | fleet.nested[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        member = fleet.root_aggregates.has(self.aggregate, row)
        return "a member" if member else "not a member"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"forbidding aggregate {self.aggregate}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return _each_group(
            request,
            lambda group: (
                attrs.evolve(group, not_member_of=group.not_member_of - {self.aggregate})
                if bool(group.suffix) != self.spans
                else group
            ),
        )


@attrs.frozen
class InTree:
    """The host's tree has a certain provider.

    Attributes:
        provider: the provider.
    """

    provider: ProviderId
    rule: ClassVar[str] = "tree"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return f"the tree of {self.provider}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found = np.zeros(len(fleet), dtype=np.bool_)
        home = fleet.home(self.provider)
        row = None if home is None else fleet.row(home)
        if row is not None:
            found[row] = True
        return found[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return f"the tree of {fleet.root(row)}"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"provider {self.provider}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return _each_group(
            request,
            lambda group: (
                attrs.evolve(group, in_tree=None) if group.in_tree == self.provider else group
            ),
        )


@attrs.frozen
class Separate:
    """The host has several providers, for groups that may not share one.

    Attributes:
        groups: how many such groups there are.
    """

    groups: int
    rule: ClassVar[str] = "isolate"

    @property
    def asked(self) -> str:
        return f"{self.groups} groups on providers of their own"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.nested[rows]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "several providers" if fleet.nested[row] else "one provider"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return "group_policy isolate"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return attrs.evolve(request, placement=attrs.evolve(request.placement, group_policy="none"))


def _each_group(request: Request, change: Callable[[RequestGroup], RequestGroup]) -> Request:
    groups = tuple(change(group) for group in request.placement.groups)
    return attrs.evolve(request, placement=attrs.evolve(request.placement, groups=groups))
