"""A fleet as people write it in a file: hosts, what they have, and the aggregates they are in."""

from collections.abc import Iterator
from typing import Annotated

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.forms import Number, String, Unique, Whole, read_form, read_json
from computekit.ids import AggregateId, HostName, InstanceId, ProviderId
from computekit.model import (
    DISK_GB,
    MAX_AMOUNT,
    MEMORY_MB,
    PCPU,
    VCPU,
    Aggregate,
    FrozenMap,
    HostFacts,
    Inventory,
    Provider,
    ResourceClass,
    Trait,
)
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler.files.cell_form import CellForm, cell_faults, topology_of
from computekit.scheduler.files.server_group_form import (
    LevelForm,
    ServerGroupForm,
    enter_groups,
    group_faults,
    levels_of,
)
from computekit.scheduler.hosts import Host
from computekit.units import Gib, Mib

__all__ = [
    "AggregateForm",
    "FleetForm",
    "HostForm",
    "InventoryForm",
    "ProviderForm",
    "read_fleet",
]

Name = Annotated[str, String(what="a name")]
Word = Annotated[str, String(most=1_000)]
ClassName = Annotated[str, String(pattern="[A-Z0-9_]+", what="a resource class")]
TraitName = Annotated[str, String(pattern="[A-Z0-9_]+", what="a trait")]
Amount = Annotated[int, Whole(1, MAX_AMOUNT)]
Used = Annotated[int, Whole(0, MAX_AMOUNT)]

ZONE_KEY = "availability_zone"


@attrs.frozen
class InventoryForm:
    """How much of a resource class a provider has (Placement API, inventories).

    Attributes:
        total: all there is.
        reserved: not to be given out; at most `total`.
        min_unit: smallest amount of one allocation.
        max_unit: largest amount of one allocation.
        step_size: an allocation is a multiple of this.
        allocation_ratio: over-commitment; what can be given is (total - reserved) times this.
    """

    total: Amount
    reserved: Used = 0
    min_unit: Amount = 1
    max_unit: Amount = MAX_AMOUNT
    step_size: Amount = 1
    allocation_ratio: Annotated[float, Number(0.0, 1e6)] = 1.0

    def inventory(self) -> Inventory:
        """Return this as a value of the model."""
        return Inventory(
            self.total,
            self.reserved,
            self.min_unit,
            self.max_unit,
            self.step_size,
            self.allocation_ratio,
        )


Inventories = FrozenMap[ClassName, Amount | InventoryForm]
Uses = FrozenMap[ClassName, Used]


@attrs.frozen
class ProviderForm:
    """A provider below a host: a NUMA node, a device ...

    Attributes:
        name: unique among all hosts and providers of the fleet.
        parent: name of the provider above it; the host itself if it is left out.
        inventories: what it has: a number, or how it is given.
        used: what is allocated of it.
        traits: what it can do.
        aggregates: UUIDs of Placement aggregates that it is in.
    """

    name: Name
    parent: Name | None = None
    inventories: Inventories = FrozenMap()
    used: Uses = FrozenMap()
    traits: frozenset[TraitName] = frozenset()
    aggregates: frozenset[Name] = frozenset()


@attrs.frozen
class HostForm:
    """A host, which is the root of its tree of providers.

    Attributes:
        name: unique.
        inventories: what the host itself has: a number, or how it is given.
        used: what is allocated of it.
        traits: what it can do; `HW_ARCH_*` is added for its architecture.
        aggregates: UUIDs of Placement aggregates that it is in, beside those that list it.
        providers: those below it.
        zone: availability zone; if it is left out, that of its aggregates.
        disabled: why it takes nothing new; left out, or null, while it is enabled.
        up: whether its agent answers.
        arch: architecture.
        hypervisor: its name.
        hypervisor_version: major * 1000000 + minor * 1000 + micro.
        virt_type: what guests are run with: `kvm`, `qemu`.
        machine_types: those that it can run.
        instances: ids of the instances on it, for hints and groups that name them.
        figures: measured numbers by name; `instances` is how many of them there are, unless given.
        cells: NUMA nodes, for guests that ask for nodes, pinned CPUs or pages of their own; without
            them the host takes no such guest.
        address: IP address at which it is reached.
    """

    name: Name
    inventories: Inventories = FrozenMap()
    used: Uses = FrozenMap()
    traits: frozenset[TraitName] = frozenset()
    aggregates: frozenset[Name] = frozenset()
    providers: Annotated[tuple[ProviderForm, ...], Unique("name")] = ()
    zone: Name | None = None
    disabled: Annotated[str, String(most=1_000, least=0)] | None = None
    up: bool = True
    arch: Name = "x86_64"
    hypervisor: Name = "QEMU"
    hypervisor_version: Annotated[int, Whole(0, 2**53)] = 0
    virt_type: Name = "kvm"
    machine_types: frozenset[Name] = frozenset({"pc", "q35"})
    instances: frozenset[Name] = frozenset()
    figures: FrozenMap[Name, Annotated[float, Number()]] = FrozenMap()
    cells: tuple[CellForm, ...] = ()
    address: Annotated[str, String(least=0)] = ""


@attrs.frozen
class AggregateForm:
    """Hosts that belong together (Compute API, aggregates).

    Attributes:
        name: unique.
        uuid: by which requests name it; its name if it is left out.
        metadata: text by key; `availability_zone` puts its hosts into a zone.
        hosts: names of its members.
    """

    name: Name
    uuid: Name | None = None
    metadata: FrozenMap[Name, Annotated[str, String(most=10_000, least=0)]] = FrozenMap()
    hosts: frozenset[Name] = frozenset()

    @property
    def key(self) -> str:
        """By which requests name it."""
        return self.name if self.uuid is None else self.uuid


@attrs.frozen
class FleetForm:
    """A fleet.

    Attributes:
        hosts: in any order.
        aggregates: of hosts.
        levels: at which rules of server groups may speak of hosts, coarse to fine; `host` is
            always there, and `az` if nothing is said.
        groups: server groups.
    """

    hosts: Annotated[tuple[HostForm, ...], Unique("name")]
    aggregates: Annotated[tuple[AggregateForm, ...], Unique("name")] = ()
    levels: tuple[LevelForm, ...] = (LevelForm("az", ZONE_KEY),)
    groups: Annotated[tuple[ServerGroupForm, ...], Unique("id")] = ()

    def index(self) -> FleetIndex:
        """Return the fleet in columns; it follows nothing."""
        found = FleetIndex(levels=levels_of(self.levels))
        found.put((self._host(host), self._tree(host)) for host in self.hosts)
        found.put_aggregates(
            Aggregate(
                number,
                AggregateId(one.key),
                one.name,
                FrozenMap(one.metadata),
                frozenset(map(HostName, one.hosts)),
            )
            for number, one in enumerate(self.aggregates, 1)
        )
        for host in self.hosts:
            figures = {"instances": float(len(host.instances))} if host.instances else {}
            if host.cells:
                found.put_cells(HostName(host.name), topology_of(host.cells))
            if figures or host.figures:
                found.set_figures(HostName(host.name), {**figures, **host.figures})
        enter_groups(found, self.groups, self.hosts_of())
        return found

    def hosts_of(self) -> FrozenMap[InstanceId, frozenset[HostName]]:
        """Return where the instances are that hosts name."""
        found: dict[InstanceId, frozenset[HostName]] = {}
        for host in self.hosts:
            for instance in map(InstanceId, host.instances):
                found[instance] = found.get(instance, frozenset()) | {HostName(host.name)}
        return FrozenMap(found)

    def _host(self, host: HostForm) -> Host:
        def total(*classes: ResourceClass) -> int:
            found = (host.inventories.get(name, 0) for name in classes)
            return sum(one if isinstance(one, int) else one.total for one in found)

        name = HostName(host.name)
        facts = HostFacts(
            name=name,
            arch=host.arch,
            cpus=total(VCPU, PCPU),
            memory_mib=Mib(total(MEMORY_MB)),
            disk_gib=Gib(total(DISK_GB)),
            cells=(),
            hypervisor=host.hypervisor,
            hypervisor_version=host.hypervisor_version,
            library_version=0,
            virt_type=host.virt_type,
            machine_types=frozenset(host.machine_types),
            uefi=False,
            address=host.address,
        )
        zone = host.zone if host.zone is not None else next(iter(self._zones(host)), None)
        return Host(name, ProviderId(host.name), facts, zone, host.disabled, host.up)

    def _tree(self, host: HostForm) -> tuple[ProviderUse, ...]:
        """Return the providers of a host, parents first."""
        listed = frozenset(one.key for one in self.aggregates if host.name in one.hosts)
        arch = f"HW_ARCH_{host.arch.upper()}"
        root = attrs.evolve(host, traits=host.traits | {arch}, aggregates=host.aggregates | listed)
        found = [_use(root, host.name, None)]
        known = {host.name}
        waiting = list(host.providers)
        while waiting:
            ready = [one for one in waiting if (one.parent or host.name) in known]
            assert ready, "parents are checked when the form is read"
            found.extend(_use(one, host.name, one.parent or host.name) for one in ready)
            known.update(one.name for one in ready)
            waiting = [one for one in waiting if one.name not in known]
        return tuple(found)

    def _zones(self, host: HostForm) -> tuple[str, ...]:
        zones = {
            one.metadata[ZONE_KEY]
            for one in self.aggregates
            if host.name in one.hosts and ZONE_KEY in one.metadata
        }
        return tuple(sorted(zones))

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between the parts of a fleet whose parts are right."""
        first: dict[str, str] = {host.name: f"fleet.hosts[{at}]" for at, host in _numbered(self)}
        for at, host in _numbered(self):
            path = f"fleet.hosts[{at}]"
            yield from _amount_faults(host.inventories, host.used, path)
            for number, below in enumerate(host.providers):
                here = f"{path}.providers[{number}]"
                yield from _amount_faults(below.inventories, below.used, here)
                if first.setdefault(below.name, here) != here:
                    message = f"{below.name!a} is that of {first[below.name]} too"
                    yield Fault(f"{here}.name", "duplicate", message)
            yield from _parent_faults(host, path)
            yield from cell_faults(host.cells, path)
            zones = {*self._zones(host), *(() if host.zone is None else (host.zone,))}
            if len(zones) > 1:
                message = f"is in several availability zones: {', '.join(sorted(zones))}"
                yield Fault(path, "conflict", message)
        keys: dict[str, int] = {}
        names = {host.name for host in self.hosts}
        for at, one in enumerate(self.aggregates):
            path = f"fleet.aggregates[{at}]"
            if keys.setdefault(one.key, at) != at:
                message = f"{one.key!a} is that of fleet.aggregates[{keys[one.key]}] too"
                yield Fault(f"{path}.uuid", "duplicate", message)
            for name in sorted(one.hosts - names):
                yield Fault(f"{path}.hosts", "unknown_host", f"there is no host {name!a}")
        yield from group_faults(self.groups, self.levels)


def read_fleet(text: str | bytes) -> FleetForm:
    """Return the fleet that a file describes (docs/reference/place-fleet.schema.json).

    Raises:
        InvalidInput: with every fault and its path.
    """
    found = read_form(read_json(text, "fleet"), FleetForm, "fleet")
    if faults := tuple(found.faults()):
        raise InvalidInput(faults)
    return found


def _numbered(fleet: FleetForm) -> Iterator[tuple[int, HostForm]]:
    return iter(enumerate(fleet.hosts))


def _use(form: HostForm | ProviderForm, root: str, parent: str | None) -> ProviderUse:
    inventories = {
        ResourceClass(name): Inventory(one) if isinstance(one, int) else one.inventory()
        for name, one in form.inventories.items()
    }
    provider = Provider(
        ProviderId(form.name),
        form.name,
        None if parent is None else ProviderId(parent),
        FrozenMap(inventories),
        frozenset(map(Trait, form.traits)),
        frozenset(map(AggregateId, form.aggregates)),
    )
    used = FrozenMap({ResourceClass(name): amount for name, amount in form.used.items()})
    return ProviderUse(provider, ProviderId(root), used)


def _amount_faults(inventories: Inventories, used: Uses, path: str) -> Iterator[Fault]:
    for name, one in inventories.items():
        if isinstance(one, int):
            continue
        here = f"{path}.inventories.{name}"
        if one.reserved > one.total:
            message = f"{one.reserved} is more than the total of {one.total}"
            yield Fault(f"{here}.reserved", "out_of_range", message)
        if one.min_unit > one.max_unit:
            message = f"{one.min_unit} is more than max_unit, {one.max_unit}"
            yield Fault(f"{here}.min_unit", "out_of_range", message)
    for name in used:
        if name not in inventories:
            yield Fault(f"{path}.used.{name}", "unknown_class", "there is no inventory of it")


def _parent_faults(host: HostForm, path: str) -> Iterator[Fault]:
    parents = {below.name: below.parent or host.name for below in host.providers}
    for number, below in enumerate(host.providers):
        here, above, seen = f"{path}.providers[{number}].parent", parents[below.name], {below.name}
        while above != host.name and above in parents and above not in seen:
            seen.add(above)
            above = parents[above]
        if above != host.name and above not in parents:
            if above == parents[below.name]:
                message = f"there is no provider {above!a} in host {host.name!a}"
                yield Fault(here, "unknown_parent", message)
        elif above != host.name:
            yield Fault(here, "cycle", "is below itself")
