"""The attributes of a host by the names that Nova's users write: `free_ram_mb`, `cpu_info:arch` ...

Extra specs of `capabilities:` and the query of the JSON filter name them. Amounts are those that
placement counts with: capacity is after reserve and over-commitment. A name that is not listed
here is looked for among the labels and the figures of the index.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from computekit.model import DISK_GB, MEMORY_MB, VCPU, ResourceClass
from computekit.placement import BoolArray, FleetIndex, Rows

__all__ = ["HOST_ATTRIBUTES", "Distinct", "Path", "Scalar", "attribute", "is_standing"]

Scalar: TypeAlias = str | int | float | bool | None
Path: TypeAlias = tuple[str, ...]
"""The parts of a name."""

_Codes: TypeAlias = npt.NDArray[np.intp]
_FEATURES = "HW_CPU_"


@attrs.frozen(eq=False)
class Distinct:
    """A value for each of some rows, few of which differ.

    Attributes:
        codes: the number of the value of each row.
        values: by number.
    """

    codes: _Codes
    values: tuple[Scalar, ...]

    def where(self, test: Callable[[Scalar], bool]) -> BoolArray:
        """Return on which rows `test` holds; it runs once for each value."""
        found: BoolArray = np.array([test(value) for value in self.values], dtype=np.bool_)
        return found[self.codes]


@attrs.frozen
class _Label:
    name: str
    standing: bool = True

    def read(self, fleet: FleetIndex, rows: Rows) -> Distinct:
        column = fleet.labels.get(self.name)
        if column is None:
            return _nothing(fleet, rows)
        codes, values = column.coded(rows)
        found, at = np.unique(codes, return_inverse=True)
        return Distinct(at.reshape(-1), tuple(values[code] for code in found.tolist()))


@attrs.frozen
class _Figure:
    name: str
    standing: bool = False

    def read(self, fleet: FleetIndex, rows: Rows) -> Distinct:
        return _distinct(fleet.figures.vector(self.name, rows, np.nan))


@attrs.frozen
class _Amount:
    resource_class: ResourceClass
    what: str
    times: int = 1
    standing: bool = False

    def read(self, fleet: FleetIndex, rows: Rows) -> Distinct:
        column = fleet.resources.get(self.resource_class)
        if column is None:
            return _distinct(np.zeros(len(fleet.up[rows])))
        capacity, free = column.capacity.value[rows], column.free.value[rows]
        amounts = {"total": capacity, "free": free, "used": capacity - free}[self.what]
        return _distinct((amounts * self.times).astype(np.float64))


@attrs.frozen
class _Name:
    standing: bool = True

    def read(self, fleet: FleetIndex, rows: Rows) -> Distinct:
        at = np.arange(len(fleet))[rows]
        return Distinct(np.arange(len(at)), tuple(fleet.names[row] for row in at.tolist()))


@attrs.frozen
class _Features:
    standing: bool = True

    def read(self, fleet: FleetIndex, rows: Rows) -> Distinct:
        traits = sorted(t for t in fleet.root_traits.keys if t.startswith(_FEATURES))
        if not traits:
            return Distinct(np.zeros(len(fleet.up[rows]), np.intp), ("",))
        held = np.array([fleet.root_traits.vector(trait, rows) for trait in traits])
        found, at = np.unique(held, axis=1, return_inverse=True)
        words = [trait.rsplit("_", 1)[-1].lower() for trait in traits]
        values = (
            " ".join(word for word, has in zip(words, column, strict=True) if has)
            for column in found.T.tolist()
        )
        return Distinct(at.reshape(-1), tuple(values))


_Reader: TypeAlias = _Label | _Figure | _Amount | _Name | _Features

_READERS: dict[str, _Reader] = {
    "host": _Name(),
    "hypervisor_hostname": _Name(),
    "nodename": _Name(),
    "host_ip": _Label("host_ip"),
    "hypervisor_type": _Label("hypervisor"),
    "hypervisor_version": _Figure("hypervisor_version", standing=True),
    "availability_zone": _Label("zone"),
    "cpu_info:arch": _Label("arch"),
    "cpu_info:model": _Label("cpu_model"),
    "cpu_info:features": _Features(),
    "cpu_info:maxphysaddr:bits": _Figure("maxphysaddr_bits", standing=True),
    "vcpus_total": _Amount(VCPU, "total"),
    "vcpus_used": _Amount(VCPU, "used"),
    "free_ram_mb": _Amount(MEMORY_MB, "free"),
    "total_usable_ram_mb": _Amount(MEMORY_MB, "total"),
    "free_disk_mb": _Amount(DISK_GB, "free", 1024),
    "disk_mb_used": _Amount(DISK_GB, "used", 1024),
    "total_usable_disk_gb": _Amount(DISK_GB, "total"),
    "num_instances": _Figure("instances"),
    "num_io_ops": _Figure("io_ops"),
    "failed_builds": _Figure("failed_builds"),
}
HOST_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        name: {
            _Name: "the host's name",
            _Label: "a label",
            _Figure: "a figure",
            _Amount: "an amount",
            _Features: "words for the CPU traits of the root",
        }[type(reader)]
        for name, reader in _READERS.items()
    }
)
"""What each name stands for; parts of a name are joined by colons."""


def is_standing(path: Path) -> bool:
    """Return whether claims and releases leave an attribute as it is."""
    reader = _READERS.get(":".join(path))
    return reader is not None and reader.standing


def attribute(fleet: FleetIndex, path: Path, rows: Rows) -> Distinct:
    """Return an attribute of `rows`; None where a host does not have it."""
    name = ":".join(path)
    reader = _READERS.get(name)
    if reader is not None:
        return reader.read(fleet, rows)
    if name in fleet.labels:
        return _Label(name).read(fleet, rows)
    return _Figure(":".join(path[1:]) if path[:1] == ("stats",) else name).read(fleet, rows)


def _distinct(numbers: npt.NDArray[np.float64]) -> Distinct:
    found, at = np.unique(numbers, return_inverse=True)
    return Distinct(at.reshape(-1), tuple(map(_plain, found.tolist())))


def _plain(number: float) -> int | float | None:
    if number != number:  # nan
        return None
    return int(number) if number.is_integer() else number


def _nothing(fleet: FleetIndex, rows: Rows) -> Distinct:
    return Distinct(np.zeros(len(fleet.up[rows]), np.intp), (None,))
