"""Small fleets that the tests of this room share."""

from collections.abc import Mapping

from computekit.ids import HostName, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    HostFacts,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler import Host, PlacementIntent, Request, SchedulingRun
from computekit.units import Gib, Mib

SSD = Trait("CUSTOM_SSD")


def facts(name: str, machine_types: tuple[str, ...] = ("q35",)) -> HostFacts:
    return HostFacts(
        name=HostName(name),
        arch="x86_64",
        cpus=16,
        memory_mib=Mib(65_536),
        disk_gib=Gib(500),
        cells=(),
        hypervisor="fake",
        hypervisor_version=1_000_000,
        library_version=0,
        virt_type="kvm",
        machine_types=frozenset(machine_types),
        uefi=True,
    )


def host(
    name: str, *, zone: str | None = None, disabled: str | None = None, up: bool = True
) -> Host:
    return Host(HostName(name), ProviderId(f"{name}-root"), facts(name), zone, disabled, up)


def use(
    name: str,
    totals: Mapping[ResourceClass, Inventory | int],
    *,
    root: str | None = None,
    used: Mapping[ResourceClass, int] | None = None,
    traits: tuple[Trait, ...] = (),
) -> ProviderUse:
    inventories = {n: t if isinstance(t, Inventory) else Inventory(t) for n, t in totals.items()}
    provider = Provider(
        ProviderId(name),
        name,
        None if root is None else ProviderId(root),
        FrozenMap(inventories),
        frozenset(traits),
    )
    return ProviderUse(provider, ProviderId(root or name), FrozenMap(used or {}))


def flat(
    name: str,
    *,
    vcpu: int = 0,
    memory: int = 0,
    zone: str | None = None,
    disabled: str | None = None,
    up: bool = True,
    traits: tuple[Trait, ...] = (),
) -> tuple[Host, tuple[ProviderUse, ...]]:
    """Return a host of 16 VCPU, 65536 MEMORY_MB and 500 DISK_GB, and what is used of it."""
    totals: dict[ResourceClass, Inventory | int] = {VCPU: 16, MEMORY_MB: 65_536, DISK_GB: 500}
    root = use(f"{name}-root", totals, used={VCPU: vcpu, MEMORY_MB: memory}, traits=traits)
    return host(name, zone=zone, disabled=disabled, up=up), (root,)


def numa(name: str, *used: int) -> tuple[Host, tuple[ProviderUse, ...]]:
    """Return a host with a cell of 8 VCPU and 32768 MEMORY_MB for each number of used VCPU."""
    root = f"{name}-root"
    cells = (
        use(f"{name}-cell{at}", {VCPU: 8, MEMORY_MB: 32_768}, root=root, used={VCPU: vcpu})
        for at, vcpu in enumerate(used)
    )
    return host(name), (use(root, {DISK_GB: 500}), *cells)


def index(*hosts: tuple[Host, tuple[ProviderUse, ...]]) -> FleetIndex:
    found = FleetIndex()
    found.put(hosts)
    return found


def request(
    vcpu: int = 1,
    memory: int = 1_024,
    *,
    zone: str | None = None,
    ignored: tuple[str, ...] = (),
    on: str | None = None,
    root_required: tuple[Trait, ...] = (),
) -> Request:
    amounts = FrozenMap({VCPU: vcpu, MEMORY_MB: memory, DISK_GB: 10})
    return Request(
        PlacementRequest(
            (RequestGroup(resources=amounts),), root_required=frozenset(root_required)
        ),
        PlacementIntent(zone=zone),
        SchedulingRun(frozenset(map(HostName, ignored)), None if on is None else HostName(on)),
    )
