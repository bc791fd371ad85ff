"""Predicates on what the aggregates of a host say of it.

A value of metadata may be a list with commas. A host in several aggregates has the values of all.
"""

from collections.abc import Iterable
from typing import ClassVar

import attrs
import numpy as np

from computekit.placement import BoolArray, FleetIndex, Rows, Values
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.changes import Adjustment, Drop, ListInAggregate, LowerFigure
from computekit.scheduler.condition import Condition
from computekit.scheduler.demands import without_image_property, without_spec
from computekit.scheduler.overlays import Limits
from computekit.scheduler.request import Request

__all__ = [
    "AdmitsProject",
    "BelowBound",
    "MetadataAdmits",
    "MetadataLists",
    "MetadataMeets",
    "bound_of",
]


def listed(values: Values) -> frozenset[str]:
    """Return the entries of all values, each of which may be a list with commas."""
    return frozenset(entry.strip() for value in values for entry in value.split(","))


def _told(values: Values) -> str:
    return ", ".join(sorted(listed(values))) or "not said"


@attrs.frozen
class MetadataMeets:
    """Some value that a host's aggregates have of a key meets a condition.

    Attributes:
        key: of the metadata.
        condition: on one value.
        spec: the extra spec that asks for this.
    """

    key: str
    condition: Condition
    spec: str
    standing: ClassVar[bool] = True

    @property
    def rule(self) -> str:
        return f"aggregate {self.key}"

    @property
    def asked(self) -> str:
        return self.condition.text

    def _holds(self, values: Values) -> bool:
        return any(map(self.condition.holds, listed(values)))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.metadata(self.key).where(self, self._holds, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return _told(fleet.metadata(self.key)[row])

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"extra spec {self.spec}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_spec(request, self.spec)


@attrs.frozen
class MetadataAdmits:
    """What a host's aggregates have of a key, if anything, has a value of the image in it.

    Attributes:
        key: of the metadata, and of the image's property.
        value: that the image has.
    """

    key: str
    value: str
    standing: ClassVar[bool] = True

    @property
    def rule(self) -> str:
        return f"aggregate {self.key}"

    @property
    def asked(self) -> str:
        return f"image with {self.value}"

    def _holds(self, values: Values) -> bool:
        return not values or self.value in listed(values)

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.metadata(self.key).where(self, self._holds, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return _told(fleet.metadata(self.key)[row])

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"image property {self.key}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_image_property(request, self.key)


@attrs.frozen
class MetadataLists:
    """What a host's aggregates have of a key, if anything, has a word in it.

    Attributes:
        key: of the metadata.
        word: the word.
    """

    key: str
    word: str
    standing: ClassVar[bool] = True

    @property
    def rule(self) -> str:
        return f"aggregate {self.key}"

    @property
    def asked(self) -> str:
        return self.word

    def _holds(self, values: Values) -> bool:
        return not values or self.word in listed(values)

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.metadata(self.key).where(self, self._holds, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return _told(fleet.metadata(self.key)[row])

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        return _additions(fleet, row, (self.key,), self.word)


@attrs.frozen
class AdmitsProject:
    """The host is for everybody, or for certain projects and this is one.

    An overlay: projects are many, and a shape for each would be too.

    Attributes:
        project: its id; "" if it is not known.
        prefix: what the keys begin with that list the projects.
    """

    project: str
    prefix: str = "filter_tenant_id"
    rule: ClassVar[str] = "project isolation"

    @property
    def asked(self) -> str:
        return f"project {self.project}" if self.project else "no project"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        count = len(fleet.up[rows])
        free, named = np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        for key in self._keys(fleet):
            column = fleet.metadata(key)
            free &= column.where("nothing said", _is_empty, rows)
            named |= column.where((self.project, "named"), self._named, rows)
        return free | named

    def limits(self, fleet: FleetIndex, /) -> Limits:
        if not self._keys(fleet):
            return Limits()
        found = self.passed(fleet, slice(None))
        return Limits() if found.all() else Limits(mask=found)

    def _keys(self, fleet: FleetIndex) -> list[str]:
        return [key for key in fleet.aggregates.keys if key.startswith(self.prefix)]

    def _named(self, values: Values) -> bool:
        return self.project in listed(values)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        projects = frozenset[str]().union(
            *(listed(fleet.metadata(key)[row]) for key in self._keys(fleet))
        )
        return f"only for {', '.join(sorted(projects))}" if projects else "for everybody"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        return _additions(fleet, row, self._keys(fleet), self.project) if self.project else ()


def _additions(
    fleet: FleetIndex, row: int, keys: Iterable[str], word: str
) -> tuple[Adjustment, ...]:
    """Return the first change that lets some aggregate of a row list a word too."""
    return tuple(
        ListInAggregate(found.uuid, found.name, key, word)
        for key in sorted(keys)
        for found in fleet.aggregates.of(fleet.names[row])
        if key in found.metadata
    )[:1]


def _is_empty(values: Values) -> bool:
    return not values


@attrs.frozen
class BelowBound:
    """A figure of the host is lower than the least bound that its aggregates set.

    Attributes:
        figure: its name in the index; not known counts as 0.
        bound: where no aggregate sets one, or one sets something that is no whole number.
        key: of the metadata.
    """

    figure: str
    bound: int
    key: str

    @property
    def rule(self) -> str:
        return self.figure.replace("_", " ")

    @property
    def asked(self) -> str:
        return f"below {self.bound}, or {self.key} of its aggregates"

    def _bounds(self, fleet: FleetIndex, rows: Rows) -> FloatArray:
        return fleet.metadata(self.key).numbers(
            self, lambda values: bound_of(values, self.bound)[0], rows
        )

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found: BoolArray = fleet.figures.vector(self.figure, rows) < self._bounds(fleet, rows)
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        value = fleet.figures.of(self.figure, row)
        bound, note = bound_of(fleet.metadata(self.key)[row], self.bound)
        found = "not known" if value is None else f"{value:g}"
        return f"{found}, bound {bound}" + (f" ({note})" if note else "")

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        bound, _note = bound_of(fleet.metadata(self.key)[row], self.bound)
        if bound < 1:
            return ()
        now = fleet.figures.of(self.figure, row) or 0.0
        return (LowerFigure(fleet.names[row], self.figure, bound - 1, now),)


def bound_of(values: Values, configured: int) -> tuple[int, str]:
    """Return the least of some whole numbers, and a note if one of them is none.

    If one is none, what is configured holds (Nova, aggregate filters).
    """
    found: list[int] = []
    for value in sorted(values):
        try:
            found.append(int(value))
        except ValueError:
            return configured, f"{value[:40]!r} is no whole number"
    return min(found, default=configured), ""
