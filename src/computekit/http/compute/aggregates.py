"""Aggregates on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from computekit.api.compute.aggregates import (
    AddHost,
    AggregateChange,
    AggregatePath,
    Describe,
    NewAggregate,
    RemoveHost,
    zone_of,
)
from computekit.errors import ComputekitError, Fault, InUse, InvalidInput
from computekit.http.compute.binding import Reader, answer
from computekit.http.compute.versioned import Body, since
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import HostName
from computekit.model import Aggregate, FrozenMap
from computekit.scheduler import ZONE_KEY

_UNKNOWN = "1970-01-01T00:00:00.000000"
"""When an aggregate was made: nobody keeps that, and callers want a time."""

Text = Annotated[str, Meta(min_length=1, max_length=255)]


class AggregateAnswer(Struct, kw_only=True):
    """An aggregate."""

    id: int
    uuid: Annotated[str, since(41)]
    name: str
    availability_zone: str | None
    hosts: list[str] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    created_at: str = _UNKNOWN
    updated_at: str | None = None
    deleted: bool = False
    deleted_at: str | None = None


class OneAggregate(Struct):
    """An aggregate under its name."""

    aggregate: AggregateAnswer


class AggregatesAnswer(Struct):
    """Aggregates."""

    aggregates: list[AggregateAnswer]


class NewFields(Struct, forbid_unknown_fields=True):
    """An aggregate to be made."""

    name: Text
    availability_zone: Text | None = None


class NewBody(Struct, forbid_unknown_fields=True):
    """An aggregate to be made, under its name."""

    aggregate: NewFields


class UpdateFields(Struct, forbid_unknown_fields=True):
    """What of an aggregate is to change."""

    name: Text | UnsetType = UNSET
    availability_zone: Text | UnsetType | None = UNSET


class UpdateBody(Struct, forbid_unknown_fields=True):
    """That, under its name."""

    aggregate: UpdateFields


class HostFields(Struct, forbid_unknown_fields=True):
    """A host."""

    host: Text


class MetadataFields(Struct, forbid_unknown_fields=True):
    """Metadata to write; what is null goes."""

    metadata: dict[Text, Annotated[str, Meta(max_length=255)] | None]


class ActionBody(Struct, forbid_unknown_fields=True):
    """One change of an aggregate."""

    add_host: HostFields | UnsetType = UNSET
    remove_host: HostFields | UnsetType = UNSET
    set_metadata: MetadataFields | UnsetType = UNSET


_NEW, _UPDATE, _ACTION = Body(NewBody), Body(UpdateBody), Body(ActionBody)


def parse_path(request: HttpRequest, _minor: int) -> AggregatePath:
    """Return which aggregate a path names."""
    text = request.values["aggregate"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise InvalidInput((Fault("aggregate", "number", "is a whole number"),))
    return AggregatePath(int(text))


def parse_new(request: HttpRequest, minor: int) -> NewAggregate:
    """Return the aggregate that is to be made."""
    asked = _NEW.parse(request.body, minor).aggregate
    return NewAggregate(asked.name.strip(), asked.availability_zone)


def parse_update(request: HttpRequest, minor: int) -> AggregateChange:
    """Return the name and the zone that an aggregate is to have."""
    asked = _UPDATE.parse(request.body, minor).aggregate
    if isinstance(asked.name, UnsetType) and isinstance(asked.availability_zone, UnsetType):
        raise InvalidInput((Fault("aggregate", "required", "names what is to change"),))
    metadata: dict[str, str | None] = {}
    if not isinstance(asked.availability_zone, UnsetType):
        metadata[ZONE_KEY] = asked.availability_zone
    name = None if isinstance(asked.name, UnsetType) else asked.name.strip()
    return AggregateChange(parse_path(request, minor).id, Describe(FrozenMap(metadata), name))


def parse_action(request: HttpRequest, minor: int) -> AggregateChange:
    """Return the one change that is asked for."""
    asked = _ACTION.parse(request.body, minor)
    found: list[AddHost | RemoveHost | Describe] = []
    if isinstance(asked.add_host, HostFields):
        found.append(AddHost(HostName(asked.add_host.host)))
    if isinstance(asked.remove_host, HostFields):
        found.append(RemoveHost(HostName(asked.remove_host.host)))
    if isinstance(asked.set_metadata, MetadataFields):
        found.append(Describe(FrozenMap(asked.set_metadata.metadata)))
    if len(found) != 1:
        raise InvalidInput((Fault("body", "action", "names one action"),))
    return AggregateChange(parse_path(request, minor).id, found[0])


def in_use_words(error: ComputekitError) -> Problem | None:
    """Say that hosts in use stand in the way, as callers of these know it: 400."""
    return Problem(400, error.message) if isinstance(error, InUse) else None


def _said(found: Aggregate) -> AggregateAnswer:
    return AggregateAnswer(
        id=found.id,
        uuid=found.uuid,
        name=found.name,
        availability_zone=zone_of(found),
        hosts=sorted(found.hosts),
        metadata=dict(found.metadata),
    )


def render_aggregate(output: Aggregate, reader: Reader) -> Answer:
    """Return one aggregate."""
    return answer(200, OneAggregate(_said(output)), reader)


def render_made(output: Aggregate, reader: Reader) -> Answer:
    """Return an aggregate that was made: without what it cannot have yet."""
    said = _said(output)
    said.hosts = said.metadata = UNSET
    return answer(200, OneAggregate(said), reader)


def render_aggregates(output: tuple[Aggregate, ...], reader: Reader) -> Answer:
    """Return aggregates."""
    return answer(200, AggregatesAnswer([_said(found) for found in output]), reader)
