"""What the server group of a request prefers: its soft rules, as weights of rows."""

from collections.abc import Mapping

import attrs
import numpy as np

from computekit.ids import ConsumerId
from computekit.model import HOST_LEVEL
from computekit.placement import FleetIndex
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.domains import domain_numbers
from computekit.scheduler.request import Request
from computekit.scheduler.topology_rules import soft_scores

__all__ = ["GroupWeigher"]

# A row costs about as much to be lifted alone as this many in a pass over all.
_DENSE = 128


@attrs.frozen
class GroupWeigher:
    """Prefers hosts as the soft rules of the group do (Nova, soft affinity and anti-affinity).

    Attributes:
        multiplier: what the sum of the rules counts for, of which each gives -1 to 1 times its
            weight. The default goes before free memory and whatever else is counted in units.
    """

    multiplier: float = 2.0**32

    @property
    def name(self) -> str:
        return "server group"

    def weights(self, request: Request, fleet: FleetIndex, /) -> Mapping[int, float] | FloatArray:
        if request.intent.group is None:
            return {}
        state = fleet.groups.of(request.intent.group)
        if state.group is None:
            return {}
        instance = request.run.instance
        mine = None if instance is None else ConsumerId(instance)
        few: dict[str, float] = {}
        many: FloatArray | None = None
        for rule in state.group.soft_rules:
            scores = soft_scores(rule, state.at(rule.level, mine).counts)
            if not scores:
                continue
            if rule.level != HOST_LEVEL:
                found = domain_numbers(fleet, rule.level, scores)
                many = found if many is None else many + found
                continue
            for host, score in scores.items():
                few[host] = few.get(host, 0.0) + score
        rows = fleet.groups.rows_of(few, fleet.layout, fleet.row)
        weights = [few[fleet.names[row]] for row in rows]
        if many is None and len(rows) * _DENSE < len(fleet):
            return dict(zip(rows, weights, strict=True))
        found = np.zeros(len(fleet)) if many is None else many
        found[rows] += weights
        return found
