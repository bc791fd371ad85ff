"""The operations of the Placement API, bound to a placement and to how they look on the wire."""

import random

from computekit.api.placement import Hosted, KnownNames
from computekit.api.placement import allocations as allocation_api
from computekit.api.placement import candidates as candidate_api
from computekit.api.placement import inventories as inventory_api
from computekit.api.placement import memberships as membership_api
from computekit.api.placement import names as name_api
from computekit.api.placement import own as own_api
from computekit.api.placement import provider_pages as page_api
from computekit.api.placement import providers as provider_api
from computekit.clock import Clock, SystemClock
from computekit.http.endpoint import Endpoint, endpoint
from computekit.http.placement import (
    allocations,
    candidates,
    inventories,
    memberships,
    names,
    own,
    own_claims,
    provider_pages,
    providers,
    usages,
)
from computekit.http.placement.provider_first import ProviderFirst
from computekit.http.placement.words import no_parts, no_provider, worded

__all__ = ["placement_endpoints"]


def placement_endpoints(
    placement: Hosted, source: random.Random, clock: Clock | None = None
) -> tuple[Endpoint, ...]:
    """Return every operation of the Placement API, carried out by `placement`.

    Args:
        placement: keeps the books.
        source: for the ids of providers whose callers leave that to the service.
        clock: says when an answer was put together; by default the machine's.
    """
    now = SystemClock() if clock is None else clock
    known = KnownNames(placement.store, placement.books)
    of_providers = provider_api.ProviderCalls(placement, known, source)
    return (
        *_of_providers(placement, of_providers, now),
        _of_pages(page_api.ProviderPageCalls(of_providers)),
        *_of_inventories(placement, inventory_api.InventoryCalls(placement, known)),
        *_of_memberships(placement, membership_api.MembershipCalls(placement, known)),
        *_of_classes(name_api.NameCalls(placement), now),
        *_of_traits(name_api.NameCalls(placement), now),
        *_of_allocations(allocation_api.AllocationCalls(placement, known), now),
        *_of_candidates(candidate_api.CandidateCalls(placement, known), now),
        *_of_our_own(own_api.OwnCalls(placement, known)),
    )


def _of_providers(
    placement: Hosted, calls: provider_api.ProviderCalls, clock: Clock
) -> tuple[Endpoint, ...]:
    return (
        endpoint(
            provider_api.SHOW_VERSIONS, provider_api.show_versions, providers.VersionsForm(clock)
        ),
        endpoint(
            provider_api.LIST_PROVIDERS,
            worded(calls.all, providers.list_words),
            providers.ProvidersForm(clock),
        ),
        endpoint(
            provider_api.CREATE_PROVIDER,
            worded(calls.create, providers.create_words),
            providers.NewProviderForm(),
        ),
        endpoint(
            provider_api.SHOW_PROVIDER, worded(calls.show, no_provider), providers.ProviderForm()
        ),
        endpoint(
            provider_api.UPDATE_PROVIDER,
            worded(calls.update, providers.update_words),
            ProviderFirst(providers.ProviderChangeForm(), placement),
        ),
        endpoint(
            provider_api.DELETE_PROVIDER,
            worded(calls.delete, providers.delete_words),
            providers.ProviderPathForm(),
        ),
    )


def _of_pages(calls: page_api.ProviderPageCalls) -> Endpoint:
    return endpoint(
        page_api.LIST_PROVIDER_PAGE,
        worded(calls.page, provider_pages.page_words),
        provider_pages.ProviderPageForm(),
    )


def _of_inventories(placement: Hosted, calls: inventory_api.InventoryCalls) -> tuple[Endpoint, ...]:
    return (
        endpoint(
            inventory_api.SHOW_INVENTORIES,
            worded(calls.show, no_parts),
            inventories.InventoriesForm(),
        ),
        endpoint(
            inventory_api.SET_INVENTORIES,
            worded(calls.set_all, inventories.set_all_words),
            ProviderFirst(inventories.InventoriesChangeForm(), placement),
        ),
        endpoint(
            inventory_api.ADD_INVENTORY,
            worded(calls.add, inventories.add_words),
            ProviderFirst(inventories.NewInventoryForm(), placement),
        ),
        endpoint(
            inventory_api.DELETE_INVENTORIES,
            worded(calls.delete_all, inventories.delete_all_words),
            providers.ProviderPathForm(),
        ),
        endpoint(
            inventory_api.SHOW_INVENTORY,
            worded(calls.show_one, inventories.show_one_words),
            inventories.InventoryForm(),
        ),
        endpoint(
            inventory_api.SET_INVENTORY,
            worded(calls.set_one, inventories.set_one_words),
            ProviderFirst(inventories.InventoryChangeForm(), placement),
        ),
        endpoint(
            inventory_api.DELETE_INVENTORY,
            worded(calls.delete_one, inventories.delete_one_words),
            inventories.InventoryPathForm(),
        ),
        endpoint(
            inventory_api.SHOW_PROVIDER_USAGES,
            worded(calls.show, no_parts),
            inventories.ProviderUsagesForm(),
        ),
    )


def _of_memberships(
    placement: Hosted, calls: membership_api.MembershipCalls
) -> tuple[Endpoint, ...]:
    return (
        endpoint(
            membership_api.SHOW_AGGREGATES,
            worded(calls.show_aggregates, no_provider),
            memberships.AggregatesForm(),
        ),
        endpoint(
            membership_api.SET_AGGREGATES,
            worded(calls.set_aggregates, memberships.aggregate_words),
            ProviderFirst(memberships.AggregatesChangeForm(), placement),
        ),
        endpoint(
            membership_api.SHOW_PROVIDER_TRAITS,
            worded(calls.show_traits, no_parts),
            memberships.ProviderTraitsForm(),
        ),
        endpoint(
            membership_api.SET_PROVIDER_TRAITS,
            worded(calls.set_traits, memberships.trait_words),
            memberships.TraitsChangeForm(),
        ),
        endpoint(
            membership_api.CLEAR_PROVIDER_TRAITS,
            worded(calls.clear_traits, no_provider),
            providers.ProviderPathForm(),
        ),
    )


def _of_classes(calls: name_api.NameCalls, clock: Clock) -> tuple[Endpoint, ...]:
    return (
        endpoint(name_api.LIST_CLASSES, calls.classes, names.ClassesForm(clock)),
        endpoint(
            name_api.CREATE_CLASS,
            worded(calls.create_class, names.create_class_words),
            names.NewClassForm(),
        ),
        endpoint(
            name_api.SHOW_CLASS,
            worded(calls.show_class, names.class_words),
            names.ClassForm(clock),
        ),
        endpoint(
            name_api.RENAME_CLASS,
            worded(calls.rename_class, names.rename_class_words),
            names.ClassRenameForm(),
        ),
        endpoint(name_api.ENSURE_CLASS, calls.ensure_class, names.EnsureClassForm()),
        endpoint(
            name_api.DELETE_CLASS,
            worded(calls.delete_class, names.delete_class_words),
            names.ClassPathForm(),
        ),
    )


def _of_traits(calls: name_api.NameCalls, clock: Clock) -> tuple[Endpoint, ...]:
    return (
        endpoint(name_api.LIST_TRAITS, calls.traits, names.TraitsForm(clock)),
        endpoint(
            name_api.SHOW_TRAIT,
            worded(calls.show_trait, names.trait_words),
            names.TraitForm(clock),
        ),
        endpoint(name_api.ENSURE_TRAIT, calls.ensure_trait, names.EnsureTraitForm()),
        endpoint(
            name_api.DELETE_TRAIT,
            worded(calls.delete_trait, names.trait_words),
            names.TraitPathForm(),
        ),
    )


def _of_allocations(calls: allocation_api.AllocationCalls, clock: Clock) -> tuple[Endpoint, ...]:
    return (
        endpoint(allocation_api.SHOW_ALLOCATION, calls.show, allocations.AllocationForm(clock)),
        endpoint(
            allocation_api.SET_ALLOCATION,
            worded(calls.set, allocations.set_words),
            allocations.AllocationChangeForm(),
        ),
        endpoint(
            allocation_api.DELETE_ALLOCATION,
            worded(calls.delete, allocations.delete_words),
            allocations.ConsumerPathForm(),
        ),
        endpoint(
            allocation_api.SET_ALLOCATIONS,
            worded(calls.set, allocations.set_words),
            allocations.AllocationsChangeForm(),
        ),
        endpoint(
            allocation_api.SHOW_PROVIDER_ALLOCATIONS,
            worded(calls.of_provider, no_parts),
            allocations.ProviderAllocationsForm(),
        ),
        endpoint(
            allocation_api.SHOW_USAGES,
            calls.usages,
            usages.UsagesForm(clock),
            project=lambda asked: asked.project_id,
        ),
        endpoint(
            allocation_api.RESHAPE,
            worded(calls.reshape, allocations.reshape_words),
            allocations.ReshapeForm(),
        ),
    )


def _of_candidates(calls: candidate_api.CandidateCalls, clock: Clock) -> tuple[Endpoint, ...]:
    return (
        endpoint(
            candidate_api.FIND_CANDIDATES,
            worded(calls.find, candidates.request_words),
            candidates.CandidatesForm(clock),
        ),
    )


def _of_our_own(calls: own_api.OwnCalls) -> tuple[Endpoint, ...]:
    words = candidates.request_words
    return (
        endpoint(own_api.EXPLAIN, worded(calls.explain, words), own.ExplainForm()),
        endpoint(own_api.EXPLAIN_GIVEN, worded(calls.explain, words), own.ExplainGivenForm()),
        endpoint(own_api.SHOW_ROOM, worded(calls.room, words), own.RoomForm()),
        endpoint(own_api.PUT_TREE, calls.put_tree, own.TreeForm()),
        endpoint(own_api.CLAIM_BEST, worded(calls.claim_best, words), own_claims.ClaimBestForm()),
        endpoint(own_api.CLAIM, calls.claim, own_claims.ClaimsForm()),
        endpoint(own_api.LIST_CHANGES, calls.changes, own.ChangesForm()),
        endpoint(own_api.LIST_CONSUMERS, calls.consumers, own.ConsumersForm()),
    )
