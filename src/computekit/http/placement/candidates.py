"""Candidates on the wire.

Pieces of an answer are kept as bytes with the objects that they say, which stay the same while
nothing changes; a warm answer is put together by joining bytes.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from computekit.api import Microversion
from computekit.api.placement.candidates import CandidateQuery, CandidatesFound
from computekit.clock import Clock
from computekit.errors import ComputekitError
from computekit.http.placement.candidates_query import parse_candidates
from computekit.http.placement.traits_order import listed_traits
from computekit.http.placement.words import bad, unknown_classes, unknown_traits
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProviderId
from computekit.model import ResourceClass
from computekit.placement.found import Found, FoundCandidate, TreeSummary
from computekit.placement.service import Candidate, ProviderSummary

__all__ = ["CandidatesForm", "request_words"]

TREE = "1.29"
"""The key of a tree's summaries as they are since that microversion."""

WORTH_A_COPY = 1024 * 1024
"""Longer answers are put together each time: only their pieces are kept."""

WORTH_KEEPING = 2048
"""Longer queries are parsed each time: few would ask the same again, and they fill memory."""


class CandidatesForm:
    """Where a request fits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> CandidateQuery:
        if len(request.query) > WORTH_KEEPING:
            return _asked(request.query, version)
        return _known(request.query, version)

    def render(self, output: CandidatesFound, version: Microversion) -> Answer:
        body = _body(output, version.minor)
        return Answer(200, body, modified_s=self._clock.wall_s())


def _asked(text: str, version: Microversion) -> CandidateQuery:
    found = parse_candidates(text, version)
    return CandidateQuery(
        found.request, found.limit, one_per_tree=version.minor < 29, order=found.order
    )


_known = lru_cache(maxsize=1024)(_asked)


def request_words(error: ComputekitError, _asked: object) -> Problem | None:
    """Say what is wrong with a request for candidates."""
    if name := unknown_classes(error):
        detail = f"Invalid resource class in resources parameter: No such resource class {name}."
        return bad(error, detail)
    if names := unknown_traits(error):
        return bad(error, f"No such trait(s): {names}.")
    return None


def _body(output: CandidatesFound, minor: int) -> bytes:
    found = output.found
    whole = min(34, minor)  # what came after changed only the question
    if (known := found.encoded.get(whole)) is not None:
        return known
    rows = b",".join(_rows(found, minor))
    if minor >= 29:
        trees = [tree.encoded.get(TREE) or _encode_tree(tree) for tree in found.trees]
        summaries = b",".join(trees)
    else:
        summaries = b",".join(_givers(output, minor))
    body = b'{"allocation_requests":[%b],"provider_summaries":{%b}}' % (rows, summaries)
    if len(body) <= WORTH_A_COPY:
        found.encoded[whole] = body
    return body


def _rows(found: Found, minor: int) -> Iterable[bytes]:
    form = "mapped" if minor >= 34 else "by provider" if minor >= 12 else "listed"
    return [one.encoded.get(form) or _encode_candidate(one, form) for one in found.candidates]


def _encode_candidate(found: FoundCandidate, form: str) -> bytes:
    said = found.encoded[form] = msgspec.json.encode(_candidate(found.candidate, form))
    return said


def _candidate(candidate: Candidate, form: str) -> dict[str, object]:
    shares = {p: dict(amounts.items()) for p, amounts in candidate.allocation.items()}
    if form == "listed":
        rows = [{"resource_provider": {"uuid": p}, "resources": r} for p, r in shares.items()]
        return {"allocations": rows}
    said: dict[str, object] = {"allocations": {p: {"resources": r} for p, r in shares.items()}}
    if form == "mapped":
        said["mappings"] = dict(candidate.mappings.items())
    return said


def _encode_tree(tree: TreeSummary) -> bytes:
    parts = []
    for provider in tree.providers:
        said: dict[str, object] = {
            "resources": _resources(provider, provider.capacity),
            "traits": listed_traits(provider.traits),
            "parent_provider_uuid": provider.parent,
            "root_provider_uuid": provider.root,
        }
        parts.append(_member(provider, said))
    encoded = tree.encoded[TREE] = b",".join(parts)
    return encoded


def _givers(output: CandidatesFound, minor: int) -> Iterable[bytes]:
    """Return the summaries of old: only of who gives something, at first only what was asked."""
    classes: set[ResourceClass] = set()
    for group in output.asked.request.groups:
        classes.update(group.resources)
    given: set[ProviderId] = set()
    for one in output.found.candidates:
        given.update(one.candidate.allocation)
    rows = []
    for tree in output.found.trees:
        for provider in tree.providers:
            if provider.id not in given:
                continue
            shown = [name for name in provider.capacity if minor >= 27 or name in classes]
            said: dict[str, object] = {"resources": _resources(provider, shown)}
            if minor >= 17:
                said["traits"] = listed_traits(provider.traits)
            rows.append(_member(provider, said))
    return rows


def _resources(
    provider: ProviderSummary, names: Iterable[ResourceClass]
) -> dict[str, dict[str, int]]:
    return {
        name: {"capacity": provider.capacity[name], "used": provider.used.get(name, 0)}
        for name in names
    }


def _member(provider: ProviderSummary, said: dict[str, object]) -> bytes:
    return b'"%b":%b' % (provider.id.encode(), msgspec.json.encode(said))
