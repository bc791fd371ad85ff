"""Limits and quotas on the wire."""

from typing import Annotated

from msgspec import Struct, field

from computekit.api.compute.limits import UNLIMITED, Limits, LimitsQuery
from computekit.http.compute.binding import Reader, answer
from computekit.http.compute.query import QueryText
from computekit.http.compute.versioned import until
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProjectId


class Absolute(Struct, kw_only=True):
    """What a project may have, and has."""

    image_meta: Annotated[int, until(38)] = field(name="maxImageMeta", default=128)
    personality: Annotated[int, until(56)] = field(name="maxPersonality", default=0)
    personality_size: Annotated[int, until(56)] = field(name="maxPersonalitySize", default=0)
    security_groups: Annotated[int, until(35)] = field(name="maxSecurityGroups", default=-1)
    security_rules: Annotated[int, until(35)] = field(name="maxSecurityGroupRules", default=-1)
    floating_ips: Annotated[int, until(35)] = field(name="maxTotalFloatingIps", default=-1)
    floating_ips_used: Annotated[int, until(35)] = field(name="totalFloatingIpsUsed", default=0)
    groups_used: Annotated[int, until(35)] = field(name="totalSecurityGroupsUsed", default=0)
    server_meta: int = field(name="maxServerMeta")
    server_groups: int = field(name="maxServerGroups")
    members: int = field(name="maxServerGroupMembers")
    cores: int = field(name="maxTotalCores", default=UNLIMITED)
    instances: int = field(name="maxTotalInstances", default=UNLIMITED)
    keypairs: int = field(name="maxTotalKeypairs")
    ram: int = field(name="maxTotalRAMSize", default=UNLIMITED)
    cores_used: int = field(name="totalCoresUsed")
    instances_used: int = field(name="totalInstancesUsed")
    ram_used: int = field(name="totalRAMUsed")
    server_groups_used: int = field(name="totalServerGroupsUsed")


class LimitsPart(Struct):
    """Limits, and those on how often one may ask: there are none."""

    absolute: Absolute
    rate: list[str]


class LimitsAnswer(Struct):
    """Limits under their name."""

    limits: LimitsPart


class QuotaSet(Struct, kw_only=True):
    """What a project may have."""

    id: str
    instances: int = UNLIMITED
    cores: int = UNLIMITED
    ram: int = UNLIMITED
    metadata_items: int
    key_pairs: int
    server_groups: int
    server_group_members: int
    fixed_ips: Annotated[int, until(35)] = UNLIMITED
    floating_ips: Annotated[int, until(35)] = UNLIMITED
    security_groups: Annotated[int, until(35)] = UNLIMITED
    security_group_rules: Annotated[int, until(35)] = UNLIMITED
    injected_files: Annotated[int, until(56)] = 0
    injected_file_content_bytes: Annotated[int, until(56)] = 0
    injected_file_path_bytes: Annotated[int, until(56)] = 0


class QuotaAnswer(Struct):
    """What a project may have, under its name."""

    quota_set: QuotaSet


def parse_query_of(request: HttpRequest, _minor: int) -> LimitsQuery:
    """Return whose limits are asked for."""
    project = QueryText(request.query).text("tenant_id")
    return LimitsQuery(None if project is None else ProjectId(project))


def parse_path(request: HttpRequest, _minor: int) -> LimitsQuery:
    """Return whose quota is asked for."""
    return LimitsQuery(ProjectId(request.values["project"]))


def render_limits(output: Limits, reader: Reader) -> Answer:
    """Return limits."""
    absolute = Absolute(
        server_meta=output.most_metadata,
        server_groups=output.most_groups,
        members=output.most_members,
        keypairs=output.most_keypairs,
        cores_used=output.vcpus,
        instances_used=output.servers,
        ram_used=output.memory_mib,
        server_groups_used=output.groups,
    )
    return answer(200, LimitsAnswer(LimitsPart(absolute, [])), reader)


def render_quota(output: Limits, reader: Reader) -> Answer:
    """Return a quota."""
    said = QuotaSet(
        id=output.project,
        metadata_items=output.most_metadata,
        key_pairs=output.most_keypairs,
        server_groups=output.most_groups,
        server_group_members=output.most_members,
    )
    return answer(200, QuotaAnswer(said), reader)
