"""Servers on the wire."""

import base64
import binascii
from collections.abc import Iterator, Mapping

from msgspec import UNSET, UnsetType

from computekit.api.compute.base import Page
from computekit.api.compute.server_view import ServerView
from computekit.api.compute.servers import (
    MadeServers,
    NewServer,
    ServerChange,
    ServerPath,
    ServersAsked,
)
from computekit.compute import ServerQuery
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer, not_offered
from computekit.http.compute.links import Link, links_of
from computekit.http.compute.query import QueryText, next_link
from computekit.http.compute.server_answers import (
    STATUSES,
    MadeAnswer,
    MadeServer,
    Named,
    OneServer,
    ServerNamesAnswer,
    ServersAnswer,
    server_answer,
    server_name,
)
from computekit.http.compute.server_bodies import (
    HintValue,
    NewServerBody,
    NewServerFields,
    ServerChangeBody,
)
from computekit.http.compute.versioned import Body, said
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import FlavorId, HostName, ImageId, InstanceId, ProjectId, UserId, is_uuid
from computekit.model import FrozenMap, InstanceState, ServerRecord
from computekit.scheduler import AskedZone

_NEW = Body(NewServerBody)
_CHANGE = Body(ServerChangeBody)
_SOURCES = ("blank", "image", "snapshot", "volume")
_SORTS = {
    "created_at": "created_s", "updated_at": "changed_s", "display_name": "name", "name": "name",
    "uuid": "id", "id": "id", "host": "host", "project_id": "project", "user_id": "user",
    "vm_state": "state", "availability_zone": "zone", "launched_at": "created_s",
}  # fmt: skip


_FILTERS_NOT_YET = frozenset(
    {
        "OS-EXT-SRV-ATTR:instance_name", "access_ip_v4", "access_ip_v6", "accessIPv4",
        "accessIPv6", "auto_disk_config", "availability_zone", "block_device_mapping",
        "config_drive", "created_at", "description", "disk_config", "hostname", "instance_name",
        "ip", "ip6", "kernel_id", "key_name", "launch_index", "launched_at", "power_state",
        "progress", "ramdisk_id", "root_device_name", "soft_deleted", "task_state",
        "terminated_at",
    }
)  # fmt: skip
"""Filters that Nova has and that are not there yet: to leave one out in silence shows too much."""


def parse_path(request: HttpRequest, _minor: int) -> ServerPath:
    """Return which server a path names."""
    return ServerPath(InstanceId(request.values["server"]))


def parse_query_of(request: HttpRequest, minor: int) -> ServersAsked:
    """Return which servers a query asks for."""
    query = QueryText(request.query)
    for name in sorted(query.names & _FILTERS_NOT_YET):
        raise not_offered(f"The filter {name}")
    keys = query.all("sort_key")
    directions = query.all("sort_dir")
    order: list[tuple[str, bool]] = []
    for at, key in enumerate(keys):
        if key not in _SORTS:
            query.fault("sort_key", "word", f"{key[:80]!a} is no key to sort by")
            continue
        down = at >= len(directions) or directions[at].lower() != "asc"
        order.append((_SORTS[key], down))
    order += [it for it in (("created_s", True), ("id", True)) if it[0] not in dict(order)]
    host = query.text("host", "OS-EXT-SRV-ATTR:host", "hypervisor_hostname", "node")
    project = query.text("tenant_id", "project_id")
    user, image, flavor = query.text("user_id"), query.text("image"), query.text("flavor")
    marker = query.text("marker")
    ids = query.all("uuid")
    asked = ServerQuery(
        project=None if project is None else ProjectId(project),
        user=None if user is None else UserId(user),
        name=query.text("name", "display_name"),
        hosts=None if host is None else frozenset({HostName(host)}),
        image=None if image is None else ImageId(image.rpartition("/")[2]),
        flavor=None if flavor is None else FlavorId(flavor),
        states=_states(query),
        ids=frozenset(InstanceId(id) for id in ids) if ids else None,
        reservation=query.text("reservation_id"),
        locked=query.flag("locked") if minor >= 73 else None,
        tags=query.words("tags"),
        any_tags=query.words("tags-any"),
        no_tags=query.words("not-tags"),
        no_any_tags=query.words("not-tags-any"),
        deleted=query.flag("deleted") or False,
        changed_since_s=query.time("changes-since"),
        changed_before_s=query.time("changes-before") if minor >= 66 else None,
        order=tuple(order),
        limit=query.limit(),
        after=None if marker is None else InstanceId(marker),
    )
    everybody = bool(query.flag("all_tenants", "all_projects"))
    query.check()
    return ServersAsked(asked, everybody, request.query)


def _states(query: QueryText) -> frozenset[InstanceState] | None:
    """Return the states that a status, or a state, is shown for; none for one that nobody has."""
    found: set[InstanceState] = set()
    statuses = [word.upper() for word in query.all("status")]
    states = list(query.all("vm_state"))
    if not statuses and not states:
        return None
    for state, status in STATUSES.items():
        if status in statuses or state.value in states:
            found.add(state)
    return frozenset(found)


def parse_new(request: HttpRequest, minor: int) -> NewServer:
    """Return the servers that are to be made."""
    body = _NEW.parse(request.body, minor)
    asked = body.server
    faults: list[Fault] = []
    image = _image(asked, faults)
    faults.extend(_network_faults(asked, minor))
    faults.extend(_user_data_faults(asked))
    if asked.disk_config not in {"AUTO", "MANUAL"}:
        faults.append(Fault("OS-DCF:diskConfig", "word", "is AUTO or MANUAL"))
    if faults:
        raise InvalidInput(tuple(faults))
    _refuse_unoffered(asked)
    hints = body.hints if isinstance(body.hints, dict) else body.old_hints
    zone = _given(asked.availability_zone)
    most = asked.min_count if isinstance(asked.max_count, UnsetType) else asked.max_count
    record = ServerRecord(
        id=InstanceId(""),
        hostname=_given(asked.hostname) or "",
        description=_given(asked.description) if minor >= 19 else asked.name,
        metadata=FrozenMap({} if isinstance(asked.metadata, UnsetType) else asked.metadata),
        tags=frozenset(() if isinstance(asked.tags, UnsetType) else asked.tags),
        key_name=_given(asked.key_name),
        user_data=_given(asked.user_data),
        config_drive=bool(asked.config_drive),
        access_ipv4=_given(asked.access_ipv4) or "",
        access_ipv6=_given(asked.access_ipv6) or "",
    )
    return NewServer(
        name=asked.name.strip(),
        flavor=FlavorId(str(asked.flavor).rpartition("/")[2]),
        image=ImageId(image or ""),
        record=record,
        zone=zone,
        hints=_hints({} if isinstance(hints, UnsetType) else hints),
        least=asked.min_count,
        most=most,
        reservation_only=asked.return_reservation_id,
    )


def _given(value: str | UnsetType | None) -> str | None:
    return None if isinstance(value, UnsetType) else value


def _image(asked: NewServerFields, faults: list[Fault]) -> str | None:
    """Return the image to boot: as it is named, or as the content of the disk to boot from."""
    named = _given(asked.image)
    image = named.rpartition("/")[2] if named else None
    devices = asked.block_device_mapping_v2
    for at, device in enumerate(() if isinstance(devices, UnsetType) else devices):
        path = f"block_device_mapping_v2[{at}]"
        if device.source_type not in _SOURCES:
            faults.append(Fault(f"{path}.source_type", "word", f"is one of {', '.join(_SOURCES)}"))
            continue
        if device.destination_type == "volume" or device.source_type in {"volume", "snapshot"}:
            raise not_offered("A server with volumes")
        if device.source_type != "image" or device.boot_index != 0:
            raise not_offered("A further disk of a server")
        if image is not None and device.uuid != image:
            faults.append(Fault(f"{path}.uuid", "conflict", "is not the image of imageRef"))
        image = device.uuid
    if image is None:
        faults.append(Fault("imageRef", "required", "names the image to boot"))
    elif not is_uuid(image):
        faults.append(Fault("imageRef", "uuid", f"{image[:80]!a} is not a UUID"))
    return image


def _network_faults(asked: NewServerFields, minor: int) -> Iterator[Fault]:
    networks = asked.networks
    if isinstance(networks, UnsetType):
        if minor >= 37:
            yield Fault("networks", "required", "is a list, or one of auto and none")
    elif isinstance(networks, str):
        if minor < 37:
            yield Fault("networks", "type", "is a list")
        elif networks not in {"auto", "none"}:
            yield Fault("networks", "word", "is a list, or one of auto and none")


def _user_data_faults(asked: NewServerFields) -> Iterator[Fault]:
    data = _given(asked.user_data)
    if data is not None:
        try:
            base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            yield Fault("user_data", "base64", "is not base64")


def _refuse_unoffered(asked: NewServerFields) -> None:
    """Refuse what cannot be given yet: nothing that was asked for is left out in silence."""
    asks = {
        "A list of networks": isinstance(asked.networks, list) and bool(asked.networks),
        "personality": not isinstance(asked.personality, UnsetType) and bool(asked.personality),
        "block_device_mapping": not isinstance(asked.block_device_mapping, UnsetType),
        "trusted_image_certificates": bool(asked.trusted_image_certificates)
        and not isinstance(asked.trusted_image_certificates, UnsetType),
        "host": not isinstance(asked.host, UnsetType),
        "hypervisor_hostname": not isinstance(asked.hypervisor_hostname, UnsetType),
    }
    for name, is_asked in asks.items():
        if is_asked:
            raise not_offered(f"{name} for a new server")


def _hints(asked: Mapping[str, HintValue]) -> FrozenMap[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in asked.items():
        if isinstance(value, list):
            found[name] = tuple(value)
        elif isinstance(value, dict):
            raise InvalidInput((Fault(f"hints[{name!a}]", "type", "is a text or a list"),))
        elif value is not None:
            found[name] = (str(value),)
    return FrozenMap(found)


def parse_change(request: HttpRequest, minor: int) -> ServerChange:
    """Return what of a server is to change."""
    asked = _CHANGE.parse(request.body, minor).server
    name, description = _given(asked.name), asked.description
    return ServerChange(
        InstanceId(request.values["server"]),
        name=None if name is None else name.strip(),
        description=None if isinstance(description, UnsetType) else description or "",
        hostname=_given(asked.hostname),
        access_ipv4=_given(asked.access_ipv4),
        access_ipv6=_given(asked.access_ipv6),
        pin=None if isinstance(asked.pinned_zone, UnsetType) else AskedZone(asked.pinned_zone),
    )


def _more(page: Page[ServerView], reader: Reader, path: str) -> list[Link] | UnsetType:
    if not page.more or not page.items:
        return UNSET
    last = page.items[-1].row.instance.id
    return [Link("next", next_link(reader.link(path), page.query_text, last))]


def render_names(output: Page[ServerView], reader: Reader) -> Answer:
    """Return names of servers."""
    names = [server_name(view, reader) for view in output.items]
    return answer(200, ServerNamesAnswer(names, _more(output, reader, "servers")), reader)


def render_details(output: Page[ServerView], reader: Reader) -> Answer:
    """Return servers."""
    servers = [server_answer(view, reader) for view in output.items]
    more = _more(output, reader, "servers/detail")
    return answer(200, ServersAnswer(servers, more), reader)


def render_server(output: ServerView, reader: Reader) -> Answer:
    """Return one server."""
    return answer(200, OneServer(server_answer(output, reader)), reader)


_NOT_UPDATED = ("OS-EXT-", "OS-SRV-", "os-extended-", "config_drive", "key_name", "host_status",
                "security_groups")  # fmt: skip
"""How members begin that an answer to a change has since 2.75 only."""


def render_updated(output: ServerView, reader: Reader) -> Answer:
    """Return a server that was changed: before 2.75, without what extensions once added."""
    if reader.minor >= 75:
        return render_server(output, reader)
    found = said(server_answer(output, reader), reader.minor)
    assert isinstance(found, dict)
    kept = {name: part for name, part in found.items() if not name.startswith(_NOT_UPDATED)}
    return answer(200, {"server": kept}, reader)


def render_made(output: MadeServers, reader: Reader) -> Answer:
    """Return the first of the servers that will be there, or what groups them."""
    first = output.ids[0]
    if output.reservation_only:
        return answer(202, MadeAnswer(reservation_id=output.reservation), reader)
    made = MadeServer(
        id=first,
        links=links_of(f"servers/{first}", reader),
        security_groups=[Named("default")],
    )
    return answer(202, MadeAnswer(made), reader, location=reader.link(f"servers/{first}"))
