"""What a consumer holds of which provider."""

import attrs

from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model.frozen_map import FrozenMap
from computekit.model.resources import Resources
from computekit.units import Seconds

__all__ = ["Allocation", "Consumer"]


@attrs.frozen
class Consumer:
    """Who holds resources (Placement API, consumers).

    Attributes:
        id: UUID; for an instance, the instance's.
        project: who pays.
        user: who asked.
        type: `INSTANCE`, `MIGRATION` ...; `[A-Z0-9_]+`. None is unknown; in a claim, the one that
            is stored stays.
        generation: raised with every write of its allocations; 0 if it has never been written.
        updated_s: when they were written, in seconds since the Unix epoch.
    """

    id: ConsumerId
    project: ProjectId
    user: UserId
    type: str | None = "INSTANCE"
    generation: int = 0
    updated_s: Seconds = attrs.field(default=Seconds(0.0), eq=False)


@attrs.frozen
class Allocation:
    """Everything that one consumer holds.

    Attributes:
        consumer: who holds it.
        resources: amounts by provider.
    """

    consumer: Consumer
    resources: FrozenMap[ProviderId, Resources] = FrozenMap()
