"""Nova's filters by name, as rules of a policy: each is a name over predicates (Nova, filters).

`AllHostsFilter` and `ComputeFilter` are not here: the first asks for nothing, and that a host is
enabled and up is asked by every request.
"""

from typing import ClassVar

import attrs

from computekit.scheduler.figure_predicates import Below, HasFigures
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.request import Request

__all__ = ["IoOpsFilter", "MetricsFilter", "NumInstancesFilter"]


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
