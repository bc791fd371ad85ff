"""Nova's filters by name, as rules of a policy: each is a name over predicates (Nova, filters)."""

from typing import ClassVar

import attrs

from computekit.scheduler.figure_predicates import Below, HasFigures
from computekit.scheduler.predicates import Enabled, Predicate, Up
from computekit.scheduler.request import Request

__all__ = ["AllHostsFilter", "ComputeFilter", "IoOpsFilter", "MetricsFilter", "NumInstancesFilter"]


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
