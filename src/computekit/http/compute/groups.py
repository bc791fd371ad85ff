"""Server groups on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from computekit.api.compute.base import Page
from computekit.api.compute.groups import GroupPath, GroupQuery, NewGroup
from computekit.compute import GroupMembers
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer
from computekit.http.compute.query import QueryText
from computekit.http.compute.versioned import Body, between, since, until
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ServerGroupId
from computekit.model import FrozenMap, group_words

Text = Annotated[str, Meta(min_length=1, max_length=255)]


class GroupAnswer(Struct, kw_only=True):
    """A server group."""

    id: str
    name: str
    members: list[str]
    policies: Annotated[list[str], until(63)]
    metadata: Annotated[dict[str, str], until(63)]
    policy: Annotated[str, since(64)]
    rules: Annotated[dict[str, int | str], since(64)]
    project_id: Annotated[str, since(13)]
    user_id: Annotated[str, since(13)]


class OneGroup(Struct):
    """A server group under its name."""

    server_group: GroupAnswer


class GroupsAnswer(Struct):
    """Server groups."""

    server_groups: list[GroupAnswer]


class NewFields(Struct, kw_only=True, forbid_unknown_fields=True):
    """A server group to be made."""

    name: Text
    policies: Annotated[
        list[str] | UnsetType, between(None, 63, {"minItems": 1, "maxItems": 1})
    ] = UNSET
    policy: Annotated[str | UnsetType, since(64)] = UNSET
    rules: Annotated[dict[Text, int | str] | UnsetType, since(64)] = UNSET


class NewBody(Struct, forbid_unknown_fields=True):
    """A server group to be made, under its name."""

    server_group: NewFields


_NEW = Body(NewBody)


def parse_query_of(request: HttpRequest, _minor: int) -> GroupQuery:
    """Return which server groups are asked for."""
    query = QueryText(request.query)
    everybody = "all_projects" in request.query and query.flag("all_projects") is not False
    asked = GroupQuery(everybody, query.number("offset", 0), query.limit())
    query.check()
    return asked


def parse_path(request: HttpRequest, _minor: int) -> GroupPath:
    """Return which server group a path names."""
    return GroupPath(ServerGroupId(request.values["group"]))


def parse_new(request: HttpRequest, minor: int) -> NewGroup:
    """Return the server group that is to be made."""
    asked = _NEW.parse(request.body, minor).server_group
    name = asked.name.strip()
    if minor < 64:
        policies = [] if isinstance(asked.policies, UnsetType) else asked.policies
        if len(policies) != 1:
            raise InvalidInput((Fault("server_group.policies", "count", "has one policy"),))
        if minor < 15 and policies[0].startswith("soft-"):
            message = "soft policies are known since 2.15"
            raise InvalidInput((Fault("server_group.policies", "microversion", message),))
        return NewGroup(name, policies[0])
    if isinstance(asked.policy, UnsetType):
        raise InvalidInput((Fault("server_group.policy", "required", "says what members do"),))
    rules = {} if isinstance(asked.rules, UnsetType) else asked.rules
    return NewGroup(name, asked.policy, FrozenMap(rules))


def _said(found: GroupMembers) -> GroupAnswer:
    group = found.group
    words = group_words(group.rules)
    policy = "" if words is None else words.policy
    return GroupAnswer(
        id=group.id,
        name=group.name,
        members=[member.id for member in found.members],
        policies=[policy],
        metadata={},
        policy=policy,
        rules={} if words is None else dict(words.rules),
        project_id=group.project,
        user_id=group.user or "",
    )


def render_groups(output: Page[GroupMembers], reader: Reader) -> Answer:
    """Return server groups."""
    return answer(200, GroupsAnswer([_said(found) for found in output.items]), reader)


def render_group(output: GroupMembers, reader: Reader) -> Answer:
    """Return one server group."""
    return answer(200, OneGroup(_said(output)), reader)
