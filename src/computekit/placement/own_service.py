"""What computekit's own Placement offers beside the Placement API, here or behind HTTP."""

from typing import Protocol

from computekit.ids import ConsumerId
from computekit.model import Allocation, Consumer, PlacementRequest, ProviderTree
from computekit.placement.capacity import Room
from computekit.placement.claim_best import Claimed, Rank, Unclaimed, most_free
from computekit.placement.explanation import PlacementExplanation
from computekit.placement.ports import CounterClaim
from computekit.placement.service import PlacementService
from computekit.work import ChangeSet

__all__ = ["MOST_CONSUMERS", "OwnPlacementService"]

MOST_CONSUMERS = 1000
"""The longest page of consumers."""


class OwnPlacementService(PlacementService, Protocol):
    """What both the library and a client of computekit's own daemon offer.

    With a client of another server these calls raise `Unsupported`; so does `claim` with counters.
    """

    def claim_best(
        self,
        request: PlacementRequest,
        consumer: Consumer,
        *,
        rank: Rank = most_free,
        tries: int = 16,
        counters: tuple[CounterClaim, ...] = (),
    ) -> Claimed | Unclaimed:
        """Claim the best candidate, or what is next best if that is lost to another.

        Args:
            request: what is asked.
            consumer: who is to hold it, with the generation that was seen; 0 for a new one.
            rank: says how good a candidate is: one of `RANKS`. The library takes any function.
            tries: the most claims that are tried.
            counters: what is taken along, in the same transaction.

        Raises:
            InvalidInput: with every fault of the arguments.
            GenerationConflict: the consumer was written in between.
        """
        ...

    def explain(self, request: PlacementRequest, *, reports: int = 0) -> PlacementExplanation:
        """Return why a request finds so many candidates, or none.

        Args:
            request: what is asked.
            reports: of how many trees without a candidate everything is told.

        Raises:
            InvalidInput: with every fault of the request. To a server, names that nobody has made
                known are faults; the library says that nobody has them.
        """
        ...

    def room(self, request: PlacementRequest) -> Room:
        """Return how many more consumers that ask the same would fit, one after the other.

        Raises:
            InvalidInput: with every fault of the request.
        """
        ...

    def put_tree(self, tree: ProviderTree) -> ProviderTree:
        """Make the stored tree equal to `tree`; return it as stored.

        What `PlacementWriter.put_tree` says holds.

        Raises:
            InUse: a provider or a class that would go is held by an allocation.
            AlreadyExists: a name is taken, or a provider belongs to another tree.
        """
        ...

    def changes(self, since: int) -> ChangeSet | None:
        """Return what was written after commit `since`; None if that is not known (any more).

        With None, everything is to be read again.
        """
        ...

    def consumers(
        self, after: ConsumerId | None = None, limit: int = MOST_CONSUMERS
    ) -> tuple[Allocation, ...]:
        """Return what the first `limit` consumers that follow `after` hold, by consumer id.

        An answer that is shorter than `limit` is the last.

        Raises:
            InvalidInput: `limit` is not within 1 to `MOST_CONSUMERS`.
        """
        ...
