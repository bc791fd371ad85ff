"""PCI devices as Linux shows them below `/sys` (Documentation/ABI/testing/sysfs-bus-pci)."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from computekit.pci.address import MAX_DOMAIN, PciAddress
from computekit.pci.device import DiscoveryNote, HostDevices, NoteCode, PciDevice
from computekit.pci.sysfs_vgpu import read_vgpu
from computekit.pci.vgpu import VgpuFacts
from computekit.pci.vpd import card_serial

__all__ = ["read_sysfs"]

_HEADER_BYTES = 64
_VPD_BYTES = 32_768
_TEXT_BYTES = 4_096
_HOST_BRIDGE = "pci"


def read_sysfs(root: Path) -> HostDevices:
    """Return every PCI function below the sysfs `root` (`/sys`, or a copy of it).

    An entry that is broken gets a note and keeps no other device from being reported. Nothing is
    written, and no link is followed out of `root` for more than its words.

    Raises:
        OSError: `root` has no `bus/pci/devices` that can be listed.
    """
    home = root / "bus/pci/devices"
    entries = [_Entry(path) for path in sorted(home.iterdir())]
    devices = [device for entry in entries if (device := entry.device()) is not None]
    return HostDevices.of(
        _with_vf_indexes(devices, entries), (note for entry in entries for note in entry.notes)
    )


def _with_vf_indexes(devices: list[PciDevice], entries: list["_Entry"]) -> Iterator[PciDevice]:
    indexes: dict[PciAddress, int] = {}
    for entry in entries:
        indexes.update(entry.vf_indexes)
    for device in devices:
        index = indexes.get(device.address)
        yield device if index is None else attrs.evolve(device, vf_index=index)


class _Entry:
    """One entry while it is read; what is broken is noted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.notes: list[DiscoveryNote] = []
        self.vf_indexes: dict[PciAddress, int] = {}

    def device(self) -> PciDevice | None:
        try:
            address = PciAddress.parse(self._path.name)
        except ValueError as error:
            self._note(NoteCode.NOT_AN_ADDRESS, str(error))
            return None
        try:
            return self._read(address)
        except OSError as error:  # it went while it was read, or is no directory
            self._note(NoteCode.BROKEN_ENTRY, _words(error))
            return None

    def _read(self, address: PciAddress) -> PciDevice | None:
        try:
            vendor_id = self._identity("vendor", 0xFFFF)
            product_id = self._identity("device", 0xFFFF)
            class_code = self._identity("class", 0xFFFFFF)
        except ValueError as error:
            self._note(NoteCode.NO_IDENTITY, f"{error}; the device is left out")
            return None
        if address.domain > MAX_DOMAIN:
            message = f"domain {address.domain:x} is above ffff: no guest can get this device"
            self._note(NoteCode.HIGH_DOMAIN, message)
        self._check_config()
        group = self._target("iommu_group")
        if group is not None and not group.isdecimal():
            self._note(NoteCode.BROKEN_LINK, f"iommu_group leads to {group[:40]!r}")
            group = None
        self._read_vfs()
        pf = self._address_behind("physfn")
        return PciDevice(
            address=address,
            vendor_id=vendor_id,
            product_id=product_id,
            class_code=class_code,
            numa_node=self._numa_node(),
            iommu_group=None if group is None else int(group),
            driver=self._target("driver"),
            physical_function=pf,
            max_vfs=self._max_vfs(),
            ports=self._ports(),
            card_serial=self._card_serial(),
            interfaces=self._interfaces(),
            vgpu=self._vgpu(virtual=pf is not None),
        )

    def _note(self, code: NoteCode, message: str) -> None:
        self.notes.append(DiscoveryNote(code, self._path.name, message))

    def _text(self, name: str) -> str:
        """Return the words of a file; OSError or ValueError if there are none."""
        return self._bytes(name, _TEXT_BYTES).decode("ascii").strip()

    def _bytes(self, name: str, size: int) -> bytes:
        with (self._path / name).open("rb") as file:
            return file.read(size)

    def _identity(self, name: str, most: int) -> int:
        try:
            number = int(self._text(name), 16)
        except (OSError, ValueError) as error:
            raise ValueError(f"{name}: {_words(error)}") from error
        if not 0 <= number <= most:
            raise ValueError(f"{name}: {number:#x} is not within 0 to {most:#x}")
        return number

    def _numa_node(self) -> int | None:
        try:
            number = int(self._text("numa_node"))
        except (OSError, ValueError) as error:
            self._note(NoteCode.NO_NUMA_NODE, f"numa_node: {_words(error)}; it counts as unknown")
            return None
        return number if number >= 0 else None  # Linux writes -1 for "the firmware does not say"

    def _check_config(self) -> None:
        try:
            header = self._bytes("config", _HEADER_BYTES)
        except OSError as error:
            self._note(NoteCode.NO_CONFIG, f"config: {_words(error)}")
            return
        if len(header) < _HEADER_BYTES:
            message = f"config: {len(header)} bytes, a header has {_HEADER_BYTES}"
            self._note(NoteCode.NO_CONFIG, message)
        # A virtual function has no ids of its own there: only all of it being ones tells.
        elif header == b"\xff" * _HEADER_BYTES:
            self._note(NoteCode.NO_ANSWER, "config holds only ones: the device does not answer")

    def _max_vfs(self) -> int:
        if not (self._path / "sriov_totalvfs").exists():
            return 0
        try:
            return max(0, int(self._text("sriov_totalvfs")))
        except (OSError, ValueError) as error:
            self._note(NoteCode.BROKEN_ENTRY, f"sriov_totalvfs: {_words(error)}")
            return 0

    def _card_serial(self) -> str | None:
        if not (self._path / "vpd").exists():
            return None
        try:
            return card_serial(self._bytes("vpd", _VPD_BYTES))
        except (OSError, ValueError) as error:
            self._note(NoteCode.BROKEN_VPD, f"vpd: {_words(error)}")
            return None

    def _interfaces(self) -> tuple[str, ...]:
        home = self._path / "net"
        return tuple(sorted(found.name for found in home.iterdir())) if home.is_dir() else ()

    def _vgpu(self, *, virtual: bool) -> VgpuFacts | None:
        try:
            return read_vgpu(self._path, virtual=virtual)
        except (OSError, ValueError) as error:
            self._note(NoteCode.BROKEN_VGPU, f"virtual GPUs: {_words(error)}")
            return None

    def _target(self, name: str) -> str | None:
        """Return the last word of what a link says; None if there is no such link."""
        link = self._path / name
        if not link.is_symlink():
            if link.exists():
                self._note(NoteCode.BROKEN_LINK, f"{name} is no link")
            return None
        return link.readlink().name

    def _address_behind(self, name: str) -> PciAddress | None:
        target = self._target(name)
        try:
            return None if target is None else PciAddress.parse(target)
        except ValueError as error:
            self._note(NoteCode.BROKEN_LINK, f"{name}: {error}")
            return None

    def _read_vfs(self) -> None:
        for link in self._path.glob("virtfn*"):
            number = link.name.removeprefix("virtfn")
            address = self._address_behind(link.name) if number.isdecimal() else None
            if address is not None:
                self.vf_indexes[address] = int(number)

    def _ports(self) -> tuple[PciAddress, ...]:
        """Return the bridges above, the nearest first, from where the device's own link leads.

        What is above the last host bridge is no part of this bus: a controller that brings a
        domain of its own has its devices below a host bridge below itself.
        """
        if not self._path.is_symlink():
            return ()
        ports: list[PciAddress] = []
        for part in reversed(self._path.readlink().parts[:-1]):
            if part.startswith(_HOST_BRIDGE):
                return tuple(ports)
            try:
                ports.append(PciAddress.parse(part))
            except ValueError:
                break
        words = f"the entry leads to {str(self._path.readlink())[:80]!r}, below no host bridge"
        self._note(NoteCode.BROKEN_LINK, words)
        return ()


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
