"""`PlacementService` over HTTP: computekit's own daemon, or genuine OpenStack Placement."""

from computekit.client.candidates import EMPTY_PAGE, candidate_page
from computekit.client.own import OwnOperations
from computekit.client.queries import candidates_query
from computekit.client.wire import WireCandidates, read
from computekit.model import PlacementRequest
from computekit.placement import CandidatePage

__all__ = ["RemotePlacement"]


class RemotePlacement(OwnOperations):
    """The books of a server. May be used by several threads.

    What the server knows as one call is one call, and one transaction of the server. A write whose
    answer was lost on the way is looked for, and made again only if it did not happen.

    Genuine Placement tells less than computekit's daemon: the numbers of a refused claim are read
    after it, a conflict of several consumers names all that it could be, and reads of more than one
    resource (`provider`, `allocations`) are several calls.
    """

    def candidates(self, request: PlacementRequest, *, limit: int | None = None) -> CandidatePage:
        answer = self.search(
            "/allocation_candidates", request, lambda known: candidates_query(known, limit)
        )
        return EMPTY_PAGE if answer is None else candidate_page(read(answer, WireCandidates))
