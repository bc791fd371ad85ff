"""What a host has, as plain values that its driver found out."""

import attrs

from computekit.ids import HostName
from computekit.units import Gib, Mib

__all__ = ["HostCell", "HostFacts"]


@attrs.frozen
class HostCell:
    """One NUMA node of a host.

    Attributes:
        id: the node's number.
        memory_mib: memory on this node.
        cpus: numbers of its logical CPUs.
        siblings: groups of logical CPUs that share a core.
        page_sizes_kib: page sizes and how many pages of each, as (KiB, count).
    """

    id: int
    memory_mib: Mib
    cpus: frozenset[int]
    siblings: frozenset[frozenset[int]] = frozenset()
    page_sizes_kib: tuple[tuple[int, int], ...] = ()


@attrs.frozen
class HostFacts:
    """What one host has.

    Attributes:
        name: unique in the fleet.
        arch: `x86_64`, `aarch64` ...
        cpus: logical CPUs that are online.
        memory_mib: all memory, as the kernel says (not libvirt, which under-reports on some).
        disk_gib: size of the file system that holds the instances.
        cells: NUMA nodes, at least one.
        hypervisor: `QEMU`, `fake` ...
        hypervisor_version: as `major * 1_000_000 + minor * 1_000 + micro`.
        library_version: libvirt's, in the same form; 0 if there is none.
        virt_type: `kvm` or `qemu`: what guests will be run with.
        machine_types: those that the hypervisor can run.
        uefi: whether a UEFI firmware was found.
        cpu_model: the host's own, for people.
        address: IP address at which it is reached; "" if it is not known.
    """

    name: HostName
    arch: str
    cpus: int
    memory_mib: Mib
    disk_gib: Gib
    cells: tuple[HostCell, ...]
    hypervisor: str
    hypervisor_version: int
    library_version: int
    virt_type: str
    machine_types: frozenset[str]
    uefi: bool
    cpu_model: str = ""
    address: str = ""
