"""What every driver refuses before it touches anything."""

from computekit.errors import Fault, InvalidInput, Unsupported
from computekit.guest import GuestFeature, check_name
from computekit.ids import is_uuid
from computekit.virt.ports import DomainSpec

__all__ = ["check_spec"]


def check_spec(spec: DomainSpec, gives: frozenset[GuestFeature] = frozenset()) -> None:
    """Let a spec pass that a domain can be made from.

    Args:
        spec: what is to be defined.
        gives: the features that the driver knows how to give.

    Raises:
        InvalidInput: with every fault: an instance id that is no canonical UUID, a name that a
            guest cannot be told, no CPU, no memory, a disk twice or without size.
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
    if faults:
        raise InvalidInput(tuple(faults))
    missing = sorted(feature.value for feature in guest.features - gives)
    if guest.topology is not None:
        missing.append("NUMA nodes of guests")
    if missing:
        reason = "this driver does not know how to give that to a guest"
        raise Unsupported(", ".join(missing), reason)
