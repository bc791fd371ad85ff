"""Hypervisors, services and zones on the wire."""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType, field

from computekit.api.compute.hosts import (
    BINARY,
    HostView,
    HypervisorPath,
    HypervisorQuery,
    ServiceChange,
    ServiceQuery,
    Zone,
    number_of,
    service_id,
)
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer, not_offered
from computekit.http.compute.query import QueryText, iso
from computekit.http.compute.versioned import Body, since, until
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import HostName


class ServerOn(Struct):
    """A server on a hypervisor."""

    name: str
    uuid: str


class HypervisorName(Struct, kw_only=True):
    """A hypervisor's name."""

    id: str | int
    hypervisor_hostname: str
    state: str
    status: str
    servers: Annotated[list[ServerOn] | UnsetType, since(53)] = UNSET


class ServicePart(Struct, kw_only=True):
    """The service of a hypervisor."""

    id: str | int
    host: str
    disabled_reason: str | None


class CpuInfo(Struct, kw_only=True):
    """The CPUs of a host."""

    arch: str
    model: str


class Hypervisor(Struct, kw_only=True):
    """A hypervisor."""

    id: str | int
    hypervisor_hostname: str
    state: str
    status: str
    hypervisor_type: str
    hypervisor_version: int
    host_ip: str | None
    service: ServicePart
    servers: Annotated[list[ServerOn] | UnsetType, since(53)] = UNSET
    uptime: Annotated[str | None, since(88)] = None
    cpu_info: Annotated[CpuInfo | str, until(87)]
    current_workload: Annotated[int, until(87)] = 0
    disk_available_least: Annotated[int | None, until(87)] = None
    free_disk_gb: Annotated[int, until(87)]
    free_ram_mb: Annotated[int, until(87)]
    local_gb: Annotated[int, until(87)]
    local_gb_used: Annotated[int, until(87)]
    memory_mb: Annotated[int, until(87)]
    memory_mb_used: Annotated[int, until(87)]
    running_vms: Annotated[int, until(87)]
    vcpus: Annotated[int, until(87)]
    vcpus_used: Annotated[int, until(87)]


class HypervisorNamesAnswer(Struct):
    """Names of hypervisors."""

    hypervisors: list[HypervisorName]


class HypervisorsAnswer(Struct):
    """Hypervisors."""

    hypervisors: list[Hypervisor]


class HypervisorAnswer(Struct):
    """One hypervisor under its name."""

    hypervisor: Hypervisor


class Service(Struct, kw_only=True):
    """A service of a host."""

    id: str | int
    binary: str
    host: str
    zone: str
    status: str
    state: str
    updated_at: str | None
    disabled_reason: str | None
    forced_down: Annotated[bool, since(11)] = False


class ServicesAnswer(Struct):
    """Services."""

    services: list[Service]


class ServiceAnswer(Struct):
    """One service under its name."""

    service: Service


class OldService(Struct, kw_only=True):
    """What older callers are told of a service that was changed."""

    binary: str
    host: str
    status: str
    disabled_reason: str | UnsetType = UNSET


class OldServiceAnswer(Struct):
    """That, under its name."""

    service: OldService


class ServiceBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a service is to be."""

    status: Annotated[str | UnsetType, since(53)] = UNSET
    disabled_reason: str | UnsetType = UNSET
    forced_down: Annotated[bool | UnsetType, since(11)] = UNSET
    host: Annotated[str | UnsetType, until(52)] = UNSET
    binary: Annotated[str | UnsetType, until(52)] = UNSET


class ZoneState(Struct):
    """Whether a zone takes servers."""

    available: bool


class ServiceState(Struct):
    """Whether a service of a zone is there."""

    active: bool
    available: bool
    updated_at: str | None


class ZoneAnswer(Struct):
    """An availability zone."""

    name: str = field(name="zoneName")
    state: ZoneState = field(name="zoneState")
    hosts: dict[str, dict[str, ServiceState]] | None = None


class ZonesAnswer(Struct):
    """Availability zones."""

    zones: list[ZoneAnswer] = field(name="availabilityZoneInfo")


_SERVICE = Body(ServiceBody)


def parse_hypervisors(request: HttpRequest, minor: int) -> HypervisorQuery:
    """Return which hypervisors are asked for."""
    query = QueryText(request.query)
    asked = HypervisorQuery(
        query.text("hypervisor_hostname_pattern") if minor >= 53 else None,
        bool(query.flag("with_servers")) if minor >= 53 else False,
        query.limit() if minor >= 33 else 1000,
        query.text("marker") if minor >= 33 else None,
    )
    query.check()
    return asked


def parse_hypervisor(request: HttpRequest, minor: int) -> HypervisorPath:
    """Return which hypervisor is asked for."""
    query = QueryText(request.query)
    with_servers = bool(query.flag("with_servers")) if minor >= 53 else False
    query.check()
    return HypervisorPath(request.values["hypervisor"], with_servers)


def parse_services(request: HttpRequest, _minor: int) -> ServiceQuery:
    """Return which services are asked for."""
    query = QueryText(request.query)
    host = query.text("host")
    return ServiceQuery(None if host is None else HostName(host), query.text("binary"))


def parse_service(request: HttpRequest, minor: int) -> ServiceChange:
    """Return how a service is to be."""
    asked = _SERVICE.parse(request.body, minor)
    if asked.forced_down is True:
        raise not_offered("forced_down")
    enabled = None
    if not isinstance(asked.status, UnsetType):
        if asked.status not in {"enabled", "disabled"}:
            raise InvalidInput((Fault("status", "word", "is enabled or disabled"),))
        enabled = asked.status == "enabled"
    reason = None if isinstance(asked.disabled_reason, UnsetType) else asked.disabled_reason
    if reason is not None and enabled is not False:
        raise InvalidInput((Fault("disabled_reason", "conflict", "goes with disabled"),))
    return ServiceChange(request.values["service"], enabled=enabled, reason=reason)


_WORDS = {"enable": True, "disable": False, "disable-log-reason": False}


def parse_old_service(request: HttpRequest, minor: int) -> ServiceChange:
    """Return how a service is to be, as older callers say it: with a word in the path."""
    word = request.values["service"]
    asked = _SERVICE.parse(request.body, minor)
    if word == "force-down":
        raise not_offered("force-down")
    if word not in _WORDS:
        raise Refused(Problem(404, "Unknown action"))
    if isinstance(asked.host, UnsetType) or isinstance(asked.binary, UnsetType):
        raise InvalidInput((Fault("body", "required", "names host and binary"),))
    reason = None if isinstance(asked.disabled_reason, UnsetType) else asked.disabled_reason
    return ServiceChange(
        host=HostName(asked.host), binary=asked.binary, enabled=_WORDS[word], reason=reason
    )


def _id(uuid: str, reader: Reader) -> str | int:
    return uuid if reader.minor >= 53 else number_of(uuid)


def _servers(view: HostView) -> list[ServerOn] | UnsetType:
    if not view.shown:
        return UNSET
    return [ServerOn(it.name, it.id) for it in view.instances]


def _hypervisor(view: HostView, reader: Reader) -> Hypervisor:
    host, facts = view.host, view.host.facts
    disk = sum(it.flavor.disk_gib + it.flavor.ephemeral_gib for it in view.instances)
    memory = sum(it.flavor.memory_mib for it in view.instances)
    cpu = CpuInfo(arch=facts.arch, model=facts.cpu_model)
    old = f'{{"arch": "{facts.arch}", "model": "{facts.cpu_model}"}}'
    return Hypervisor(
        id=_id(host.provider, reader),
        hypervisor_hostname=host.name,
        state="up" if host.up else "down",
        status="enabled" if host.disabled is None else "disabled",
        hypervisor_type=facts.hypervisor,
        hypervisor_version=facts.hypervisor_version,
        host_ip=facts.address or None,
        service=ServicePart(
            id=_id(service_id(host), reader), host=host.name, disabled_reason=host.disabled
        ),
        servers=_servers(view),
        cpu_info=cpu if reader.minor >= 28 else old,
        free_disk_gb=facts.disk_gib - disk,
        free_ram_mb=facts.memory_mib - memory,
        local_gb=facts.disk_gib,
        local_gb_used=disk,
        memory_mb=facts.memory_mib,
        memory_mb_used=memory,
        running_vms=len(view.instances),
        vcpus=facts.cpus,
        vcpus_used=sum(it.flavor.vcpus for it in view.instances),
    )


def render_hypervisor_names(output: tuple[HostView, ...], reader: Reader) -> Answer:
    """Return names of hypervisors."""
    said = [
        HypervisorName(
            id=_id(view.host.provider, reader),
            hypervisor_hostname=view.host.name,
            state="up" if view.host.up else "down",
            status="enabled" if view.host.disabled is None else "disabled",
            servers=_servers(view),
        )
        for view in output
    ]
    return answer(200, HypervisorNamesAnswer(said), reader)


def render_hypervisors(output: tuple[HostView, ...], reader: Reader) -> Answer:
    """Return hypervisors."""
    said = [_hypervisor(view, reader) for view in output]
    return answer(200, HypervisorsAnswer(said), reader)


def render_hypervisor(output: HostView, reader: Reader) -> Answer:
    """Return one hypervisor."""
    return answer(200, HypervisorAnswer(_hypervisor(output, reader)), reader)


def _service(view: HostView, reader: Reader) -> Service:
    host = view.host
    return Service(
        id=_id(service_id(host), reader),
        binary=BINARY,
        host=host.name,
        zone=view.zone,
        status="enabled" if host.disabled is None else "disabled",
        state="up" if host.up else "down",
        updated_at=iso(host.seen_s, zulu=False),
        disabled_reason=host.disabled,
    )


def render_services(output: tuple[HostView, ...], reader: Reader) -> Answer:
    """Return services."""
    return answer(200, ServicesAnswer([_service(view, reader) for view in output]), reader)


def render_service(output: HostView, reader: Reader) -> Answer:
    """Return one service."""
    return answer(200, ServiceAnswer(_service(output, reader)), reader)


def render_old_service(output: HostView, reader: Reader) -> Answer:
    """Return one service, as older callers know it."""
    host = output.host
    said = OldService(
        binary=BINARY,
        host=host.name,
        status="enabled" if host.disabled is None else "disabled",
        disabled_reason=UNSET if host.disabled is None else host.disabled,
    )
    return answer(200, OldServiceAnswer(said), reader)


def render_zones(output: tuple[Zone, ...], reader: Reader) -> Answer:
    """Return zones, without their hosts."""
    said = [ZoneAnswer(zone.name, ZoneState(zone.available)) for zone in output]
    return answer(200, ZonesAnswer(said), reader)


def render_zones_detail(output: tuple[Zone, ...], reader: Reader) -> Answer:
    """Return zones with their hosts."""
    said = [
        ZoneAnswer(
            zone.name,
            ZoneState(zone.available),
            {
                host.name: {
                    BINARY: ServiceState(
                        host.disabled is None, host.up, iso(host.seen_s, zulu=False)
                    )
                }
                for host in zone.hosts
            },
        )
        for zone in output
    ]
    return answer(200, ZonesAnswer(said), reader)
