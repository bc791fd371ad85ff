"""What every driver refuses before it touches anything."""

from collections.abc import Iterator

from computekit.errors import Fault, InvalidInput, Unsupported
from computekit.guest import GuestFeature, check_name
from computekit.ids import is_uuid
from computekit.topology import GuestTopology, TopologyFit
from computekit.virt.ports import DomainSpec

__all__ = ["check_spec"]


def check_spec(spec: DomainSpec, gives: frozenset[GuestFeature] = frozenset()) -> None:
    """Let a spec pass that a domain can be made from.

    Args:
        spec: what is to be defined.
        gives: the features that the driver knows how to give.

    Raises:
        InvalidInput: with every fault: an instance id that is no canonical UUID, a name that a
            guest cannot be told, no CPU, no memory, a disk twice or without size, NUMA nodes that
            have no place.
        Unsupported: the guest was promised a feature that this driver cannot give.
    """
    faults: list[Fault] = []
    instance = spec.mark.instance
    if not is_uuid(instance):
        faults.append(Fault("mark.instance", "not_uuid", f"{instance!r} is not a canonical UUID"))
    try:
        check_name(spec.name)
    except InvalidInput as refused:
        faults.extend(refused.faults)
    guest = spec.guest
    for field, amount in (("vcpus", guest.vcpus), ("memory_mib", guest.memory_mib)):
        if amount < 1:
            faults.append(Fault(f"guest.{field}", "too_small", f"{amount} is less than 1"))
    for at, disk in enumerate(guest.disks):
        path = f"guest.disks[{at}]"
        if disk.size_bytes < 1:
            faults.append(Fault(f"{path}.size_bytes", "too_small", "a disk has a size"))
        if any(disk.role is other.role for other in guest.disks[:at]):
            message = f"there is a {disk.role.value} disk already"
            faults.append(Fault(f"{path}.role", "twice", message))
    if guest.topology is not None:
        faults.extend(_cell_faults(guest.topology, guest.cells))
    if faults:
        raise InvalidInput(tuple(faults))
    missing = sorted(feature.value for feature in guest.features - gives)
    if missing:
        reason = "this driver does not know how to give that to a guest"
        raise Unsupported(", ".join(missing), reason)


def _cell_faults(topology: GuestTopology, fit: TopologyFit | None) -> Iterator[Fault]:
    path = "guest.cells"
    if fit is None:
        yield Fault(path, "missing", "nobody has said where the guest's NUMA nodes go")
    elif len(fit.nodes) != len(topology.nodes):
        message = f"{len(fit.nodes)} places for {len(topology.nodes)} NUMA nodes"
        yield Fault(path, "conflict", message)
    else:
        for number, (asked, node) in enumerate(zip(topology.nodes, fit.nodes, strict=True)):
            if node.pins.cpus.keys() != asked.pinned or (asked.floating and not node.floats_on):
                message = "some of its vCPUs have no CPU of the host"
                yield Fault(f"{path}.nodes[{number}]", "conflict", message)
        cpus = [cpu for node in fit.nodes for cpu in node.pins.cpus.values()]
        if len(set(cpus)) < len(cpus):
            yield Fault(path, "twice", "two vCPUs are pinned to one CPU of the host")
