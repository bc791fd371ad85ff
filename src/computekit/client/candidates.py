"""The answer of a candidate search as values."""

from collections.abc import Mapping

from computekit.client.wire import WireCandidate, WireCandidates, WireSummary
from computekit.ids import ProviderId
from computekit.model import FrozenMap, ResourceClass, Trait
from computekit.placement import Candidate, CandidatePage, ProviderSummary

__all__ = ["EMPTY_PAGE", "candidate_page"]

SHARING = Trait("MISC_SHARES_VIA_AGGREGATE")

EMPTY_PAGE = CandidatePage((), FrozenMap())


def candidate_page(wire: WireCandidates) -> CandidatePage:
    """Return candidates and summaries as they came, in the server's order."""
    summaries = {
        ProviderId(uuid): _summary(ProviderId(uuid), summary)
        for uuid, summary in wire.provider_summaries.items()
    }
    return CandidatePage(
        tuple(_candidate(raw, summaries) for raw in wire.allocation_requests),
        FrozenMap(summaries),
    )


def _summary(provider: ProviderId, wire: WireSummary) -> ProviderSummary:
    parent = wire.parent_provider_uuid
    stocks = wire.resources.items()
    return ProviderSummary(
        provider,
        ProviderId(wire.root_provider_uuid),
        None if parent is None else ProviderId(parent),
        FrozenMap({ResourceClass(name): stock.capacity for name, stock in stocks}),
        FrozenMap({ResourceClass(name): stock.used for name, stock in stocks}),
        frozenset(map(Trait, wire.traits)),
    )


def _candidate(wire: WireCandidate, summaries: Mapping[ProviderId, ProviderSummary]) -> Candidate:
    allocation = {
        ProviderId(uuid): FrozenMap(
            {ResourceClass(name): amount for name, amount in given.resources.items()}
        )
        for uuid, given in wire.allocations.items()
    }
    mappings = {
        suffix: tuple(map(ProviderId, providers)) for suffix, providers in wire.mappings.items()
    }
    return Candidate(
        _anchor(allocation, mappings, summaries), FrozenMap(allocation), FrozenMap(mappings)
    )


def _anchor(
    allocation: Mapping[ProviderId, object],
    mappings: Mapping[str, tuple[ProviderId, ...]],
    summaries: Mapping[ProviderId, ProviderSummary],
) -> ProviderId:
    """Return the root that a candidate is on; the API does not say it.

    It is the root of whatever does not share itself with other trees. Where everything comes from
    sharing providers it is the first one's: any tree beside them would do.
    """
    named = dict.fromkeys([*allocation, *(p for group in mappings.values() for p in group)])
    own = [p for p in named if p in summaries and SHARING not in summaries[p].traits]
    first = next(iter(own or named))
    return summaries[first].root if first in summaries else first
