"""Aggregates and traits of providers on the wire."""

import msgspec

from computekit.api import Microversion
from computekit.api.placement.memberships import Aggregates, AggregatesChange, TraitsChange
from computekit.api.placement.providers import ProviderPath
from computekit.errors import ComputekitError
from computekit.http.placement.bodies import AggregatesBody, AggregatesBody1, TraitsBody
from computekit.http.placement.body import Body
from computekit.http.placement.providers import provider_of
from computekit.http.placement.traits_order import listed_traits
from computekit.http.placement.uuids import canonical_uuid
from computekit.http.placement.words import bad, generation, no_provider, unknown_traits
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import AggregateId
from computekit.model import Trait
from computekit.placement.ports import ProviderUse

__all__ = [
    "AggregatesChangeForm",
    "AggregatesForm",
    "ProviderTraitsForm",
    "TraitsChangeForm",
    "aggregate_words",
    "trait_words",
]

_AGGREGATES = Body(AggregatesBody)
_AGGREGATES_1: Body[list[str]] = Body(AggregatesBody1)
_TRAITS = Body(TraitsBody)


class AggregatesForm:
    """The aggregates of a provider."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: Aggregates, version: Microversion) -> Answer:
        return _aggregates(output, version)


class AggregatesChangeForm:
    """All aggregates that a provider is to be in."""

    def parse(self, request: HttpRequest, version: Microversion) -> AggregatesChange:
        provider = provider_of(request)
        if version.minor < 19:
            listed = _AGGREGATES_1.parse(request.body)
            if len(set(listed)) < len(listed):
                _AGGREGATES_1.check(listed)
            return AggregatesChange(provider, None, _ids(listed))
        body = _AGGREGATES.parse(request.body)
        if len(set(body.aggregates)) < len(body.aggregates):
            _AGGREGATES.check(body)
        return AggregatesChange(provider, body.resource_provider_generation, _ids(body.aggregates))

    def render(self, output: Aggregates, version: Microversion) -> Answer:
        return _aggregates(output, version)


class ProviderTraitsForm:
    """The traits of a provider."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        return _traits(output)


class TraitsChangeForm:
    """All traits that a provider is to have."""

    def parse(self, request: HttpRequest, version: Microversion) -> TraitsChange:
        body = _TRAITS.parse(request.body)
        traits = frozenset(Trait(name) for name in body.traits)
        return TraitsChange(provider_of(request), body.resource_provider_generation, traits)

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        return _traits(output)


def _ids(listed: list[str]) -> tuple[AggregateId, ...]:
    return tuple(dict.fromkeys(AggregateId(canonical_uuid(text) or text) for text in listed))


def _aggregates(output: Aggregates, version: Microversion) -> Answer:
    said: dict[str, tuple[AggregateId, ...] | int] = {"aggregates": output.aggregates}
    if version.minor >= 19:
        said["resource_provider_generation"] = output.use.provider.generation
    return Answer(200, msgspec.json.encode(said), modified_s=output.use.updated_s)


def _traits(output: ProviderUse) -> Answer:
    said = {
        "traits": listed_traits(output.provider.traits),
        "resource_provider_generation": output.provider.generation,
    }
    return Answer(200, msgspec.json.encode(said), modified_s=output.updated_s)


def aggregate_words(error: ComputekitError, _asked: AggregatesChange) -> Problem | None:
    """Say why the aggregates of a provider were not replaced."""
    return generation(error) or no_provider(error)


def trait_words(error: ComputekitError, _asked: TraitsChange) -> Problem | None:
    """Say why the traits of a provider were not replaced."""
    if names := unknown_traits(error):
        return bad(error, f"No such trait {names}")
    return generation(error) or no_provider(error)
