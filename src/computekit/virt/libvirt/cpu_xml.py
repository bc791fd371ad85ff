"""CPUs, NUMA nodes and pages of a guest, as parts of its domain's XML (libvirt, formatdomain)."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from computekit.guest import GuestConfig
from computekit.topology import GuestTopology, TopologyFit
from computekit.units import Kib, mib_to_kib

__all__ = ["add_cpu_placement", "add_guest_nodes", "add_memory_backing"]


def add_cpu_placement(domain: ET.Element, guest: GuestConfig) -> None:
    """Say on which of the host's CPUs the guest's run, and on which nodes its memory is."""
    topology, fit = guest.topology, guest.cells
    if topology is None or fit is None:
        return
    tune = ET.SubElement(domain, "cputune")
    for vcpu, cpus in sorted(_cpus(topology, fit).items()):
        ET.SubElement(tune, "vcpupin", vcpu=str(vcpu), cpuset=_set(cpus))
    if fit.emulator:
        ET.SubElement(tune, "emulatorpin", cpuset=_set(fit.emulator))
    if topology.realtime:
        vcpus = _set(topology.realtime)
        ET.SubElement(tune, "vcpusched", vcpus=vcpus, scheduler="fifo", priority="1")
    numa = ET.SubElement(domain, "numatune")
    # Strict: memory of another node would come quietly, and slowly.
    ET.SubElement(numa, "memory", mode="strict", nodeset=_set(node.host for node in fit.nodes))
    for number, node in enumerate(fit.nodes):
        ET.SubElement(numa, "memnode", cellid=str(number), mode="strict", nodeset=str(node.host))


def add_memory_backing(domain: ET.Element, guest: GuestConfig, base_page_kib: Kib) -> None:
    """Say which pages the guest's memory is made of, where they are not the host's usual ones."""
    topology, fit = guest.topology, guest.cells
    if topology is None or fit is None:
        return
    large = [
        (number, node.page_kib)
        for number, node in enumerate(fit.nodes)
        if node.page_kib is not None and node.page_kib > base_page_kib
    ]
    if not large and not topology.realtime:
        return
    backing = ET.SubElement(domain, "memoryBacking")
    if large:
        pages = ET.SubElement(backing, "hugepages")
        for number, size in large:
            ET.SubElement(pages, "page", size=str(size), unit="KiB", nodeset=str(number))
    if topology.realtime:
        # Neither merged with those of others nor swapped out: either would take unbounded time.
        ET.SubElement(backing, "nosharepages")
        ET.SubElement(backing, "locked")


def add_guest_nodes(cpu: ET.Element, guest: GuestConfig) -> None:
    """Say which NUMA nodes the guest sees."""
    if guest.topology is None:
        return
    numa = ET.SubElement(cpu, "numa")
    for number, node in enumerate(guest.topology.nodes):
        ET.SubElement(
            numa,
            "cell",
            id=str(number),
            cpus=_set(node.vcpus),
            memory=str(mib_to_kib(node.memory_mib)),
            unit="KiB",
        )


def _cpus(topology: GuestTopology, fit: TopologyFit) -> dict[int, Iterable[int]]:
    """Return the host's CPUs of each vCPU."""
    found: dict[int, Iterable[int]] = {vcpu: (cpu,) for vcpu, cpu in fit.cpus.items()}
    for asked, node in zip(topology.nodes, fit.nodes, strict=True):
        found.update(dict.fromkeys(asked.floating, node.floats_on))
    return found


def _set(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
