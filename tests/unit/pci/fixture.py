"""The recorded sysfs, unpacked where a test may change it, and as libvirt would tell it."""

import tarfile
from pathlib import Path

from computekit.pci import HostDevices, PciAddress, PciDevice

ARCHIVE = Path(__file__).resolve().parents[2] / "data/pci/qemu72-nvme-sriov-2pf-8vf-numa-sysfs.tgz"


def unpack(home: Path) -> Path:
    """Unpack below `home`; return the root of the sysfs."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # newer Pythons insist
        archive.extractall(home)
    return home / "sys"


def nodedev_xml(device: PciDevice, host: HostDevices) -> str:
    """Return what libvirt says of a device."""

    def attributes(address: PciAddress) -> str:
        return (
            f"<address domain='{address.domain:#06x}' bus='{address.bus:#04x}'"
            f" slot='{address.slot:#04x}' function='{address.function:#x}'/>"
        )

    at = device.address
    parent = "computer" if device.root_port is None else name_of(device.ports[0])
    inner = ""
    if device.physical_function is not None:
        of = attributes(device.physical_function)
        inner += f"<capability type='phys_function'>{of}</capability>"
    if device.max_vfs:
        vfs = "".join(attributes(vf.address) for vf in host.vfs_of[at])
        most = device.max_vfs
        inner += f"<capability type='virt_functions' maxCount='{most}'>{vfs}</capability>"
    if device.numa_node is not None:
        inner += f"<numa node='{device.numa_node}'/>"
    driver = f"<driver><name>{device.driver}</name></driver>" if device.driver else ""
    return (
        f"<device><name>{name_of(at)}</name><parent>{parent}</parent>{driver}"
        f"<capability type='pci'><class>{device.class_code:#08x}</class>"
        f"<domain>{at.domain}</domain><bus>{at.bus}</bus>"
        f"<slot>{at.slot}</slot><function>{at.function}</function>"
        f"<product id='{device.product_id:#06x}'/><vendor id='{device.vendor_id:#06x}'/>{inner}"
        f"<iommuGroup number='{device.iommu_group}'>{attributes(at)}</iommuGroup>"
        "</capability></device>"
    )


def name_of(address: PciAddress) -> str:
    return "pci_" + str(address).replace(":", "_").replace(".", "_")
