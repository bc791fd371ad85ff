"""Operations on hosts, as the Compute API shows them: hypervisors, services and zones."""

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, since
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import disable_host, enable_host
from computekit.errors import Fault, InvalidInput, NotFound
from computekit.ids import HostName, derived_uuid
from computekit.model import Instance
from computekit.scheduler import Host

__all__ = [
    "BINARY",
    "LIST_HYPERVISORS",
    "LIST_HYPERVISORS_DETAIL",
    "LIST_SERVICES",
    "LIST_ZONES",
    "LIST_ZONES_DETAIL",
    "SET_SERVICE",
    "SET_SERVICE_BY_NAME",
    "SHOW_HYPERVISOR",
    "HostCalls",
    "HostView",
    "HypervisorPath",
    "HypervisorQuery",
    "ServiceChange",
    "ServiceQuery",
    "Zone",
    "number_of",
    "service_id",
]

BINARY = "nova-compute"
"""What callers know the program by that runs guests on a host."""

_HYPERVISORS, _SERVICES = "/v2.1/os-hypervisors", "/v2.1/os-services"
_ZONES = "/v2.1/os-availability-zone"


@attrs.frozen
class HypervisorQuery:
    """Which hypervisors are asked for.

    Attributes:
        part: of their names.
        with_servers: whether what runs on each is asked for too.
        limit: the most that are returned.
        marker: the id of the one to begin behind.
    """

    part: str | None = None
    with_servers: bool = False
    limit: int = 1000
    marker: str | None = None


@attrs.frozen
class HypervisorPath:
    """Which hypervisor: its UUID, or the number that older callers know."""

    id: str
    with_servers: bool = False


@attrs.frozen
class ServiceQuery:
    """Which services are asked for."""

    host: HostName | None = None
    binary: str | None = None


@attrs.frozen
class ServiceChange:
    """How a service is to be.

    Attributes:
        id: of the service; None where the host is named.
        host: the host; None where the id is given.
        binary: of the service, where the host is named.
        enabled: whether new servers may go there; None leaves that.
        reason: why not.
    """

    id: str | None = None
    host: HostName | None = None
    binary: str = BINARY
    enabled: bool | None = None
    reason: str | None = None


@attrs.frozen
class HostView:
    """A host and what is there.

    Attributes:
        host: its row.
        zone: that it is in.
        instances: on it.
        shown: whether they are to be shown.
    """

    host: Host
    zone: str
    instances: tuple[Instance, ...] = ()
    shown: bool = False


@attrs.frozen
class Zone:
    """An availability zone.

    Attributes:
        name: of it.
        hosts: in it.
        available: whether any of them is up and enabled.
    """

    name: str
    hosts: tuple[Host, ...]
    available: bool


Views = tuple[HostView, ...]

LIST_HYPERVISORS = ApiOperation(
    "list_hypervisors", "GET", _HYPERVISORS, "Names of hypervisors.",
    HypervisorQuery, Views, since(1),
)  # fmt: skip
LIST_HYPERVISORS_DETAIL = ApiOperation(
    "list_hypervisors_detail", "GET", f"{_HYPERVISORS}/detail", "Hypervisors.",
    HypervisorQuery, Views, since(1),
)  # fmt: skip
SHOW_HYPERVISOR = ApiOperation(
    "show_hypervisor", "GET", f"{_HYPERVISORS}/{{hypervisor}}", "One hypervisor.",
    HypervisorPath, HostView, since(1), errors=(NotFound,),
)  # fmt: skip
LIST_SERVICES = ApiOperation(
    "list_services", "GET", _SERVICES, "The services of hosts.",
    ServiceQuery, Views, since(1),
)  # fmt: skip
SET_SERVICE = ApiOperation(
    "set_service", "PUT", f"{_SERVICES}/{{service}}", "Let servers go to a host, or keep them off.",
    ServiceChange, HostView, since(53), has_body=True, errors=(NotFound,),
)  # fmt: skip
SET_SERVICE_BY_NAME = ApiOperation(
    "set_service_by_name", "PUT", f"{_SERVICES}/{{service}}", "As older callers say it.",
    ServiceChange, HostView, since(1), until=since(52), has_body=True, errors=(NotFound,),
)  # fmt: skip
LIST_ZONES = ApiOperation(
    "list_zones", "GET", _ZONES, "Availability zones.",
    type(None), tuple[Zone, ...], since(1), rule=Rule.READER,
)  # fmt: skip
LIST_ZONES_DETAIL = ApiOperation(
    "list_zones_detail", "GET", f"{_ZONES}/detail", "Availability zones and their hosts.",
    type(None), tuple[Zone, ...], since(1),
)  # fmt: skip


def service_id(host: Host) -> str:
    """Return the UUID of a host's service: another than that of the host itself."""
    return derived_uuid(host.provider, BINARY)


def number_of(id: str) -> int:
    """Return the number that older callers know something with this UUID by."""
    return int(id.replace("-", "")[:8], 16) & 0x7FFFFFFF


class HostCalls:
    """What carries out the operations on hosts.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def hypervisors(self, asked: HypervisorQuery, _context: CallContext) -> Views:
        """Carry out `LIST_HYPERVISORS` and `LIST_HYPERVISORS_DETAIL`."""
        hosts = [
            host
            for host in self._cloud.services.hosts.hosts()
            if asked.part is None or asked.part in host.name
        ]
        if asked.part is not None and not hosts:
            raise NotFound("hypervisor", asked.part)
        if asked.marker is not None:
            ids = [host.provider for host in hosts]
            if asked.marker not in ids:
                fault = Fault("marker", "not_found", f"there is no hypervisor {asked.marker!a}")
                raise InvalidInput((fault,))
            hosts = hosts[[str(id) for id in ids].index(asked.marker) + 1 :]
        return tuple(self._view(host, asked.with_servers) for host in hosts[: asked.limit])

    def hypervisor(self, asked: HypervisorPath, _context: CallContext) -> HostView:
        """Carry out `SHOW_HYPERVISOR`."""
        for host in self._cloud.services.hosts.hosts():
            if asked.id in (host.provider, str(number_of(host.provider))):
                return self._view(host, asked.with_servers)
        raise NotFound("hypervisor", asked.id)

    def services(self, asked: ServiceQuery, _context: CallContext) -> Views:
        """Carry out `LIST_SERVICES`."""
        if asked.binary not in (None, BINARY):
            return ()
        names = None if asked.host is None else frozenset({asked.host})
        hosts = self._cloud.services.hosts.hosts(names)
        return tuple(HostView(host, self._zone(host)) for host in hosts)

    def set_service(self, asked: ServiceChange, _context: CallContext) -> HostView:
        """Carry out `SET_SERVICE` and `SET_SERVICE_BY_NAME`."""
        services = self._cloud.services
        found = next(
            (
                host
                for host in services.hosts.hosts()
                if asked.id == service_id(host)
                or (asked.host == host.name and asked.binary == BINARY)
            ),
            None,
        )
        if found is None:
            raise NotFound("service", asked.id or f"{asked.binary} on {asked.host}")
        if asked.enabled is True:
            found = enable_host(services, found.name)
        elif asked.enabled is False:
            found = disable_host(services, found.name, asked.reason or "disabled by an operator")
        return HostView(found, self._zone(found))

    def zones(self, _asked: None, _context: CallContext) -> tuple[Zone, ...]:
        """Carry out `LIST_ZONES` and `LIST_ZONES_DETAIL`."""
        by_zone: dict[str, list[Host]] = {}
        for host in self._cloud.services.hosts.hosts():
            by_zone.setdefault(self._zone(host), []).append(host)
        return tuple(
            Zone(name, tuple(hosts), any(host.up and host.disabled is None for host in hosts))
            for name, hosts in sorted(by_zone.items())
        )

    def _zone(self, host: Host) -> str:
        return host.zone or self._cloud.services.scheduler.policy.default_zone

    def _view(self, host: Host, shown: bool) -> HostView:
        instances = self._cloud.services.instances.instances(host=host.name)
        return HostView(host, self._zone(host), instances, shown)
