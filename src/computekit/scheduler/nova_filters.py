"""Nova's filters by name, as rules of a policy: each is a name over predicates (Nova, filters)."""

from typing import ClassVar

import attrs

from computekit.model import FrozenMap
from computekit.scheduler.demands import Malformed
from computekit.scheduler.figure_predicates import AtLeast, Below, HasFigures
from computekit.scheduler.predicates import Enabled, Predicate, Up
from computekit.scheduler.remembered import remembered
from computekit.scheduler.request import Request

__all__ = [
    "AllHostsFilter",
    "ComputeFilter",
    "IoOpsFilter",
    "MetricsFilter",
    "NUMATopologyFilter",
    "NumInstancesFilter",
    "PciPassthroughFilter",
    "ServerGroupAffinityFilter",
    "ServerGroupAntiAffinityFilter",
]

_PCI = "pci_passthrough:alias"


@attrs.frozen
class AllHostsFilter:
    """Asks for nothing."""

    name: ClassVar[str] = "AllHostsFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return ()


@attrs.frozen
class ComputeFilter:
    """Asks for a host that is enabled and up, as every request does without it."""

    name: ClassVar[str] = "ComputeFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return (Enabled(), Up())


@attrs.frozen
class NumInstancesFilter:
    """Leaves a host alone that has many instances.

    Attributes:
        max_instances_per_host: so many are too many.
    """

    max_instances_per_host: int = 50
    name: ClassVar[str] = "NumInstancesFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return (Below("instances", self.max_instances_per_host),)


@attrs.frozen
class IoOpsFilter:
    """Leaves a host alone on which much is being built, resized, snapshotted ...

    Attributes:
        max_io_ops_per_host: so many at once are too many.
    """

    max_io_ops_per_host: int = 8
    name: ClassVar[str] = "IoOpsFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return (Below("io_ops", self.max_io_ops_per_host),)


@attrs.frozen
class MetricsFilter:
    """Leaves a host alone that does not report what is weighed.

    Attributes:
        metrics: names of figures.
    """

    metrics: frozenset[str]
    name: ClassVar[str] = "MetricsFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return (HasFigures(self.metrics),) if self.metrics else ()


@attrs.frozen
class ServerGroupAffinityFilter:
    """Asks for nothing: the rules of an instance's server group always hold."""

    name: ClassVar[str] = "ServerGroupAffinityFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return ()


@attrs.frozen
class ServerGroupAntiAffinityFilter:
    """Asks for nothing: the rules of an instance's server group always hold."""

    name: ClassVar[str] = "ServerGroupAntiAffinityFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return ()


@attrs.frozen
class NUMATopologyFilter:
    """Asks for nothing: a guest with a topology is always fitted on the host's nodes."""

    name: ClassVar[str] = "NUMATopologyFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return ()


@attrs.frozen
class PciPassthroughFilter:
    """Asks a host for as many free PCI devices as the flavor's aliases do.

    That is necessary, not enough: which devices they are is part of the fit, which also decides
    where it is not known how many are free.
    """

    name: ClassVar[str] = "PciPassthroughFilter"

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        flavor = request.intent.flavor
        return () if flavor is None else _devices(flavor.extra_specs)


@remembered
def _devices(extra_specs: FrozenMap[str, str]) -> tuple[Predicate, ...]:
    text = extra_specs.get(_PCI, "")
    if not text.strip():
        return ()
    total = 0
    for entry in text.split(","):
        alias, _, number = entry.strip().partition(":")
        count = number.strip()
        if not alias or not (count.isascii() and count.isdigit()):
            why = f"{entry.strip()[:40]!r} is no alias with a number"
            return (Malformed("PCI devices", text, why, "extra spec", _PCI),)
        total += int(count)
    return (AtLeast("free_pci_devices", total, if_known=True),) if total else ()
