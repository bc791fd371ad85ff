"""What can be left out of a request so that more hosts take it."""

from collections.abc import Iterable
from typing import ClassVar

import attrs
import numpy as np

from computekit.errors import Fault
from computekit.model import FrozenMap
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.request import Request

__all__ = ["Malformed", "without_hints", "without_image_property", "without_spec"]

_PATHS = {
    "extra spec": "flavor.extra_specs[{}]",
    "image property": "image.properties[{}]",
    "hint": "hints[{}]",
}


def without_spec(request: Request, key: str) -> Request:
    """Return the request with a flavor that lacks an extra spec."""
    flavor = request.intent.flavor
    if flavor is None:
        return request
    flavor = attrs.evolve(flavor, extra_specs=flavor.extra_specs.without(key))
    return attrs.evolve(request, intent=attrs.evolve(request.intent, flavor=flavor))


def without_image_property(request: Request, key: str) -> Request:
    """Return the request with an image that lacks a property."""
    image = request.intent.image
    if image is None:
        return request
    image = attrs.evolve(image, properties=image.properties.without(key))
    return attrs.evolve(request, intent=attrs.evolve(request.intent, image=image))


def without_hints(request: Request, keys: Iterable[str]) -> Request:
    """Return the request without some scheduler hints."""
    dropped = frozenset(keys)
    hints = FrozenMap({k: v for k, v in request.intent.hints.items() if k not in dropped})
    return attrs.evolve(request, intent=attrs.evolve(request.intent, hints=hints))


@attrs.frozen
class Malformed:
    """What is asked makes no sense, so no host has it; other requests are not concerned.

    Attributes:
        rule: what would be judged.
        asked: what the request says.
        why: what is wrong with it.
        source: where it stands: `extra spec`, `image property` or `hint`.
        key: the key there.
    """

    rule: str
    asked: str
    why: str
    source: str
    key: str
    standing: ClassVar[bool] = True

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return np.zeros(len(fleet.up[rows]), dtype=np.bool_)

    def there(self, _fleet: FleetIndex, _row: int, /) -> str:
        return self.why

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"{self.source} {self.key}"

    @property
    def fault(self) -> Fault:
        """What is wrong, for whoever wrote it."""
        path = _PATHS[self.source].format(self.key)
        return Fault(path, "malformed", f"{self.asked!a}: {self.why}")

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        if self.source == "extra spec":
            return without_spec(request, self.key)
        if self.source == "image property":
            return without_image_property(request, self.key)
        return without_hints(request, (self.key,))
