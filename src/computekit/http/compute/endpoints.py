"""The operations of the Compute API, bound to their calls and to how they look on the wire."""

from computekit.api.compute import Cloud
from computekit.api.compute import actions as action_api
from computekit.api.compute import aggregates as aggregate_api
from computekit.api.compute import flavors as flavor_api
from computekit.api.compute import groups as group_api
from computekit.api.compute import hosts as host_api
from computekit.api.compute import instance_actions as history_api
from computekit.api.compute import keypairs as keypair_api
from computekit.api.compute import labels as label_api
from computekit.api.compute import limits as limit_api
from computekit.api.compute import servers as server_api
from computekit.api.compute import versions as version_api
from computekit.http.compute import (
    actions,
    aggregates,
    flavors,
    groups,
    hosts,
    instance_actions,
    keypairs,
    labels,
    limits,
    links,
    servers,
)
from computekit.http.compute.binding import bound, empty
from computekit.http.compute.not_yet import not_yet_endpoints
from computekit.http.endpoint import Endpoint

__all__ = ["compute_endpoints"]


def compute_endpoints(cloud: Cloud) -> tuple[Endpoint, ...]:
    """Return every operation of the Compute API, carried out by `cloud`."""
    return (
        *_of_versions(),
        *_of_flavors(flavor_api.FlavorCalls(cloud)),
        *_of_servers(server_api.ServerCalls(cloud)),
        *_of_labels(label_api.LabelCalls(cloud)),
        *_of_actions(cloud),
        *_of_keypairs(keypair_api.KeypairCalls(cloud)),
        *_of_groups(group_api.GroupCalls(cloud)),
        *_of_limits(limit_api.LimitCalls(cloud)),
        *_of_aggregates(aggregate_api.AggregateCalls(cloud)),
        *_of_hosts(host_api.HostCalls(cloud)),
        *not_yet_endpoints(),
    )


def _nothing(_request: object, _minor: int) -> None:
    return None


def _of_versions() -> tuple[Endpoint, ...]:
    show = version_api.show_versions
    return (
        bound(version_api.LIST_VERSIONS, show, _nothing, links.render_versions),
        bound(version_api.SHOW_VERSION, show, _nothing, links.render_version),
    )


def _of_flavors(calls: flavor_api.FlavorCalls) -> tuple[Endpoint, ...]:
    api, at, flavor = flavor_api, flavors.parse_path, flavors.render_flavor
    return (
        bound(api.LIST_FLAVORS, calls.all, flavors.parse_query_of, flavors.render_names),
        bound(api.LIST_FLAVORS_DETAIL, calls.all, flavors.parse_query_of, flavors.render_details),
        bound(api.SHOW_FLAVOR, calls.show, at, flavor),
        bound(api.CREATE_FLAVOR, calls.create, flavors.parse_new, flavor),
        bound(api.DESCRIBE_FLAVOR, calls.describe, flavors.parse_description, flavor),
        bound(api.DELETE_FLAVOR, calls.delete, at, empty(202)),
        bound(api.LIST_EXTRA_SPECS, calls.show, at, flavors.render_specs),
        bound(api.SET_EXTRA_SPECS, calls.set_specs, flavors.parse_specs, flavors.render_specs),
        bound(api.SHOW_EXTRA_SPEC, calls.show_spec, flavors.parse_spec, flavors.render_spec),
        bound(api.SET_EXTRA_SPEC, calls.set_spec, flavors.parse_one_spec, flavors.render_spec),
        bound(api.DELETE_EXTRA_SPEC, calls.set_specs, flavors.parse_spec_path, empty(200)),
        bound(api.LIST_FLAVOR_ACCESS, calls.access, at, flavors.render_access),
        bound(
            api.ADD_FLAVOR_ACCESS,
            calls.change_access,
            flavors.parse_access,
            flavors.render_access,
        ),
    )


def _of_servers(calls: server_api.ServerCalls) -> tuple[Endpoint, ...]:
    api, at = server_api, servers.parse_path
    return (
        bound(api.LIST_SERVERS, calls.all, servers.parse_query_of, servers.render_names),
        bound(api.LIST_SERVERS_DETAIL, calls.all, servers.parse_query_of, servers.render_details),
        bound(api.SHOW_SERVER, calls.show, at, servers.render_server),
        bound(api.CREATE_SERVER, calls.create, servers.parse_new, servers.render_made),
        bound(api.UPDATE_SERVER, calls.update, servers.parse_change, servers.render_updated),
        bound(api.DELETE_SERVER, calls.delete, at, empty(204)),
    )


def _of_actions(cloud: Cloud) -> tuple[Endpoint, ...]:
    act, history = action_api.ActionCalls(cloud).act, history_api.ActionCalls(cloud)
    form = instance_actions
    return (
        bound(action_api.ACT_ON_SERVER, act, actions.parse_action, actions.render_acted),
        bound(history_api.LIST_ACTIONS, history.all, form.parse_query_of, form.render_actions),
        bound(history_api.SHOW_ACTION, history.show, form.parse_path, form.render_action),
    )


def _of_labels(calls: label_api.LabelCalls) -> tuple[Endpoint, ...]:
    api, at, form = label_api, labels.parse_path, labels
    write, tags = calls.write_metadata, calls.write_tags
    return (
        bound(api.LIST_METADATA, calls.metadata, at, form.render_metadata),
        bound(api.SHOW_METADATA_ITEM, calls.metadata, at, form.render_item),
        bound(api.MERGE_METADATA, write, form.parse_merge, form.render_metadata),
        bound(api.REPLACE_METADATA, write, form.parse_replace, form.render_metadata),
        bound(api.SET_METADATA_ITEM, calls.set_item, form.parse_item, form.render_item),
        bound(api.DELETE_METADATA_ITEM, write, form.parse_gone_item, empty(204)),
        bound(api.LIST_TAGS, calls.tags, at, form.render_tags),
        bound(api.SHOW_TAG, calls.show_tag, at, empty(204)),
        bound(api.SET_TAGS, tags, form.parse_tags, form.render_tags),
        bound(api.ADD_TAG, tags, form.parse_tag, form.render_tag),
        bound(api.DELETE_TAG, tags, form.parse_gone_tag, empty(204)),
        bound(api.DELETE_TAGS, tags, form.parse_no_tags, empty(204)),
    )


def _of_keypairs(calls: keypair_api.KeypairCalls) -> tuple[Endpoint, ...]:
    api, form = keypair_api, keypairs
    return (
        bound(api.LIST_KEYPAIRS, calls.all, form.parse_query_of, form.render_keypairs),
        bound(api.SHOW_KEYPAIR, calls.show, form.parse_path, form.render_keypair),
        bound(api.CREATE_KEYPAIR, calls.create, form.parse_new, form.render_made),
        bound(api.DELETE_KEYPAIR, calls.delete, form.parse_path, form.render_gone),
    )


def _of_groups(calls: group_api.GroupCalls) -> tuple[Endpoint, ...]:
    api, form = group_api, groups
    return (
        bound(api.LIST_GROUPS, calls.all, form.parse_query_of, form.render_groups),
        bound(api.SHOW_GROUP, calls.show, form.parse_path, form.render_group),
        bound(api.CREATE_GROUP, calls.create, form.parse_new, form.render_group),
        bound(api.DELETE_GROUP, calls.delete, form.parse_path, empty(204)),
    )


def _of_limits(calls: limit_api.LimitCalls) -> tuple[Endpoint, ...]:
    api, form = limit_api, limits
    return (
        bound(api.SHOW_LIMITS, calls.show, form.parse_query_of, form.render_limits),
        bound(api.SHOW_QUOTA, calls.show, form.parse_path, form.render_quota),
    )


def _of_aggregates(calls: aggregate_api.AggregateCalls) -> tuple[Endpoint, ...]:
    api, form = aggregate_api, aggregates
    one, words = form.render_aggregate, form.in_use_words
    return (
        bound(api.LIST_AGGREGATES, calls.all, _nothing, form.render_aggregates),
        bound(api.SHOW_AGGREGATE, calls.show, form.parse_path, one),
        bound(api.CREATE_AGGREGATE, calls.create, form.parse_new, form.render_made, words),
        bound(api.UPDATE_AGGREGATE, calls.change, form.parse_update, one, words),
        bound(api.CHANGE_AGGREGATE, calls.change, form.parse_action, one),
        bound(api.DELETE_AGGREGATE, calls.delete, form.parse_path, empty(200), words),
    )


def _of_hosts(calls: host_api.HostCalls) -> tuple[Endpoint, ...]:
    api, form, many = host_api, hosts, hosts.parse_hypervisors
    return (
        bound(api.LIST_HYPERVISORS, calls.hypervisors, many, form.render_hypervisor_names),
        bound(api.LIST_HYPERVISORS_DETAIL, calls.hypervisors, many, form.render_hypervisors),
        bound(api.SHOW_HYPERVISOR, calls.hypervisor, form.parse_hypervisor, form.render_hypervisor),
        bound(api.LIST_SERVICES, calls.services, form.parse_services, form.render_services),
        bound(api.SET_SERVICE, calls.set_service, form.parse_service, form.render_service),
        bound(
            api.SET_SERVICE_BY_NAME,
            calls.set_service,
            form.parse_old_service,
            form.render_old_service,
        ),
        bound(api.LIST_ZONES, calls.zones, _nothing, form.render_zones),
        bound(api.LIST_ZONES_DETAIL, calls.zones, _nothing, form.render_zones_detail),
    )
