"""Nova's weighers by name, as values over columns (Nova, scheduler weights).

`nova_weighing()` is what Nova weighs with by default. Free amounts are what placement would still
give; that is Nova's figure where the allocation ratio of memory and disk is 1, its default.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import attrs
import numpy as np

from computekit.model import DISK_GB, MEMORY_MB, VCPU, FrozenMap, ResourceClass
from computekit.placement import FleetIndex, Rows
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.multipliers import multipliers
from computekit.scheduler.normalised import Normalised, RangeWeigher

__all__ = [
    "NOVA_WEIGHERS",
    "FigureWeigher",
    "FreeWeigher",
    "MetricsWeigher",
    "PciWeigher",
    "nova_weighing",
]


@attrs.frozen
class FreeWeigher:
    """Prefers the host with the most of a resource class left.

    Attributes:
        name: of the weigher.
        resource_class: the class.
        multiplier: below zero prefers the fullest host.
        option: the key by which aggregates set another multiplier; "" if they cannot.
    """

    name: str
    resource_class: ResourceClass
    multiplier: float = 1.0
    option: str = ""

    @property
    def least(self) -> float | None:
        return 0.0

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        column = fleet.resources.get(self.resource_class)
        if column is None:
            return np.zeros(len(fleet.up[rows]))
        return column.free.value[rows].astype(np.float64)

    def weight(self, fleet: FleetIndex, row: int, /) -> float:
        column = fleet.resources.get(self.resource_class)
        return 0.0 if column is None else float(column.free.value.item(row))

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        return multipliers(fleet, rows, self.option, self.multiplier)


@attrs.frozen
class FigureWeigher:
    """Prefers the host with the highest figure; one that is not known counts as 0.

    Attributes:
        name: of the weigher.
        figure: its name in the index.
        multiplier: below zero prefers the lowest.
        least: the lower end of the range; None: the least of the hosts in the running.
        option: the key by which aggregates set another multiplier; "" if they cannot.
        negated: whether aggregates write the negative of the multiplier.
    """

    name: str
    figure: str
    multiplier: float = 1.0
    least: float | None = None
    option: str = ""
    negated: bool = False

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        return fleet.figures.vector(self.figure, rows)

    def weight(self, fleet: FleetIndex, row: int, /) -> float:
        return fleet.figures.of(self.figure, row) or 0.0

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        return multipliers(fleet, rows, self.option, self.multiplier, -1.0 if self.negated else 1.0)


@attrs.frozen
class PciWeigher:
    """Prefers the host with the fewest free PCI devices: more than 99 are as good as 99.

    Attributes:
        name: of the weigher.
        multiplier: 0 or more.
        least: the lower end of the range; None: the least of the hosts in the running.
    """

    name: str = "PCIWeigher"
    multiplier: float = 1.0
    least: float | None = None
    option: ClassVar[str] = "pci_weight_multiplier"

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        return 100.0 - np.minimum(fleet.figures.vector("free_pci_devices", rows), 99.0)

    def weight(self, fleet: FleetIndex, row: int, /) -> float:
        return 100.0 - min(fleet.figures.of("free_pci_devices", row) or 0.0, 99.0)

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        return multipliers(fleet, rows, self.option, self.multiplier)


@attrs.frozen
class MetricsWeigher:
    """Prefers the host with the highest sum of measured figures, each times its ratio.

    Attributes:
        ratios: what each metric counts for.
        multiplier: what the sum counts for.
        unavailable: the weight of a host that lacks a metric which counts.
        name: of the weigher.
        least: the lower end of the range; None: the least of the hosts in the running.
    """

    ratios: FrozenMap[str, float] = FrozenMap()
    multiplier: float = 1.0
    unavailable: float = -10_000.0
    name: str = "MetricsWeigher"
    least: float | None = None
    option: ClassVar[str] = "metrics_weight_multiplier"

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        total = np.zeros(len(fleet.up[rows]))
        for metric, ratio in self.ratios.items():
            if ratio:
                total += fleet.figures.vector(metric, rows, np.nan) * ratio
        total[np.isnan(total)] = self.unavailable
        return total

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        return multipliers(fleet, rows, self.option, self.multiplier)


_WEIGHERS: tuple[RangeWeigher, ...] = (
    FigureWeigher(
        "BuildFailureWeigher",
        "failed_builds",
        -1_000_000.0,
        option="build_failure_weight_multiplier",
        negated=True,
    ),
    FreeWeigher("CPUWeigher", VCPU, option="cpu_weight_multiplier"),
    FreeWeigher("DiskWeigher", DISK_GB, option="disk_weight_multiplier"),
    FigureWeigher(
        "HypervisorVersionWeigher",
        "hypervisor_version",
        option="hypervisor_version_weight_multiplier",
    ),
    FigureWeigher("IoOpsWeigher", "io_ops", -1.0, 0.0, "io_ops_weight_multiplier"),
    FigureWeigher(
        "NumInstancesWeigher", "instances", 0.0, option="num_instances_weight_multiplier"
    ),
    PciWeigher(),
    FreeWeigher("RAMWeigher", MEMORY_MB, option="ram_weight_multiplier"),
)
# In Nova's order: sums of floating numbers depend on it.
NOVA_WEIGHERS: Mapping[str, RangeWeigher] = MappingProxyType({w.name: w for w in _WEIGHERS})
"""Nova's weighers with their defaults, by name."""


def nova_weighing(*further: RangeWeigher) -> Normalised:
    """Return what Nova weighs with by default; each of `further` takes the place of its name."""
    found = {**NOVA_WEIGHERS, **{weigher.name: weigher for weigher in further}}
    return Normalised(tuple(found.values()))
