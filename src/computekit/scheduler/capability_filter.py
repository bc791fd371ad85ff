"""Nova's filter on what a host can do: conditions of extra specs on attributes of the host."""

from collections.abc import Iterator
from typing import ClassVar

import attrs
import numpy as np

from computekit.model import FrozenMap
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.condition import Condition, parse_condition
from computekit.scheduler.demands import Malformed, without_spec
from computekit.scheduler.figure_predicates import AtLeast
from computekit.scheduler.host_attributes import (
    HOST_ATTRIBUTES,
    Path,
    Scalar,
    attribute,
    is_standing,
)
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.remembered import remembered
from computekit.scheduler.request import Request

__all__ = ["ComputeCapabilitiesFilter", "HasCapability"]

_SCOPE = "capabilities"
_BITS = "hw:maxphysaddr_bits"


@attrs.frozen
class HasCapability:
    """An attribute of the host meets a condition.

    Attributes:
        path: of the attribute.
        condition: on its value as text.
        spec: the extra spec that asks for this.
        optional: whether a host that does not have the attribute passes.
    """

    path: Path
    condition: Condition
    spec: str
    optional: bool = False

    @property
    def standing(self) -> bool:
        """Whether claims leave its answer as it is."""
        return is_standing(self.path)

    @property
    def rule(self) -> str:
        return f"capability {':'.join(self.path)}"

    @property
    def asked(self) -> str:
        return self.condition.text

    def _holds(self, value: Scalar) -> bool:
        return self.optional if value is None else self.condition.holds(str(value))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return attribute(fleet, self.path, rows).where(self._holds)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        (value,) = attribute(fleet, self.path, np.array([row])).values
        return "not known" if value is None else str(value)

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
class ComputeCapabilitiesFilter:
    """Asks a host for what the flavor's extra specs say of its attributes.

    `capabilities:a:b` is a condition on the attribute `a:b`; so is an extra spec without a scope
    if the host has such an attribute. `hw:maxphysaddr_bits` is the least number of address bits.
    """

    name: ClassVar[str] = "ComputeCapabilitiesFilter"

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        flavor = request.intent.flavor
        return () if flavor is None else _capabilities(flavor.extra_specs)


@remembered
def _capabilities(extra_specs: FrozenMap[str, str]) -> tuple[Predicate, ...]:
    return tuple(_each(extra_specs))


def _each(extra_specs: FrozenMap[str, str]) -> Iterator[Predicate]:
    for spec, text in sorted(extra_specs.items()):
        if spec == _BITS:
            yield _address_bits(text)
            continue
        first, *rest = spec.split(":")
        if rest and first != _SCOPE:
            continue
        path = tuple(rest) or (first,)
        optional = not rest and first not in HOST_ATTRIBUTES
        try:
            yield HasCapability(path, parse_condition(text), spec, optional)
        except ValueError as error:
            if not optional:
                yield Malformed(
                    f"capability {':'.join(path)}", text, str(error), "extra spec", spec
                )


def _address_bits(text: str) -> Predicate:
    try:
        return AtLeast("maxphysaddr_bits", int(text))
    except ValueError:
        return Malformed("maxphysaddr bits", text, "is no whole number", "extra spec", _BITS)
