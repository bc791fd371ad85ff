"""Resource providers on the wire."""

from functools import lru_cache

import msgspec

from computekit.api import Microversion, VersionRange
from computekit.api.placement.providers import (
    ChangedProvider,
    NewProvider,
    ProviderChange,
    ProviderPath,
    ProviderQuery,
)
from computekit.clock import Clock
from computekit.errors import AlreadyExists, ComputekitError, InUse, NotFound
from computekit.http.placement.bodies import (
    NewProviderBody1,
    NewProviderBody14,
    ProviderBody1,
    ProviderBody14,
)
from computekit.http.placement.body import Body, bad_request
from computekit.http.placement.groups import (
    Aggregates,
    Traits,
    parse_aggregates,
    parse_resources,
    parse_traits,
)
from computekit.http.placement.query import (
    KNOWN_UUID,
    TEXT,
    Query,
    QuerySchema,
    version_table,
)
from computekit.http.placement.uuids import canonical_uuid
from computekit.http.placement.words import (
    DUPLICATE_NAME,
    bad,
    conflict,
    fault_of,
    missing,
    no_provider,
    unknown_classes,
    unknown_traits,
)
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProviderId
from computekit.model import RequestGroup, Resources
from computekit.placement.ports import ProviderUse
from computekit.placement.service import ProviderNode

__all__ = [
    "NEWEST_PROPERTIES",
    "NewProviderForm",
    "ProviderChangeForm",
    "ProviderForm",
    "ProviderPathForm",
    "ProvidersForm",
    "VersionsForm",
    "create_words",
    "delete_words",
    "list_words",
    "provider_json",
    "provider_of",
    "provider_query",
    "undated",
    "update_words",
]

_NAMES = {"name": TEXT, "uuid": KNOWN_UUID}
_GROUPS = {**_NAMES, "member_of": TEXT}
_AMOUNTS = {**_GROUPS, "resources": TEXT}
_TREES = {**_AMOUNTS, "in_tree": KNOWN_UUID}
NEWEST_PROPERTIES = {**_TREES, "required": TEXT}
PROVIDERS_QUERY = version_table(
    {
        0: QuerySchema(_NAMES),
        3: QuerySchema(_GROUPS),
        4: QuerySchema(_AMOUNTS),
        14: QuerySchema(_TREES),
        18: QuerySchema(NEWEST_PROPERTIES),
    }
)

_NEW_1 = Body(NewProviderBody1)
_NEW_14 = Body(NewProviderBody14)
_CHANGE_1 = Body(ProviderBody1)
_CHANGE_14 = Body(ProviderBody14)


def undated(version: Microversion) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer that would have a date if there were one."""
    return (("cache-control", "no-cache"),) if version.minor >= 15 else ()


def provider_of(request: HttpRequest) -> ProviderId:
    """Return the provider that a path names."""
    return ProviderId(request.values["uuid"])


class VersionsForm:
    """The version document."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> None:
        return None

    def render(self, output: VersionRange, version: Microversion) -> Answer:
        document = {
            "id": f"v{output.oldest}",
            "max_version": str(output.newest),
            "min_version": str(output.oldest),
            "status": "CURRENT",
            "links": [{"rel": "self", "href": ""}],
        }
        body = msgspec.json.encode({"versions": [document]})
        return Answer(200, body, modified_s=self._clock.wall_s())


class ProviderPathForm:
    """A provider named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class ProviderForm:
    """One provider."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderPath:
        return ProviderPath(provider_of(request))

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        body = provider_json(_node(output), version)
        return Answer(200, body, modified_s=output.updated_s)


class ProvidersForm:
    """A list of providers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderQuery:
        query = PROVIDERS_QUERY[version.minor].parse(request.query)
        return provider_query(query, version.minor)

    def render(self, output: tuple[ProviderNode, ...], version: Microversion) -> Answer:
        rows = b",".join(provider_json(node, version) for node in output)
        body = b'{"resource_providers":[' + rows + b"]}"
        return Answer(200, body, modified_s=self._clock.wall_s())


def provider_query(query: Query, minor: int) -> ProviderQuery:
    """Return which providers a query string of microversion 1.`minor` asks for.

    Raises:
        Refused: it is malformed.
    """
    last = query.last
    amounts = parse_resources(last["resources"]) if "resources" in last else Resources()
    required = query.all("required")
    if required and minor < 39:  # the last of several silently won
        required = required[-1:]
    traits = parse_traits(required, forbidden=minor >= 22, any_of=minor >= 39)
    aggregates = parse_aggregates(
        query.all("member_of"), repeated=minor >= 24, forbidden=minor >= 32
    )
    tree = last.get("in_tree")
    uuid = last.get("uuid")
    return ProviderQuery(
        last.get("name") or None,
        ProviderId(uuid.lower()) if uuid else None,
        _matching(amounts, traits, aggregates, tree),
    )


def _matching(
    amounts: Resources, traits: Traits, aggregates: Aggregates, tree: str | None
) -> RequestGroup | None:
    group = RequestGroup(
        "",
        amounts,
        traits.required,
        traits.forbidden,
        aggregates.required,
        aggregates.forbidden,
        ProviderId(tree.lower()) if tree else None,
    )
    return None if group == RequestGroup() else group


class NewProviderForm:
    """A provider that is to be made."""

    def parse(self, request: HttpRequest, version: Microversion) -> NewProvider:
        form = _NEW_14 if version.minor >= 14 else _NEW_1
        body: NewProviderBody1 | NewProviderBody14 = form.parse(request.body)
        if not body.name:
            raise bad_request(
                'Unable to create resource provider "": Object action create failed because: '
                "name is required"
            )
        parent = getattr(body, "parent_provider_uuid", None)
        return NewProvider(body.name, _id(body.uuid), _id(parent))

    def render(self, output: ProviderUse, version: Microversion) -> Answer:
        location = f"/resource_providers/{output.provider.id}"
        if version.minor < 20:
            return Answer(201, location=location)
        body = provider_json(_node(output), version)
        return Answer(200, body, location=location, modified_s=output.updated_s)


class ProviderChangeForm:
    """A provider that gets another name or parent."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProviderChange:
        minor = version.minor
        provider = provider_of(request)
        if minor < 14:
            return ProviderChange(provider, _CHANGE_1.parse(request.body).name, keep_parent=True)
        body = _CHANGE_14.parse(request.body)
        return ProviderChange(
            provider,
            body.name,
            _id(body.parent_provider_uuid),
            keep_parent=body.parent_provider_uuid is msgspec.UNSET,
            may_move=minor >= 37,
        )

    def render(self, output: ChangedProvider, version: Microversion) -> Answer:
        body = provider_json(_node(output.use), version)
        before, after = output.before, output.use.provider
        if before.parent is not None and before.generation == 0 and before != after:
            # Placement has no date for a child that nobody has written to before.
            return Answer(200, body, headers=undated(version))
        return Answer(200, body, modified_s=output.use.updated_s)


def _id(text: str | msgspec.UnsetType | None) -> ProviderId | None:
    if not isinstance(text, str):
        return None
    return ProviderId(canonical_uuid(text) or text)


def _node(use: ProviderUse) -> ProviderNode:
    p = use.provider
    return ProviderNode(p.id, p.name, p.generation, use.root, p.parent)


_PARTS = (("inventories", 0), ("usages", 0), ("aggregates", 1), ("traits", 6), ("allocations", 11))


@lru_cache(maxsize=64)
def _around_id(minor: int) -> tuple[bytes, ...]:
    """Return what stands before, between and after the ids in a provider's id and links."""
    path = "/resource_providers/\0"
    links = [{"rel": "self", "href": path}]
    links += [{"rel": part, "href": f"{path}/{part}"} for part, first in _PARTS if minor >= first]
    said = msgspec.json.encode({"uuid": "\0", "links": links})
    return tuple(said.split(b"\\u0000"))


def provider_json(node: ProviderNode, version: Microversion) -> bytes:
    """Return a provider as JSON; lists are long, so only what differs is encoded."""
    encode, minor = msgspec.json.encode, version.minor
    own = encode(node.id)
    said = b'%b,"name":%b,"generation":%d' % (
        own[1:-1].join(_around_id(minor))[:-1],
        encode(node.name),
        node.generation,
    )
    if minor < 14:
        return said + b"}"
    parent, root = encode(node.parent), encode(node.root)
    return b'%b,"parent_provider_uuid":%b,"root_provider_uuid":%b}' % (said, parent, root)


def list_words(error: ComputekitError, _asked: ProviderQuery) -> Problem | None:
    """Say what is wrong with a query for providers."""
    if name := unknown_classes(error):
        detail = f"Invalid resource class in resources parameter: No such resource class {name}."
        return bad(error, detail)
    if names := unknown_traits(error):
        return bad(error, f'Invalid trait(s) in "required" parameter: No such trait(s): {names}.')
    return None


def create_words(error: ComputekitError, asked: NewProvider) -> Problem | None:
    """Say why a provider was not made."""
    if isinstance(error, AlreadyExists):
        what = "uuid" if error.kind == "provider" else "name"
        detail = f"Conflicting resource provider {what}: {error.id} already exists."
        return conflict(error, detail, DUPLICATE_NAME)
    if isinstance(error, NotFound):
        why = "parent provider UUID does not exist."
    elif fault_of(error, "self"):
        why = (
            "parent provider UUID cannot be same as UUID. "
            "Please set parent provider UUID to None if there is no parent."
        )
    else:
        return None
    named = f'"{asked.name}"' + (f", {asked.uuid}" if asked.uuid else "")
    detail = f"Unable to create resource provider {named}: Object action create failed because: "
    return bad(error, detail + why)


def update_words(error: ComputekitError, asked: ProviderChange) -> Problem | None:
    """Say why a provider was not changed."""
    if isinstance(error, AlreadyExists):
        detail = f"Conflicting resource provider {error.id} already exists."
        return conflict(error, detail, DUPLICATE_NAME)
    if isinstance(error, NotFound) and error.kind == "parent provider":
        why = "create failed because: parent provider UUID does not exist."
    elif fault_of(error, "cycle"):
        why = "update failed because: creating loop in the provider tree is not allowed."
    elif fault_of(error, "unparent"):
        why = "update failed because: un-parenting a provider is not currently allowed."
    elif fault_of(error, "reparent"):
        why = "update failed because: re-parenting a provider is not currently allowed."
    else:
        return no_provider(error)
    return bad(error, f"Unable to save resource provider {asked.uuid}: Object action {why}")


def delete_words(error: ComputekitError, asked: ProviderPath) -> Problem | None:
    """Say why a provider was not removed."""
    if isinstance(error, NotFound):
        return missing(error, f"No resource provider with uuid {asked.uuid} found for delete")
    if not isinstance(error, InUse):
        return None
    if error.kind == "provider":
        return conflict(
            error,
            f"Unable to delete parent resource provider {asked.uuid}: "
            "It has child resource providers.",
            "placement.resource_provider.cannot_delete_parent",
        )
    return conflict(
        error,
        f"Unable to delete resource provider {asked.uuid}: Resource provider has allocations.",
        "placement.resource_provider.inuse",
    )
