"""What the scheduler decided: a place, or none; "no host" is a result, not an error."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs

from computekit.ids import HostName, ProviderId
from computekit.model import FrozenMap, Resources
from computekit.scheduler.explanation import Explanation
from computekit.scheduler.reports import Past
from computekit.scheduler.request import Request
from computekit.scheduler.topology_rules import Eligible
from computekit.topology import TopologyFit

__all__ = ["Decision", "Placed", "Selection", "Unplaced"]


@attrs.frozen
class Selection:
    """A host that can take the request, and what to claim there.

    Attributes:
        host: its name.
        allocation: amounts by provider, ready to be claimed.
        mappings: the providers of each request group, by suffix.
        score: by the policy; higher is better.
        epoch: of the index when this was found.
        eligible: the domains that rules of the server group compared, by level.
        cells: where the guest's NUMA nodes go; None where none are asked for.
    """

    host: HostName
    allocation: FrozenMap[ProviderId, Resources]
    mappings: FrozenMap[str, tuple[ProviderId, ...]]
    score: float
    epoch: int
    eligible: FrozenMap[str, Eligible] = FrozenMap()
    cells: TopologyFit | None = None


@attrs.frozen
class Placed:
    """A host was found.

    Attributes:
        request: what was asked.
        candidate: the best host.
    """

    request: Request
    candidate: Selection
    _next: Callable[[], Iterator[Selection]] = attrs.field(eq=False, repr=False)
    _explain: Callable[[], Explanation | Past] = attrs.field(eq=False, repr=False)

    @property
    def host(self) -> HostName:
        """The best host."""
        return self.candidate.host

    @property
    def allocation(self) -> FrozenMap[ProviderId, Resources]:
        """What to claim there, by provider."""
        return self.candidate.allocation

    @property
    def epoch(self) -> int:
        """Of the index when this was decided."""
        return self.candidate.epoch

    def candidates(self) -> Iterator[Selection]:
        """Return what to try to claim, best first, beginning with `candidate`.

        Each further one is looked for when it is asked for, in the fleet as it is by then: a claim
        that failed because the index was behind does not lead to the same mistake again. None is
        given twice; a host with several providers is given a few times at most.
        """
        return self._next()

    def alternates(self, limit: int = 2) -> tuple[Selection, ...]:
        """Return further hosts, best first, each with what to claim there."""
        found: dict[HostName, Selection] = {}
        for candidate in self._next():
            if candidate.host != self.host:
                found.setdefault(candidate.host, candidate)
            if len(found) >= limit:
                break
        return tuple(found.values())[:limit]

    def explain(self) -> Explanation | Past:
        """Return why this host, and why not the others; `Past` once the fleet has changed."""
        return self._explain()


@attrs.frozen
class Unplaced:
    """No host can take it.

    Attributes:
        request: what was asked.
        epoch: of the index when this was decided.
    """

    request: Request
    epoch: int
    _explain: Callable[[], Explanation] = attrs.field(eq=False, repr=False)

    @property
    def summary(self) -> str:
        """The reasons in one line."""
        return self.explain().summary

    def candidates(self) -> Iterator[Selection]:
        """Return nothing, so that a caller can loop over either decision."""
        return iter(())

    def explain(self) -> Explanation:
        """Return why no host can take it, as the fleet was when this was decided."""
        return self._explain()


Decision: TypeAlias = Placed | Unplaced
