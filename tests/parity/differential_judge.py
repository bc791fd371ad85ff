"""What a right answer of a candidate search keeps, and which of the peer are known wrong.

A known defect of the peer excuses a difference only if what ours answers is what the plain
reference of the property tests finds, which tries everything and shares no code with the search.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from computekit.ids import ProviderId
from computekit.model import PlacementRequest, RequestGroup, ResourceClass, Resources
from computekit.placement import Candidate, CandidatePage, ProviderUse
from tests.parity.differential_cases import SHARING
from tests.property.placement.forests import answers

__all__ = [
    "DEFECTS",
    "Shown",
    "broken_invariants",
    "known_defect",
    "known_failure",
    "shown",
    "unlike_reference",
]

DEFECTS = {
    "amount-aliasing": "a class that several groups ask for adds up across candidates, so that "
    "amounts are wrong, and valid candidates are refused",
    "sharing-anchor": "with a sharing provider that alone gives all of the unsuffixed group, "
    "anchors are lost, by the order of rows",
    "missing-summary": "an unsuffixed group of several classes can be a 500, a KeyError with the "
    "number of a row: a provider that may serve it was not read",
}
"""Defects of openstack-placement 16.0.0, on SQLite, which ours must not have."""

Shown = tuple[frozenset[tuple[ProviderId, Resources]], frozenset[tuple[str, frozenset[ProviderId]]]]


def shown(candidate: Candidate) -> Shown:
    """Return what is compared of a candidate: the order within a mapping has no meaning."""
    return (
        frozenset(candidate.allocation.items()),
        frozenset((suffix, frozenset(ids)) for suffix, ids in candidate.mappings.items()),
    )


def unlike_reference(
    forest: Sequence[ProviderUse], request: PlacementRequest, page: CandidatePage
) -> list[str]:
    """Return what an answer has otherwise than the plain reference.

    Args:
        forest: every provider of the server, as the answer found them.
        request: what was asked.
        page: what was answered, without a limit.
    """
    right: set[Shown] = {
        (frozenset(answer.allocation.items()), frozenset(answer.mappings.items()))
        for answer in answers(tuple(forest), request)
    }
    given = {shown(candidate) for candidate in page.candidates}
    return [
        *(f"not a way to serve the request: {one}" for one in sorted(map(str, given - right))),
        *(f"lacks a way to serve the request: {one}" for one in sorted(map(str, right - given))),
    ]


def _asked(request: PlacementRequest) -> Counter[ResourceClass]:
    total: Counter[ResourceClass] = Counter()
    for group in request.groups:
        total.update(dict(group.resources))
    return total


def _given(candidate: Candidate) -> Counter[ResourceClass]:
    total: Counter[ResourceClass] = Counter()
    for resources in candidate.allocation.values():
        total.update(dict(resources))
    return total


def broken_invariants(request: PlacementRequest, page: CandidatePage) -> list[str]:
    """Return what is wrong with an answer, whatever another server says."""
    found: list[str] = []
    for candidate in page.candidates:
        found += (f"{fault}: {candidate}" for fault in _faults(request, page, candidate))
    if len({shown(candidate) for candidate in page.candidates}) != len(page.candidates):
        found.append("the same candidate comes twice")
    return found


def _faults(request: PlacementRequest, page: CandidatePage, candidate: Candidate) -> Iterator[str]:
    if _given(candidate) != _asked(request):
        yield f"gives {dict(_given(candidate))} where {dict(_asked(request))} is asked"
    for provider, resources in candidate.allocation.items():
        summary = page.providers.get(provider)
        if summary is None:
            yield f"no summary of {provider}"
            continue
        for name, amount in resources.items():
            if summary.used.get(name, 0) + amount > summary.capacity.get(name, 0):
                yield f"more {name} of {provider} than is left"
    mapped = {p for ids in candidate.mappings.values() for p in ids}
    if not mapped >= set(candidate.allocation):
        yield "gives what no group is mapped to"
    if set(candidate.mappings) != {group.suffix for group in request.groups}:
        yield "maps other groups than are asked"
        return
    for group in request.groups:
        if group.suffix:
            yield from _suffixed_faults(group, page, candidate)
    suffixed = [candidate.mappings[g.suffix] for g in request.groups if g.suffix]
    if request.group_policy == "isolate" and len(set(suffixed)) != len(suffixed):
        yield "groups that are to be isolated share a provider"


def _suffixed_faults(
    group: RequestGroup, page: CandidatePage, candidate: Candidate
) -> Iterator[str]:
    providers = candidate.mappings[group.suffix]
    if len(providers) != 1:
        yield f"group {group.suffix} has {len(providers)} providers"
        return
    summary = page.providers.get(providers[0])
    traits = frozenset() if summary is None else summary.traits
    if not all(names & traits for names in group.required) or group.forbidden & traits:
        yield f"group {group.suffix} is served by a provider without its traits"


def known_failure(request: PlacementRequest, said: str) -> str | None:
    """Return which defect of the peer a failure of it is, or None."""
    several = any(not group.suffix and len(group.resources) > 1 for group in request.groups)
    key_error = re.fullmatch(r"failed: .*operation\. \d+ \(http\.500\)", said)
    return "missing-summary" if several and key_error else None


def known_defect(request: PlacementRequest, peer: CandidatePage, ours: CandidatePage) -> str | None:
    """Return which defect of the peer a difference is, or None.

    A rule looks at the shape of the request, and at what is missing or wrong on the peer's side:
    it has nothing that ours lacks, but for wrong amounts. Whether what only ours has is right is
    for `unlike_reference` to say.
    """
    right = {shown(c) for c in peer.candidates if _given(c) == _asked(request)}
    if not right <= {shown(c) for c in ours.candidates}:
        return None
    often = Counter(name for group in request.groups for name in group.resources)
    if max(often.values(), default=0) > 1 and request.group_policy != "none":
        return "amount-aliasing"
    if len(right) != len(peer.candidates):
        return "amount-aliasing"
    whole = next((g for g in request.groups if not g.suffix), None)
    if whole is not None and any(
        SHARING in one.traits and one.capacity.keys() >= whole.resources.keys()
        for one in ours.providers.values()
    ):
        return "sharing-anchor"
    return None
