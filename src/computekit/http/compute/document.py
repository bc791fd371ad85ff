"""The Compute API as an OpenAPI document."""

from collections.abc import Iterable, Mapping

import msgspec

from computekit import __version__
from computekit.api.compute import COMPUTE_VERSIONS
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
    server_answers,
    server_bodies,
)
from computekit.http.compute.not_yet import PREFIX
from computekit.http.endpoint import Endpoint
from computekit.http.openapi import Shape, openapi

__all__ = ["SHAPES", "compute_document"]


class FaultFields(msgspec.Struct):
    """Why a request was refused."""

    code: int
    message: str
    reason: str | msgspec.UnsetType = msgspec.UNSET


def _query(**members: str) -> Mapping[str, object]:
    """Return the schema of a query from the types of its members; `_` stands for `-`."""
    return {
        "type": "object",
        "properties": {name.replace("__", "-"): {"type": of} for name, of in members.items()},
    }


_PAGE = {"limit": "integer", "marker": "string"}
_SORT = {"sort_key": "string", "sort_dir": "string"}
_SERVERS = _query(
    name="string",
    status="string",
    host="string",
    image="string",
    flavor="string",
    uuid="string",
    user_id="string",
    project_id="string",
    reservation_id="string",
    locked="string",
    deleted="string",
    all_tenants="string",
    tags="string",
    tags__any="string",
    not__tags="string",
    not__tags__any="string",
    changes__since="string",
    changes__before="string",
    **_PAGE,
    **_SORT,
)
_FLAVORS = _query(
    is_public="string", name="string", minDisk="integer", minRam="integer", **_PAGE, **_SORT
)
_HYPERVISORS = _query(hypervisor_hostname_pattern="string", with_servers="string", **_PAGE)
_ACTIONS = _query(changes__since="string", changes__before="string", **_PAGE)
_USER = _query(user_id="string")

DONE: Mapping[int, object | None] = {204: None}

SHAPES: Mapping[str, Shape] = {
    "list_versions": Shape({200: links.VersionsAnswer}),
    "show_version": Shape({200: links.VersionAnswer}),
    "list_flavors": Shape({200: flavors.FlavorNamesAnswer}, query=_FLAVORS),
    "list_flavors_detail": Shape({200: flavors.FlavorsAnswer}, query=_FLAVORS),
    "show_flavor": Shape({200: flavors.OneFlavor}),
    "create_flavor": Shape({200: flavors.OneFlavor}, flavors.NewFlavorBody),
    "describe_flavor": Shape({200: flavors.OneFlavor}, flavors.DescriptionBody),
    "delete_flavor": Shape({202: None}),
    "list_extra_specs": Shape({200: flavors.SpecsAnswer}),
    "set_extra_specs": Shape({200: flavors.SpecsAnswer}, flavors.SpecsBody),
    "show_extra_spec": Shape({200: dict[str, str]}),
    "set_extra_spec": Shape({200: dict[str, str]}, dict[str, str]),
    "delete_extra_spec": Shape({200: None}),
    "list_flavor_access": Shape({200: flavors.AccessAnswer}),
    "change_flavor_access": Shape({200: flavors.AccessAnswer}, flavors.AccessBody),
    "list_servers": Shape({200: server_answers.ServerNamesAnswer}, query=_SERVERS),
    "list_servers_detail": Shape({200: server_answers.ServersAnswer}, query=_SERVERS),
    "show_server": Shape({200: server_answers.OneServer}),
    "create_server": Shape({202: server_answers.MadeAnswer}, server_bodies.NewServerBody),
    "update_server": Shape({200: server_answers.OneServer}, server_bodies.ServerChangeBody),
    "delete_server": Shape(DONE),
    "act_on_server": Shape({200: actions.OutputAnswer, 202: None}, actions.ActionBody),
    "list_metadata": Shape({200: labels.MetadataAnswer}),
    "show_metadata_item": Shape({200: labels.ItemAnswer}),
    "merge_metadata": Shape({200: labels.MetadataAnswer}, labels.MetadataBody),
    "replace_metadata": Shape({200: labels.MetadataAnswer}, labels.MetadataBody),
    "set_metadata_item": Shape({200: labels.ItemAnswer}, labels.ItemBody),
    "delete_metadata_item": Shape(DONE),
    "list_tags": Shape({200: labels.TagsAnswer}),
    "show_tag": Shape(DONE),
    "set_tags": Shape({200: labels.TagsAnswer}, labels.TagsBody),
    "add_tag": Shape({201: None, 204: None}),
    "delete_tag": Shape(DONE),
    "delete_tags": Shape(DONE),
    "list_instance_actions": Shape({200: instance_actions.ActionsAnswer}, query=_ACTIONS),
    "show_instance_action": Shape({200: instance_actions.OneAction}),
    "list_keypairs": Shape({200: keypairs.KeypairsAnswer}, query=_query(user_id="string", **_PAGE)),
    "show_keypair": Shape({200: keypairs.ShownAnswer}, query=_USER),
    "create_keypair": Shape({201: keypairs.MadeAnswer}, keypairs.NewKeypairBody),
    "delete_keypair": Shape(DONE, query=_USER),
    "list_server_groups": Shape(
        {200: groups.GroupsAnswer},
        query=_query(all_projects="string", limit="integer", offset="integer"),
    ),
    "show_server_group": Shape({200: groups.OneGroup}),
    "create_server_group": Shape({200: groups.OneGroup}, groups.NewBody),
    "delete_server_group": Shape(DONE),
    "show_limits": Shape({200: limits.LimitsAnswer}, query=_query(tenant_id="string")),
    "show_quota_set": Shape({200: limits.QuotaAnswer}),
    "list_aggregates": Shape({200: aggregates.AggregatesAnswer}),
    "show_aggregate": Shape({200: aggregates.OneAggregate}),
    "create_aggregate": Shape({200: aggregates.OneAggregate}, aggregates.NewBody),
    "update_aggregate": Shape({200: aggregates.OneAggregate}, aggregates.UpdateBody),
    "change_aggregate": Shape({200: aggregates.OneAggregate}, aggregates.ActionBody),
    "delete_aggregate": Shape({200: None}),
    "list_hypervisors": Shape({200: hosts.HypervisorNamesAnswer}, query=_HYPERVISORS),
    "list_hypervisors_detail": Shape({200: hosts.HypervisorsAnswer}, query=_HYPERVISORS),
    "show_hypervisor": Shape({200: hosts.HypervisorAnswer}, query=_query(with_servers="string")),
    "list_services": Shape(
        {200: hosts.ServicesAnswer}, query=_query(host="string", binary="string")
    ),
    "set_service": Shape({200: hosts.ServiceAnswer}, hosts.ServiceBody),
    "list_zones": Shape({200: hosts.ZonesAnswer}),
    "list_zones_detail": Shape({200: hosts.ZonesAnswer}),
}
"""What each operation looks like at the newest microversion, by its name."""


def compute_document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document of these endpoints as indented JSON."""
    fault = dict[str, FaultFields]
    there = [it for it in endpoints if not it.name.startswith(PREFIX)]
    document = openapi("Compute", __version__, COMPUTE_VERSIONS, there, SHAPES, fault)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
