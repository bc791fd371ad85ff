"""An aggregate: hosts that belong together, and what is said of them."""

import attrs

from computekit.ids import AggregateId, HostName
from computekit.model.frozen_map import FrozenMap

__all__ = ["Aggregate"]


@attrs.frozen
class Aggregate:
    """Hosts with something in common (Compute API, aggregates).

    Attributes:
        id: by which the Compute API knows it; never given twice.
        uuid: by which Placement knows it.
        name: unique.
        metadata: text by key: `availability_zone`, multipliers of weighers, what its hosts are for.
        hosts: its members; a host may belong to several aggregates.
    """

    id: int
    uuid: AggregateId
    name: str
    metadata: FrozenMap[str, str] = FrozenMap()
    hosts: frozenset[HostName] = frozenset()
