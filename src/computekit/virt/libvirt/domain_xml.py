"""A domain's XML from what its guest was promised (libvirt, formatdomain)."""

import xml.etree.ElementTree as ET
from pathlib import Path

import attrs

from computekit.guest import DiskRole, Firmware, GuestConfig
from computekit.units import Kib
from computekit.virt.libvirt.cpu_xml import (
    add_cpu_placement,
    add_guest_nodes,
    add_memory_backing,
)
from computekit.virt.libvirt.domains import domain_name
from computekit.virt.libvirt.mark import Marking, marking_element
from computekit.virt.ports import DomainSpec

__all__ = ["DiskFile", "DomainFiles", "domain_xml"]

SPARE_PORTS = 4
"""PCIe root ports left free: on `q35` and `virt` a device can be plugged only into one."""

_BASE_PAGE_KIB = Kib(4)
_OTHER_DEVICES = 2  # memory balloon, random numbers


@attrs.frozen
class DiskFile:
    """One disk's file.

    Attributes:
        role: of the disk.
        path: a qcow2 file.
    """

    role: DiskRole
    path: Path


@attrs.frozen
class DomainFiles:
    """The files that a domain needs on its host.

    Attributes:
        disks: in the order of the guest's disks.
        console_log: where the serial console is written.
        kernel: for guests that do not boot by themselves.
        ramdisk: that goes with the kernel.
        direct_io: whether the file system can be read and written past the host's page cache.
    """

    disks: tuple[DiskFile, ...]
    console_log: Path
    kernel: Path | None = None
    ramdisk: Path | None = None
    direct_io: bool = True


def domain_xml(
    spec: DomainSpec,
    files: DomainFiles,
    virt_type: str,
    boots: int = 0,
    *,
    base_page_kib: Kib = _BASE_PAGE_KIB,
) -> str:
    """Return the XML of the domain that runs `spec`.

    Args:
        spec: a checked one (`check_spec`): every text in it can be written in XML.
        files: where its files are.
        virt_type: `kvm` or `qemu`.
        boots: the number of its last start, if it was started before.
        base_page_kib: the size of the pages that memory is made of if nobody says otherwise.
    """
    guest = spec.guest
    domain = ET.Element("domain", type=virt_type)
    _add(domain, "name", domain_name(spec.mark.instance))
    _add(domain, "uuid", spec.mark.instance)
    _add(domain, "metadata").append(marking_element(Marking(spec.mark, boots)))
    _add(domain, "memory", str(guest.memory_mib), unit="MiB")
    _add(domain, "vcpu", str(guest.vcpus))
    add_memory_backing(domain, guest, base_page_kib)
    add_cpu_placement(domain, guest)
    _add_sysinfo(domain, spec)
    _add_boot(domain, spec, files)
    _add_processor(domain, guest, virt_type)
    _add(domain, "clock", offset="utc")
    _add(domain, "on_poweroff", "destroy")
    _add(domain, "on_reboot", "restart")
    _add(domain, "on_crash", "destroy")
    _add_devices(_add(domain, "devices"), guest, files)
    return ET.tostring(domain, encoding="unicode")


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _add_sysinfo(domain: ET.Element, spec: DomainSpec) -> None:
    """SMBIOS: how the guest learns who it is without a network."""
    system = _add(_add(domain, "sysinfo", type="smbios"), "system")
    for name, text in (
        ("manufacturer", "computekit"),
        ("product", "computekit instance"),
        ("serial", spec.mark.instance),
        ("uuid", spec.mark.instance),
        ("sku", spec.name),
    ):
        _add(system, "entry", text, name=name)


def _add_boot(domain: ET.Element, spec: DomainSpec, files: DomainFiles) -> None:
    guest = spec.guest
    os = _add(domain, "os")
    if guest.firmware is Firmware.UEFI:
        # libvirt chooses the files. Secure boot was not promised: without this line it would be
        # whatever the host's first firmware does.
        os.set("firmware", "efi")
    _add(os, "type", "hvm", arch=guest.arch, machine=guest.machine_type)
    if guest.firmware is Firmware.UEFI:
        _add(_add(os, "firmware"), "feature", name="secure-boot", enabled="no")
    if guest.direct_boot is not None and files.kernel is not None:
        _add(os, "kernel", str(files.kernel))
        if files.ramdisk is not None:
            _add(os, "initrd", str(files.ramdisk))
        _add(os, "cmdline", guest.direct_boot.command_line)
    else:
        _add(os, "boot", dev="hd")
    _add(os, "smbios", mode="sysinfo")


def _add_processor(domain: ET.Element, guest: GuestConfig, virt_type: str) -> None:
    features = _add(domain, "features")
    _add(features, "acpi")
    if guest.arch == "x86_64":
        _add(features, "apic")
    # Emulation gives all that it can; KVM gives what the host has and can be given elsewhere too.
    cpu = _add(domain, "cpu", mode="maximum" if virt_type == "qemu" else "host-model")
    add_guest_nodes(cpu, guest)


def _add_devices(devices: ET.Element, guest: GuestConfig, files: DomainFiles) -> None:
    for position, disk in enumerate(files.disks):
        _add_disk(devices, disk, position, files.direct_io)
    if _has_pcie(guest):
        _add(devices, "controller", type="pci", index="0", model="pcie-root")
        for _ in range(len(files.disks) + _OTHER_DEVICES + SPARE_PORTS):
            _add(devices, "controller", type="pci", model="pcie-root-port")
    _add(devices, "controller", type="usb", model="none")
    serial = _add(devices, "serial", type="pty")
    # Appended to: what a guest said before its reboot is what people want to see.
    _add(serial, "log", file=str(files.console_log), append="on")
    _add(_add(devices, "video"), "model", type="none")
    _add(_add(devices, "memballoon", model="virtio"), "stats", period="10")
    _add(_add(devices, "rng", model="virtio"), "backend", "/dev/urandom", model="random")


def _add_disk(devices: ET.Element, disk: DiskFile, position: int, direct_io: bool) -> None:
    element = _add(devices, "disk", type="file", device="disk")
    # Past the page cache, memory that was given to guests is not used twice, and a guest's flush
    # reaches the disk; writeback keeps the second promise where the first cannot be had.
    cache = "none" if direct_io else "writeback"
    _add(element, "driver", name="qemu", type="qcow2", cache=cache, discard="unmap")
    _add(element, "source", file=str(disk.path))
    _add(element, "target", dev=f"vd{chr(ord('a') + position)}", bus="virtio")
    _add(element, "serial", disk.role.value)


def _has_pcie(guest: GuestConfig) -> bool:
    return "q35" in guest.machine_type or guest.machine_type.startswith("virt")
