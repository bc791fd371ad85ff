"""What a guest asks of resource providers: groups of resources, and what holds between them."""

from collections.abc import Iterable

from computekit.guest import DiskRole, GuestConfig
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    PCPU,
    VCPU,
    FrozenMap,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.scheduler.request import PlacementIntent
from computekit.topology import EmulatorThreads, GuestTopology, ThreadPolicy
from computekit.units import Bytes, bytes_to_gib_ceil

__all__ = ["translate"]

_OF_HOST = ("COMPUTE_", "HW_ARCH_")
_HYPERTHREADING = Trait("HW_CPU_HYPERTHREADING")
_CPUS = frozenset({VCPU, PCPU})
_ANYWHERE = PlacementIntent()


def translate(
    guest: GuestConfig,
    intent: PlacementIntent = _ANYWHERE,
    *,
    root_on_volume: bool = False,
    groups: Iterable[RequestGroup] = (),
) -> PlacementRequest:
    """Return what a guest takes of a host.

    VCPU, PCPU, MEMORY_MB (MiB) and DISK_GB (GiB, all disks added before they are rounded up), each
    unless the flavor states an amount of that class itself, in whatever group; then what it states
    more. A pinned vCPU takes a PCPU, and so does an emulator with a CPU of its own. Traits of the
    intent, and traits that only a host as such can have (`COMPUTE_*`, `HW_ARCH_*`), are asked of
    the root of its tree; all others of whatever provider serves the group (Nova, request groups).

    Args:
        guest: what is to be placed.
        intent: what its owner wants of the place.
        root_on_volume: whether its root disk is no matter of the host.
        groups: that ports and devices bring along, each with a suffix of its own.

    Raises:
        ValueError: a group has no suffix, or one that another has.
    """
    of_host = frozenset(t for t in guest.required_traits if t.startswith(_OF_HOST))
    required, forbidden = _thread_traits(guest.topology)
    asked = guest.asks.unsuffixed
    of_group = (guest.required_traits - of_host) | required
    unsuffixed = RequestGroup(
        resources=_amounts(guest, root_on_volume),
        required=frozenset(frozenset({trait}) for trait in of_group),
        forbidden=asked.forbidden | forbidden,
    )
    root_required, root_forbidden = intent.required_traits | of_host, intent.forbidden_traits
    suffixed = (*guest.asks.suffixed, *groups)
    suffixes = [group.suffix for group in suffixed]
    if "" in suffixes or len(set(suffixes)) < len(suffixes):
        raise ValueError(f"each group needs a suffix of its own: {sorted(suffixes)}")
    if not unsuffixed.resources:
        # Nothing is taken of the host itself: its traits can only be asked of the root.
        root_required |= of_group
        root_forbidden |= unsuffixed.forbidden
    policy = guest.asks.group_policy
    if policy is None and len(suffixed) > 1 and len(guest.asks.suffixed) < 2:
        policy = "none"
    return PlacementRequest(
        groups=(unsuffixed, *suffixed) if unsuffixed.resources else suffixed,
        group_policy=policy,
        root_required=root_required,
        root_forbidden=root_forbidden,
    )


def _amounts(guest: GuestConfig, root_on_volume: bool) -> Resources:
    """Return what the host itself is asked for; an amount of 0 is none."""
    pinned = 0
    if guest.topology is not None:
        pinned = sum(len(node.pinned) for node in guest.topology.nodes)
    own = int(guest.topology is not None and guest.topology.emulator is EmulatorThreads.ISOLATE)
    disk_bytes = Bytes(
        sum(
            disk.size_bytes
            for disk in guest.disks
            if not (root_on_volume and disk.role is DiskRole.ROOT)
        )
    )
    by_size: dict[ResourceClass, int] = {
        VCPU: guest.vcpus - pinned,
        PCPU: pinned + own,
        MEMORY_MB: guest.memory_mib,
        DISK_GB: bytes_to_gib_ceil(disk_bytes),
    }
    stated = guest.asks.stated
    in_groups = {name for group in guest.asks.groups for name in group.resources}
    if pinned and not in_groups & _CPUS:
        stated -= _CPUS  # a policy for CPUs says more than an amount of 0
    elif stated & _CPUS:
        stated |= _CPUS
    amounts = {name: amount for name, amount in by_size.items() if amount and name not in stated}
    return FrozenMap({**amounts, **guest.asks.unsuffixed.resources})


def _thread_traits(
    topology: GuestTopology | None,
) -> tuple[frozenset[Trait], frozenset[Trait]]:
    """Return what a policy for threads requires and forbids (Nova: `hw:cpu_thread_policy`)."""
    match None if topology is None else topology.threads:
        case ThreadPolicy.REQUIRE:
            return frozenset({_HYPERTHREADING}), frozenset()
        case ThreadPolicy.ISOLATE:
            return frozenset(), frozenset({_HYPERTHREADING})
        case _:
            return frozenset(), frozenset()
