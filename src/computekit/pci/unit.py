"""Units: what is given away as one, be it a device or a group, and the provider that counts it."""

from collections.abc import Iterable
from functools import cached_property
from typing import NewType

import attrs

from computekit.ids import ProviderId, derived_uuid
from computekit.model import ResourceClass, Trait
from computekit.pci.address import PciAddress
from computekit.pci.device import PciDevice
from computekit.pci.names import LIVE_MIGRATABLE_TRAIT

__all__ = ["DeviceId", "DeviceUnit", "PciHost", "UnitKey", "UnitMember", "device_id", "moves"]

DeviceId = NewType("DeviceId", str)
"""What a device is called whatever slot it sits in: its card's serial number if it has one."""

UnitKey = NewType("UnitKey", str)
"""Of a group `group/<name>`, of a single device its address; unique on a host."""

_NAMESPACE = "6f0d6a40-6d5f-5a39-9f35-0a4c0f6d9b1e"


def device_id(device: PciDevice, card_serial: str | None) -> DeviceId:
    """Return what a device is called: a card's functions and VFs are told apart by their place."""
    if card_serial is None:
        return DeviceId(f"address/{device.address}")
    ids = f"{device.vendor_id:04x}:{device.product_id:04x}"
    if device.physical_function is not None:
        pf = device.physical_function.function
        if device.vf_index is None:
            return DeviceId(f"address/{device.address}")
        return DeviceId(f"serial/{card_serial}/{ids}/{pf}/vf{device.vf_index}")
    return DeviceId(f"serial/{card_serial}/{ids}/{device.address.function}")


def moves(device: DeviceId) -> bool:
    """Return whether the device is called the same in another slot, and in another host."""
    return device.startswith("serial/")


@attrs.frozen
class PciHost:
    """A host as the root of its providers; their uuids come from its own, their names from its.

    A provider's uuid is the same after a restart, a reinstallation or the loss of a database.

    Attributes:
        name: of the host.
        root: the provider of the host itself.
    """

    name: str
    root: ProviderId

    @classmethod
    def named(cls, name: str) -> "PciHost":
        """Return a host that no provider is known of: its uuid is made of its name."""
        return cls(name, ProviderId(derived_uuid(_NAMESPACE, f"host/{name}")))

    def of_group(self, name: str) -> tuple[ProviderId, str]:
        """Return uuid and name of the provider of a group."""
        return self._id(f"group/{name}"), f"{self.name}_PCI_GROUP_{name}"

    def of_device(self, address: PciAddress) -> tuple[ProviderId, str]:
        """Return uuid and name of the provider of a device, or of the VFs of a PF."""
        return self._id(f"device/{address}"), f"{self.name}_{str(address).upper()}"

    def of_bucket(
        self, address: PciAddress, resource_class: ResourceClass
    ) -> tuple[ProviderId, str]:
        """Return uuid and name of the provider of those VFs of a PF that are of one class."""
        name = f"{self.name}_{str(address).upper()}_{resource_class}"
        return self._id(f"device/{address}/{resource_class}"), name

    def of_mdev_parent(self, address: PciAddress) -> tuple[ProviderId, str]:
        """Return uuid and name of the provider of a device's mediated devices."""
        libvirt = str(address).replace(":", "_").replace(".", "_")
        return self._id(f"mdev/{address}"), f"{self.name}_pci_{libvirt}"

    def _id(self, path: str) -> ProviderId:
        return ProviderId(derived_uuid(_NAMESPACE, f"{self.root}/{path}"))


@attrs.frozen
class UnitMember:
    """A device as a part of a unit.

    Attributes:
        device: as it was last seen.
        id: what it is called whatever slot it sits in.
        role: its part in a group; empty for a single device.
        card_serial: of its card; None: it has none.
        managed: whether the hypervisor binds and unbinds the host's driver.
        live_migratable: whether a guest can be moved with it while it runs.
        one_time_use: whether it is wiped before somebody else gets it.
    """

    device: PciDevice
    id: DeviceId
    role: str = ""
    card_serial: str | None = None
    managed: bool = True
    live_migratable: bool = False
    one_time_use: bool = False

    @property
    def address(self) -> PciAddress:
        """Where it sits."""
        return self.device.address


@attrs.frozen(slots=False)  # what is derived is kept
class DeviceUnit:
    """One device, or one group of devices: whoever gets it gets all of it.

    Attributes:
        provider: that counts it.
        provider_name: its name.
        resource_class: that it is one of.
        traits: of its provider.
        members: by address, those that were there once too; one, if it is no group.
        group: the name of the group; None: it is a single device.
        group_type: what kind of group.
        signature: equal for groups that can stand in for each other; empty for a single device.
        missing: members that are not there; of those that were never seen only this is known.
        tagged: whether a request must name tags of the operator's own to get it.
        path: of the spec that made it.
    """

    provider: ProviderId
    provider_name: str
    resource_class: ResourceClass
    traits: frozenset[Trait]
    members: tuple[UnitMember, ...]
    group: str | None = None
    group_type: str | None = None
    signature: str = ""
    missing: tuple[PciAddress, ...] = ()
    tagged: bool = False
    path: str = attrs.field(default="", eq=False)

    @cached_property
    def key(self) -> UnitKey:
        """What it is called on its host."""
        if self.group is not None:
            return UnitKey(f"group/{self.group}")
        return UnitKey(str(self.members[0].address))

    @cached_property
    def addresses(self) -> frozenset[PciAddress]:
        """Where its members are, or should be."""
        return frozenset((*(member.address for member in self.members), *self.missing))

    @cached_property
    def excludes(self) -> frozenset[PciAddress]:
        """What nobody else can have while somebody has it: its devices, and the PFs of its VFs.

        A VF excludes its PF, and so a PF its VFs: two units clash if one's `addresses` and the
        other's `excludes` have something in common.
        """
        pfs = (member.device.physical_function for member in self.members)
        return self.addresses | {pf for pf in pfs if pf is not None}

    @cached_property
    def numa_nodes(self) -> frozenset[int | None]:
        """The nodes of the members; None among them: one does not say."""
        return frozenset(member.device.numa_node for member in self.members)

    @property
    def live_migratable(self) -> bool:
        """Whether a guest can be moved with it while it runs."""
        return LIVE_MIGRATABLE_TRAIT in self.traits

    @property
    def one_time_use(self) -> bool:
        """Whether it is wiped before somebody else gets it."""
        return any(member.one_time_use for member in self.members)

    def clashes(self, other: "DeviceUnit") -> bool:
        """Return whether the two cannot both be somebody's."""
        return not (
            self.addresses.isdisjoint(other.excludes) and self.excludes.isdisjoint(other.addresses)
        )

    @staticmethod
    def ordered(units: Iterable["DeviceUnit"]) -> tuple["DeviceUnit", ...]:
        """Return them by their keys."""
        return tuple(sorted(units, key=lambda unit: unit.key))
