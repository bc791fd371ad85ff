"""Operations on servers: made, listed, shown, changed, deleted."""

from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, Page, is_admin, project_of, since, user_of
from computekit.api.compute.locks import check_unlocked
from computekit.api.compute.server_view import ServerView, ServerViews
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import ServerQuery, create, delete, write_pin
from computekit.errors import (
    AccessRefused,
    ComputekitError,
    Conflict,
    Fault,
    InvalidInput,
    NotFound,
)
from computekit.guest import check_name
from computekit.ids import FlavorId, ImageId, InstanceId, new_uuid
from computekit.model import Flavor, FrozenMap, Instance, ServerRecord
from computekit.scheduler import AskedZone, may_pin
from computekit.work import Tx

__all__ = [
    "CREATE_SERVER",
    "DELETE_SERVER",
    "LIST_SERVERS",
    "LIST_SERVERS_DETAIL",
    "SHOW_SERVER",
    "UPDATE_SERVER",
    "MadeServers",
    "NewServer",
    "ServerCalls",
    "ServerChange",
    "ServerPath",
    "ServersAsked",
]

_ONE = "/v2.1/servers/{server}"


@attrs.frozen
class ServerPath:
    """Which server."""

    id: InstanceId


@attrs.frozen
class ServersAsked:
    """Which servers are asked for.

    Attributes:
        query: which; the project is the caller's, unless all are asked for.
        all_projects: those of every project; for administrators.
        query_text: the query as it came, for the link to the next page.
    """

    query: ServerQuery
    all_projects: bool = False
    query_text: str = ""


@attrs.frozen
class NewServer:
    """Servers that are to be made.

    Attributes:
        name: of the server; of several, what their names begin with.
        flavor: its id.
        image: its id.
        record: what is kept for its users; the id and what follows from others are set here.
        zone: to be pinned to.
        hints: for the scheduler.
        least: that are to be made, or none.
        most: that are to be made.
        reservation_only: whether to answer with what groups them, and not with the first.
    """

    name: str
    flavor: FlavorId
    image: ImageId
    record: ServerRecord
    zone: str | None = None
    hints: FrozenMap[str, tuple[str, ...]] = FrozenMap()
    least: int = 1
    most: int = 1
    reservation_only: bool = False


@attrs.frozen
class MadeServers:
    """Servers that will be there.

    Attributes:
        ids: of all.
        reservation: what groups them.
        reservation_only: whether that is the answer.
    """

    ids: tuple[InstanceId, ...]
    reservation: str
    reservation_only: bool


@attrs.frozen
class ServerChange:
    """What of a server is to change; what is None stays.

    Attributes:
        id: of the server.
        name: for people.
        description: for people; one that is empty takes it away.
        hostname: what the guest calls itself.
        access_ipv4: an address that its owner notes.
        access_ipv6: likewise.
        pin: the zone to be pinned to, or to none.
    """

    id: InstanceId
    name: str | None = None
    description: str | None = None
    hostname: str | None = None
    access_ipv4: str | None = None
    access_ipv6: str | None = None
    pin: AskedZone | None = None


LIST_SERVERS = ApiOperation(
    "list_servers", "GET", "/v2.1/servers", "Names and ids of servers.",
    ServersAsked, Page[ServerView], since(1), rule=Rule.READER,
)  # fmt: skip
LIST_SERVERS_DETAIL = ApiOperation(
    "list_servers_detail", "GET", "/v2.1/servers/detail", "Servers.",
    ServersAsked, Page[ServerView], since(1), rule=Rule.READER,
)  # fmt: skip
SHOW_SERVER = ApiOperation(
    "show_server", "GET", _ONE, "One server.",
    ServerPath, ServerView, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
CREATE_SERVER = ApiOperation(
    "create_server", "POST", "/v2.1/servers", "Make servers.",
    NewServer, MadeServers, since(1), rule=Rule.MEMBER, has_body=True,
)  # fmt: skip
UPDATE_SERVER = ApiOperation(
    "update_server", "PUT", _ONE, "Change what is said of a server.",
    ServerChange, ServerView, since(1), rule=Rule.MEMBER, has_body=True, errors=(NotFound,),
)  # fmt: skip
DELETE_SERVER = ApiOperation(
    "delete_server", "DELETE", _ONE, "Delete a server.",
    ServerPath, NoneType, since(1), rule=Rule.MEMBER, errors=(NotFound, Conflict),
)  # fmt: skip


class ServerCalls:
    """What carries out the operations on servers.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._views = ServerViews(cloud)

    def all(self, asked: ServersAsked, context: CallContext) -> Page[ServerView]:
        """Carry out `LIST_SERVERS` and `LIST_SERVERS_DETAIL`."""
        query = asked.query
        if not is_admin(context.identity):
            query = attrs.evolve(
                query, project=project_of(context), deleted=False, user=None, hosts=None
            )
        elif not asked.all_projects and query.project is None:
            query = attrs.evolve(query, project=project_of(context))
        if query.limit == 0:
            return Page((), False, asked.query_text)
        try:
            rows = tuple(self._cloud.servers.servers(attrs.evolve(query, limit=query.limit + 1)))
        except NotFound as error:
            fault = Fault("marker", "not_found", f"there is no server {error.id}")
            raise InvalidInput((fault,)) from error
        views = self._views.several(rows[: query.limit])
        return Page(views, len(rows) > query.limit, asked.query_text)

    def show(self, asked: ServerPath, context: CallContext) -> ServerView:
        """Carry out `SHOW_SERVER`."""
        return self._views.one(self._cloud.existing(asked.id, context))

    def create(self, asked: NewServer, context: CallContext) -> MadeServers:
        """Carry out `CREATE_SERVER`."""
        services = self._cloud.services
        project, user = project_of(context), user_of(context)
        flavor, record = self._checked(asked, context)
        self._check_image(asked.image, context)
        reservation = f"r-{new_uuid(services.random)[:8]}"
        made: list[InstanceId] = []
        for index in range(asked.most):
            name = asked.name if asked.most == 1 else f"{asked.name}-{index + 1}"
            mine = attrs.evolve(
                record,
                reservation=reservation,
                launch_index=index,
                hostname=record.hostname or _hostname(name),
            )

            def also(tx: Tx, instance: Instance, mine: ServerRecord = mine) -> None:
                record = attrs.evolve(mine, id=instance.id, changed_s=instance.created_s)
                self._cloud.servers.put_record(tx, record)

            try:
                instance, _ = create(
                    services,
                    name=name,
                    flavor=flavor,
                    image=asked.image,
                    project=project,
                    user=user,
                    zone=asked.zone,
                    hints=asked.hints,
                    also=also,
                )
            except NotFound as error:
                raise _no_image(error) from error
            except ComputekitError:
                if index < asked.least:
                    for id in made:
                        delete(services, id)
                    raise
                break
            made.append(instance.id)
        return MadeServers(tuple(made), reservation, asked.reservation_only)

    def _check_image(self, image: ImageId, context: CallContext) -> None:
        if self._cloud.images is not None:
            try:
                self._cloud.images.check(image, context.identity)
            except NotFound as error:
                raise _no_image(error) from error

    def update(self, asked: ServerChange, context: CallContext) -> ServerView:
        """Carry out `UPDATE_SERVER`."""
        services = self._cloud.services
        if asked.name is not None:
            check_name(asked.name)
        if asked.pin is not None and not may_pin(context.identity.roles, same_project=True):
            raise AccessRefused("pinning a server to a zone is for administrators")

        def write(tx: Tx) -> None:
            row = self._cloud.existing(asked.id, context)
            check_unlocked(row, context)
            said = row.record
            record = attrs.evolve(
                said,
                description=said.description
                if asked.description is None
                else asked.description or None,
                hostname=said.hostname if asked.hostname is None else asked.hostname,
                access_ipv4=said.access_ipv4 if asked.access_ipv4 is None else asked.access_ipv4,
                access_ipv6=said.access_ipv6 if asked.access_ipv6 is None else asked.access_ipv6,
                changed_s=services.clock.wall_s(),
            )
            self._cloud.servers.put_record(tx, record)
            if asked.name is not None and asked.name != row.instance.name:
                named = attrs.evolve(row.instance, name=asked.name)
                services.instances.change_instance(tx, row.instance, named)
            if asked.pin is not None:
                write_pin(services, tx, asked.id, asked.pin.zone)

        services.store.write(write)
        return self._views.one(self._cloud.existing(asked.id, context))

    def delete(self, asked: ServerPath, context: CallContext) -> None:
        """Carry out `DELETE_SERVER`."""
        row = self._cloud.existing(asked.id, context)
        check_unlocked(row, context)
        delete(self._cloud.services, asked.id)

    def _checked(self, asked: NewServer, context: CallContext) -> tuple[Flavor, ServerRecord]:
        """Return the flavor, and the record with the key in it; or every fault of both."""
        faults: list[Fault] = []
        offered = self._cloud.flavors.flavor(asked.flavor)
        seen = offered is not None and (
            is_admin(context.identity) or offered.is_for(context.identity.project)
        )
        if not seen:
            message = f"there is no flavor {asked.flavor}"
            faults.append(Fault("flavorRef", "not_found", message))
        record = asked.record
        if record.key_name is not None:
            key = self._cloud.keypairs.keypair(user_of(context), record.key_name)
            if key is None:
                message = f"there is no keypair {record.key_name!a}"
                faults.append(Fault("key_name", "not_found", message))
            else:
                record = attrs.evolve(record, public_key=key.public_key)
        if asked.least > asked.most:
            message = f"min_count {asked.least} is above max_count {asked.most}"
            faults.append(Fault("min_count", "range", message))
        if faults or offered is None:
            raise InvalidInput(tuple(faults))
        return offered.flavor, record


def _hostname(name: str) -> str:
    """Return what a guest of this name calls itself (RFC 1123): letters, digits, dashes."""
    kept = "".join(it if it.isascii() and it.isalnum() else "-" for it in name.lower())
    return kept.strip("-")[:63].rstrip("-") or "server"


def _no_image(error: NotFound) -> InvalidInput:
    return InvalidInput((Fault("imageRef", "not_found", f"there is no {error.kind} {error.id}"),))
