"""Virtual GPUs as a host's drivers show them: three generations, and the names of their types."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from computekit.model import FrozenMap

__all__ = [
    "MdevType",
    "VgpuFacts",
    "VgpuInterface",
    "VgpuType",
    "mig_profile_of",
    "parse_creatable_types",
]


class VgpuInterface(Enum):
    """How a type is chosen for a virtual GPU."""

    MDEV = "mdev"
    """Mediated devices are created on the device itself; one type for each in practice."""

    MDEV_ON_VF = "mdev-on-vf"
    """Each VF takes one mediated device, and all VFs lose a type together."""

    VENDOR = "vendor"
    """The number of the type is written to the VF, which is then given away like any VF."""


@attrs.frozen(order=True)
class VgpuType:
    """A type that a VF can become.

    Attributes:
        id: its number; 0 is no type.
        name: `NVIDIA H200X-1-18C`.
    """

    id: int
    name: str


@attrs.frozen(order=True)
class MdevType:
    """A type of mediated devices of one parent.

    Attributes:
        id: `nvidia-63`, unique on the parent.
        name: for people; may be empty.
        available: how many more can be created now.
        device_api: what a guest sees: `vfio-pci`.
    """

    id: str
    name: str
    available: int
    device_api: str


@attrs.frozen
class VgpuFacts:
    """What one function says of its virtual GPUs.

    Attributes:
        interface: how a type is chosen.
        current: number of the type that the VF is now; 0: none.
        creatable: what it could become now. A type that is used up is not in there.
        mdev_types: of mediated devices.
        gpu_instance: number of the MIG instance behind the VF; None: it is not on one.
    """

    interface: VgpuInterface
    current: int = 0
    creatable: tuple[VgpuType, ...] = ()
    mdev_types: tuple[MdevType, ...] = ()
    gpu_instance: int | None = None


_LINE = re.compile(r"\s*(?P<id>[0-9]{1,9})\s*:\s*(?P<name>\S.*?)\s*\Z")


def parse_creatable_types(text: str) -> tuple[VgpuType, ...]:
    """Return the types that `creatable_vgpu_types` lists: `id : name`; other lines are headings."""
    found = (_LINE.match(line) for line in text.splitlines())
    return tuple(sorted({VgpuType(int(it["id"]), it["name"]) for it in found if it}))


_PROFILE = re.compile(
    r"-(?P<slices>[1-9][0-9]?)-(?P<memory>[1-9][0-9]*)(?P<series>[ABCQ])(?P<media>ME)?\Z"
)


def mig_profile_of(name: str) -> str | None:
    """Return the profile of the MIG instance behind a type: `1g.18gb` of `NVIDIA H200X-1-18C`.

    None: the type shares the GPU in time; its name has no number of slices.
    """
    found = _PROFILE.search(name.strip())
    if found is None:
        return None
    return f"{found['slices']}g.{found['memory']}gb{'+me' if found['media'] else ''}"


def type_names(facts: Iterable[VgpuFacts], known: Mapping[int, str]) -> FrozenMap[int, str]:
    """Return the names of types by number.

    A VF that has become a type no longer lists it, and one that is used up nobody lists: what is
    known from elsewhere fills the gaps.
    """
    names = dict(known)
    for it in facts:
        names.update({type_.id: type_.name for type_ in it.creatable})
    return FrozenMap(names)
