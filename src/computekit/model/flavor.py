"""A flavor: the size of an instance and the rules that come with it."""

import attrs

from computekit.ids import FlavorId
from computekit.model.frozen_map import FrozenMap
from computekit.units import Gib, Mib

__all__ = ["Flavor"]


@attrs.frozen
class Flavor:
    """What an instance gets (Compute API, flavors).

    Attributes:
        id: any text.
        name: for people.
        vcpus: virtual CPUs.
        memory_mib: memory.
        disk_gib: root disk; 0 means the size of the image.
        ephemeral_gib: a further, empty disk.
        swap_mib: a swap disk.
        extra_specs: rules as `key: text`; parsed by `computekit.guest`.
    """

    id: FlavorId
    name: str
    vcpus: int
    memory_mib: Mib
    disk_gib: Gib = Gib(0)
    ephemeral_gib: Gib = Gib(0)
    swap_mib: Mib = Mib(0)
    extra_specs: FrozenMap[str, str] = FrozenMap()
