"""Operations on aggregates of hosts."""

from types import NoneType

import attrs

from computekit.api.compute.base import Cloud, since
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import (
    add_host_to_aggregate,
    create_aggregate,
    delete_aggregate,
    describe_aggregate,
    remove_host_from_aggregate,
    rename_aggregate,
)
from computekit.errors import AlreadyExists, Conflict, InUse, NotFound
from computekit.ids import HostName
from computekit.model import Aggregate, FrozenMap
from computekit.scheduler import ZONE_KEY

__all__ = [
    "CHANGE_AGGREGATE",
    "CREATE_AGGREGATE",
    "DELETE_AGGREGATE",
    "LIST_AGGREGATES",
    "SHOW_AGGREGATE",
    "UPDATE_AGGREGATE",
    "AddHost",
    "AggregateCalls",
    "AggregateChange",
    "AggregatePath",
    "Describe",
    "NewAggregate",
    "RemoveHost",
    "zone_of",
]

_ALL = "/v2.1/os-aggregates"
_ONE = f"{_ALL}/{{aggregate}}"


@attrs.frozen
class AggregatePath:
    """Which aggregate."""

    id: int


@attrs.frozen
class NewAggregate:
    """An aggregate that is to be made."""

    name: str
    zone: str | None = None


@attrs.frozen
class AddHost:
    """A host that is to belong to it."""

    host: HostName


@attrs.frozen
class RemoveHost:
    """A host that is not to belong to it any more."""

    host: HostName


@attrs.frozen
class Describe:
    """Metadata to write; a key without text goes. And another name, if there is one."""

    metadata: FrozenMap[str, str | None] = FrozenMap()
    name: str | None = None


@attrs.frozen
class AggregateChange:
    """What of an aggregate is to change."""

    id: int
    what: AddHost | RemoveHost | Describe


LIST_AGGREGATES = ApiOperation(
    "list_aggregates", "GET", _ALL, "Aggregates.", NoneType, tuple[Aggregate, ...], since(1),
)  # fmt: skip
SHOW_AGGREGATE = ApiOperation(
    "show_aggregate", "GET", _ONE, "One aggregate.",
    AggregatePath, Aggregate, since(1), errors=(NotFound,),
)  # fmt: skip
CREATE_AGGREGATE = ApiOperation(
    "create_aggregate", "POST", _ALL, "Make an aggregate.",
    NewAggregate, Aggregate, since(1), has_body=True, errors=(AlreadyExists,),
)  # fmt: skip
UPDATE_AGGREGATE = ApiOperation(
    "update_aggregate", "PUT", _ONE, "Give an aggregate another name or zone.",
    AggregateChange, Aggregate, since(1), has_body=True, errors=(NotFound, AlreadyExists, InUse),
)  # fmt: skip
CHANGE_AGGREGATE = ApiOperation(
    "change_aggregate", "POST", f"{_ONE}/action", "Let hosts in and out, and describe it.",
    AggregateChange, Aggregate, since(1), has_body=True, errors=(NotFound, InUse, Conflict),
)  # fmt: skip
DELETE_AGGREGATE = ApiOperation(
    "delete_aggregate", "DELETE", _ONE, "Remove an aggregate without hosts.",
    AggregatePath, NoneType, since(1), errors=(NotFound, InUse),
)  # fmt: skip


class AggregateCalls:
    """What carries out the operations on aggregates.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._services = cloud.services

    def all(self, _asked: None, _context: CallContext) -> tuple[Aggregate, ...]:
        """Carry out `LIST_AGGREGATES`."""
        return self._services.aggregates.aggregates()

    def show(self, asked: AggregatePath, _context: CallContext) -> Aggregate:
        """Carry out `SHOW_AGGREGATE`."""
        return self._existing(asked.id)

    def create(self, asked: NewAggregate, _context: CallContext) -> Aggregate:
        """Carry out `CREATE_AGGREGATE`."""
        return create_aggregate(self._services, asked.name, zone=asked.zone)

    def change(self, asked: AggregateChange, _context: CallContext) -> Aggregate:
        """Carry out `UPDATE_AGGREGATE` and `CHANGE_AGGREGATE`."""
        services, uuid = self._services, self._existing(asked.id).uuid
        match asked.what:
            case AddHost(host):
                if host in self._existing(asked.id).hosts:
                    raise AlreadyExists("host of the aggregate", host)
                return add_host_to_aggregate(services, uuid, host)
            case RemoveHost(host):
                return remove_host_from_aggregate(services, uuid, host)
            case Describe(metadata, name):
                if metadata:
                    describe_aggregate(services, uuid, metadata)
                if name is not None:
                    rename_aggregate(services, uuid, name)
        return self._existing(asked.id)

    def delete(self, asked: AggregatePath, _context: CallContext) -> None:
        """Carry out `DELETE_AGGREGATE`."""
        delete_aggregate(self._services, self._existing(asked.id).uuid)

    def _existing(self, number: int) -> Aggregate:
        for found in self._services.aggregates.aggregates():
            if found.id == number:
                return found
        raise NotFound("aggregate", str(number))


def zone_of(aggregate: Aggregate) -> str | None:
    """Return the zone that an aggregate puts its hosts into."""
    return aggregate.metadata.get(ZONE_KEY)
