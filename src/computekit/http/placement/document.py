"""The Placement API as an OpenAPI document."""

from collections.abc import Iterable, Mapping

import msgspec

from computekit import __version__
from computekit.api.placement import PLACEMENT_VERSIONS
from computekit.http.endpoint import Endpoint
from computekit.http.openapi import Shape, openapi
from computekit.http.placement import answers, bodies, own, own_answers, own_claims, provider_pages
from computekit.http.placement.candidates_query import CANDIDATES_QUERY
from computekit.http.placement.names import TRAITS_QUERY
from computekit.http.placement.providers import PROVIDERS_QUERY
from computekit.http.placement.usages import USAGES_QUERY

__all__ = ["SHAPES", "placement_document"]

NEWEST = PLACEMENT_VERSIONS.newest.minor
DONE: Mapping[int, object | None] = {204: None}
MADE: Mapping[int, object | None] = {201: None, 204: None}

SHAPES: Mapping[str, Shape] = {
    "show_versions": Shape({200: answers.VersionsAnswer}),
    "list_resource_providers": Shape(
        {200: answers.ProvidersAnswer}, query=PROVIDERS_QUERY[NEWEST].schema
    ),
    "list_provider_page": Shape(
        {200: provider_pages.ProviderPageAnswer}, query=provider_pages.PAGE_QUERY.schema
    ),
    "create_resource_provider": Shape({200: answers.ProviderAnswer}, bodies.NewProviderBody14),
    "show_resource_provider": Shape({200: answers.ProviderAnswer}),
    "update_resource_provider": Shape({200: answers.ProviderAnswer}, bodies.ProviderBody14),
    "delete_resource_provider": Shape(DONE),
    "show_inventories": Shape({200: answers.InventoriesAnswer}),
    "set_inventories": Shape({200: answers.InventoriesAnswer}, bodies.InventoriesBody),
    "add_inventory": Shape({201: answers.InventoryAnswer}, bodies.NewInventoryBody),
    "delete_inventories": Shape(DONE),
    "show_inventory": Shape({200: answers.InventoryAnswer}),
    "set_inventory": Shape({200: answers.InventoryAnswer}, bodies.OneInventoryBody),
    "delete_inventory": Shape(DONE),
    "show_provider_usages": Shape({200: answers.ProviderUsagesAnswer}),
    "show_aggregates": Shape({200: answers.AggregatesAnswer}),
    "set_aggregates": Shape({200: answers.AggregatesAnswer}, bodies.AggregatesBody),
    "show_provider_traits": Shape({200: answers.ProviderTraitsAnswer}),
    "set_provider_traits": Shape({200: answers.ProviderTraitsAnswer}, bodies.TraitsBody),
    "clear_provider_traits": Shape(DONE),
    "show_provider_allocations": Shape({200: answers.ProviderAllocationsAnswer}),
    "list_resource_classes": Shape({200: answers.ClassesAnswer}),
    "create_resource_class": Shape({201: None}, bodies.NameBody),
    "show_resource_class": Shape({200: answers.ClassAnswer}),
    "ensure_resource_class": Shape(MADE),
    "delete_resource_class": Shape(DONE),
    "list_traits": Shape({200: answers.TraitsAnswer}, query=TRAITS_QUERY.schema),
    "show_trait": Shape(DONE),
    "ensure_trait": Shape(MADE),
    "delete_trait": Shape(DONE),
    "show_allocation": Shape({200: answers.AllocationAnswer}),
    "set_allocation": Shape(DONE, bodies.AllocationBody38),
    "delete_allocation": Shape(DONE),
    "set_allocations": Shape(DONE, bodies.AllocationsBody38),
    "show_usages": Shape({200: answers.UsagesAnswer}, query=USAGES_QUERY[NEWEST].schema),
    "reshape": Shape(DONE, bodies.ReshapeBody38),
    "find_allocation_candidates": Shape(
        {200: answers.CandidatesAnswer}, query=CANDIDATES_QUERY[NEWEST].schema
    ),
    "explain_candidates": Shape(
        {200: own_answers.ExplainedAnswer}, query=CANDIDATES_QUERY[NEWEST].schema
    ),
    "explain_given_candidates": Shape({200: own_answers.ExplainedAnswer}, own.ExplainBody),
    "show_room": Shape({200: own_answers.RoomAnswer}, query=CANDIDATES_QUERY[NEWEST].schema),
    "put_tree": Shape({200: own_answers.TreeAnswer}, own.TreeBody),
    "claim_best": Shape({200: own_answers.ClaimAnswer}, own_claims.ClaimBestBody),
    "claim": Shape({200: own_answers.GrantedAnswer}, own_claims.ClaimsBody),
    "list_changes": Shape({200: own_answers.ChangesAnswer}, query=own.CHANGES_QUERY.schema),
    "list_consumers": Shape({200: own_answers.ConsumersAnswer}, query=own.CONSUMERS_QUERY.schema),
}
"""What each operation looks like at the newest microversion, by its name."""


def placement_document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document of these endpoints as indented JSON."""
    document = openapi("Placement", __version__, PLACEMENT_VERSIONS, endpoints, SHAPES)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
