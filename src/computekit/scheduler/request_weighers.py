"""Nova's weighers that depend on the one request that is weighed for, as overlays.

They are scaled like the others under Nova's weighing, and added before them.
"""

from collections.abc import Mapping
from typing import ClassVar

import attrs
import numpy as np

from computekit.ids import ConsumerId, HostName
from computekit.model import HOST_LEVEL, FrozenMap, RuleKind
from computekit.placement import FleetIndex
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.loads import image_property_figure
from computekit.scheduler.request import Request

__all__ = [
    "CrossCellWeigher",
    "ImagePropertiesWeigher",
    "SoftAffinityWeigher",
    "SoftAntiAffinityWeigher",
]


@attrs.frozen
class SoftAffinityWeigher:
    """Prefers hosts that have members of the instance's server group, if it wants them together.

    Attributes:
        multiplier: 0 or more.
    """

    multiplier: float = 1.0
    name: ClassVar[str] = "ServerGroupSoftAffinityWeigher"
    option: ClassVar[str] = "soft_affinity_weight_multiplier"

    def weights(self, request: Request, fleet: FleetIndex, /) -> Mapping[int, float]:
        return _members(request, fleet, RuleKind.TOGETHER, 1.0)


@attrs.frozen
class SoftAntiAffinityWeigher:
    """Prefers hosts without members of the instance's server group, if it wants them apart.

    Attributes:
        multiplier: 0 or more.
    """

    multiplier: float = 1.0
    name: ClassVar[str] = "ServerGroupSoftAntiAffinityWeigher"
    option: ClassVar[str] = "soft_anti_affinity_weight_multiplier"

    def weights(self, request: Request, fleet: FleetIndex, /) -> Mapping[int, float]:
        return _members(request, fleet, RuleKind.SPREAD, -1.0)


def _members(
    request: Request, fleet: FleetIndex, kind: RuleKind, sign: float
) -> Mapping[int, float]:
    """Return the number of members on each host that has some, for a soft rule of this kind."""
    if request.intent.group is None:
        return {}
    state = fleet.groups.of(request.intent.group)
    if state.group is None:
        return {}
    rules = (rule for rule in state.group.soft_rules if rule.level == HOST_LEVEL)
    if not any(rule.kind is kind for rule in rules):
        return {}
    instance = request.run.instance
    mine = None if instance is None else ConsumerId(instance)
    found: dict[int, float] = {}
    for host, count in state.at(HOST_LEVEL, mine).counts.items():
        row = fleet.row(HostName(host))
        if row is not None:
            found[row] = sign * count
    return found


@attrs.frozen
class CrossCellWeigher:
    """Prefers hosts of the cell that an instance is moved from.

    Which cell a host is in is said by the metadata of its aggregates. Where the moved instance is
    now, the run says (`hosts_of`); for a new instance all cells are alike.

    Attributes:
        multiplier: below zero prefers other cells.
        key: of the metadata.
    """

    multiplier: float = 1_000_000.0
    key: str = "cell"
    name: ClassVar[str] = "CrossCellWeigher"
    option: ClassVar[str] = "cross_cell_move_weight_multiplier"

    def weights(self, request: Request, fleet: FleetIndex, /) -> Mapping[int, float] | FloatArray:
        run = request.run
        here = frozenset[HostName]() if run.instance is None else run.hosts_of.get(run.instance)
        rows = [row for host in here or () if (row := fleet.row(host)) is not None]
        if not rows:
            return {}
        column = fleet.metadata(self.key)
        cells = frozenset[str]().union(*(column[row] for row in rows))
        if not cells:
            return {}
        same = column.where((self.key, cells), lambda found: bool(found & cells), slice(None))
        return np.where(same, 1.0, -1.0)


@attrs.frozen
class ImagePropertiesWeigher:
    """Prefers hosts whose instances have images of the same properties.

    Attributes:
        multiplier: below zero spreads them instead.
        ratios: what each property counts for; none: all of them 1.
    """

    multiplier: float = 0.0
    ratios: FrozenMap[str, float] = FrozenMap()
    name: ClassVar[str] = "ImagePropertiesWeigher"
    option: ClassVar[str] = "image_props_weight_multiplier"

    def weights(self, request: Request, fleet: FleetIndex, /) -> Mapping[int, float] | FloatArray:
        image = request.intent.image
        if image is None or not image.properties:
            return {}
        total = np.zeros(len(fleet))
        for key, value in image.properties.items():
            ratio = self.ratios.get(key, 0.0) if self.ratios else 1.0
            if ratio:
                figure = image_property_figure(key, value)
                total += ratio * fleet.figures.vector(figure, slice(None))
        return total
