"""What a host has, read from libvirt's and the kernel's own descriptions; all pure functions."""

import re
import xml.etree.ElementTree as ET

import attrs

from computekit.model import HostCell
from computekit.units import Kib, Mib, kib_to_mib, mib_to_kib, scaled_to_kib

__all__ = [
    "Capabilities",
    "parse_capabilities",
    "parse_firmware",
    "parse_meminfo",
    "with_whole_memory",
]


@attrs.frozen
class Capabilities:
    """What libvirt's capabilities say that we need.

    Attributes:
        arch: the host's own.
        cpu_model: the closest model that libvirt knows.
        cells: NUMA nodes, one at least.
        virt_types: ways to run guests of the host's architecture: `qemu`, `kvm` ...
        machine_types: for guests of the host's architecture, aliases too.
    """

    arch: str
    cpu_model: str
    cells: tuple[HostCell, ...]
    virt_types: frozenset[str]
    machine_types: frozenset[str]


def parse_capabilities(text: str) -> Capabilities:
    """Return what a capabilities document says (libvirt, formatcaps).

    Raises:
        ValueError: it says nothing of the host's architecture or of its NUMA nodes.
    """
    root = _parsed(text)
    arch = root.findtext("host/cpu/arch") or ""
    cells = tuple(_cell(cell) for cell in root.iterfind("host/topology/cells/cell"))
    if not arch or not cells:
        raise ValueError("the capabilities name no architecture or no NUMA node")
    virt_types: set[str] = set()
    machine_types: set[str] = set()
    for guest in root.iterfind("guest"):
        found = guest.find("arch")
        if found is None or found.get("name") != arch or guest.findtext("os_type") != "hvm":
            continue
        virt_types |= {domain.get("type", "") for domain in found.iterfind("domain")}
        machine_types |= {machine.text or "" for machine in found.iterfind("machine")}
    return Capabilities(
        arch,
        root.findtext("host/cpu/model") or "",
        cells,
        frozenset(virt_types),
        frozenset(machine_types),
    )


def parse_firmware(text: str) -> frozenset[str]:
    """Return the firmware that domain capabilities offer to choose by itself: `bios`, `efi`."""
    values = _parsed(text).iterfind("os/enum[@name='firmware']/value")
    return frozenset(value.text or "" for value in values)


def parse_meminfo(text: str) -> Mib:
    """Return the memory of the machine from the text of /proc/meminfo (proc(5)).

    Raises:
        ValueError: it is not such a text.
    """
    found = re.search(r"^MemTotal:\s+(\d+) kB$", text, re.MULTILINE)
    if found is None:
        raise ValueError("no MemTotal in meminfo")
    return kib_to_mib(Kib(int(found[1])))


def with_whole_memory(cells: tuple[HostCell, ...], memory_mib: Mib) -> tuple[HostCell, ...]:
    """Return the cells with the machine's memory in them.

    Some machines tell libvirt of less memory than they have. If there is one cell, it has all.
    """
    if len(cells) != 1:
        return cells
    (cell,) = cells
    if not cell.page_sizes_kib:
        return (attrs.evolve(cell, memory_mib=memory_mib),)
    (smallest, _), *large = sorted(cell.page_sizes_kib)
    left_kib = mib_to_kib(memory_mib) - sum(size * count for size, count in large)
    pages = ((smallest, left_kib // smallest), *large)
    return (attrs.evolve(cell, memory_mib=memory_mib, page_sizes_kib=pages),)


def _cell(cell: ET.Element) -> HostCell:
    cpus = tuple(cell.iterfind("cpus/cpu"))
    memory = cell.find("memory")
    return HostCell(
        id=int(cell.get("id", "0")),
        memory_mib=kib_to_mib(_kib(memory)) if memory is not None else Mib(0),
        cpus=frozenset(int(cpu.get("id", "0")) for cpu in cpus),
        siblings=frozenset(
            _cpu_set(cpu.get("siblings", "")) for cpu in cpus if cpu.get("siblings")
        ),
        page_sizes_kib=tuple(
            (_page_kib(pages), int(pages.text or "0")) for pages in cell.iterfind("pages")
        ),
    )


def _kib(element: ET.Element) -> Kib:
    return scaled_to_kib(int(element.text or "0"), element.get("unit", "KiB"))


def _page_kib(element: ET.Element) -> int:
    return scaled_to_kib(int(element.get("size", "0")), element.get("unit", "KiB"))


def _cpu_set(text: str) -> frozenset[int]:
    """Return the numbers of a list like `0-3,8`."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # from libvirtd, which may do more to us than this
