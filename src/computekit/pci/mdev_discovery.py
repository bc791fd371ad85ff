"""Mediated devices that there are, as Linux shows them (Documentation/ABI, sysfs-bus-vfio-mdev)."""

from pathlib import Path

from computekit.ids import is_uuid
from computekit.pci.address import PciAddress
from computekit.pci.device import DiscoveryNote, NoteCode
from computekit.pci.mdev import Mdev

__all__ = ["read_mdevs"]


def read_mdevs(root: Path) -> tuple[tuple[Mdev, ...], tuple[DiscoveryNote, ...]]:
    """Return the mediated devices below the sysfs `root`, and what is broken about some.

    One whose parent is no PCI device (a virtual parent) has a note and is left out.
    """
    home = root / "bus/mdev/devices"
    if not home.is_dir():
        return (), ()
    found: list[Mdev] = []
    notes: list[DiscoveryNote] = []
    for path in sorted(home.iterdir()):
        try:
            found.append(_mdev(path))
        except (OSError, ValueError) as error:
            words = (error.strerror if isinstance(error, OSError) else None) or str(error)
            notes.append(DiscoveryNote(NoteCode.BROKEN_VGPU, path.name, words))
    return tuple(found), tuple(notes)


def _mdev(path: Path) -> Mdev:
    if not is_uuid(path.name):
        raise ValueError(f"{path.name[:40]!r} is no UUID")
    parent = path.readlink().parts[-2]
    return Mdev(path.name, PciAddress.parse(parent), (path / "mdev_type").readlink().name)
