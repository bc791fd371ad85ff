"""Groups: several devices that are given away as one."""

import hashlib
from functools import cached_property

import attrs

from computekit.model import ResourceClass, Trait
from computekit.pci.address import PciAddress
from computekit.pci.device import PciDevice
from computekit.pci.names import (
    GROUP_TRAIT,
    LIVE_MIGRATABLE_TRAIT,
    MANAGED_TRAIT,
    ONE_TIME_USE_TRAIT,
    OWNER_TRAIT,
)
from computekit.pci.spec import DeviceSpec

__all__ = ["DeviceGroup", "GroupMember"]


@attrs.frozen
class GroupMember:
    """A device with the part that it plays in its group.

    Attributes:
        device: the device.
        role: unlike those of the other members, unless the specs say otherwise.
        spec: that made it a member.
    """

    device: PciDevice
    role: str
    spec: DeviceSpec


@attrs.frozen(slots=False)  # what is derived is kept
class DeviceGroup:
    """Two or more devices that one guest gets together, or nobody gets.

    Attributes:
        name: unique on its host.
        type: what kind of group.
        resource_class: what one unit of is the whole group.
        members: by address; those that were there once and are missing now too.
        missing: devices that belong to it and are not there; while there are some, the group is
            given to nobody, and neither are the members that are left.
    """

    name: str
    type: str
    resource_class: ResourceClass
    members: tuple[GroupMember, ...]
    missing: tuple[PciAddress, ...] = ()

    @property
    def degraded(self) -> bool:
        """Whether a member is missing."""
        return bool(self.missing)

    @cached_property
    def addresses(self) -> frozenset[PciAddress]:
        """Where its members are, or should be."""
        return frozenset((*(member.device.address for member in self.members), *self.missing))

    @cached_property
    def numa_nodes(self) -> frozenset[int | None]:
        """The nodes of the members; None among them: one does not say."""
        return frozenset(member.device.numa_node for member in self.members)

    @cached_property
    def signature(self) -> str:
        """What makes groups alike: a SHA-256 over role, ids, type and binding of each member."""
        lines = sorted(
            f"{member.role} {member.device.vendor_id:04x} {member.device.product_id:04x}"
            f" {member.device.type.value} {'managed' if member.spec.managed else 'unmanaged'}\n"
            for member in self.members
        )
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @cached_property
    def traits(self) -> frozenset[Trait]:
        """What any member can do, and that it is a group like this.

        It can be migrated live if every member can; it is wiped after use if any member is.
        """
        found = {MANAGED_TRAIT, OWNER_TRAIT, GROUP_TRAIT}
        found.add(Trait(f"{GROUP_TRAIT}_SIG_{self.signature[:8].upper()}"))
        found.update(*(member.spec.traits for member in self.members))
        found -= {LIVE_MIGRATABLE_TRAIT}
        if all(member.spec.live_migratable for member in self.members):
            found.add(LIVE_MIGRATABLE_TRAIT)
        if any(member.spec.one_time_use for member in self.members):
            found.add(ONE_TIME_USE_TRAIT)
        return frozenset(found)
