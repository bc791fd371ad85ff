"""Devices in a guest: ports and addresses, plugging, moving, and the host's changes meanwhile."""

from pathlib import Path

import attrs
import pytest

from computekit.errors import HypervisorRefused, InvalidInput
from computekit.ids import ConsumerId, ProviderId
from computekit.model import ResourceClass, Trait
from computekit.pci import (
    DEVICE_MOVES,
    DeviceInventory,
    DeviceMoveKind,
    DeviceUnit,
    GuestLayout,
    GuestWiring,
    HostDevices,
    KeptUnit,
    MemoryHotPlug,
    PciAddress,
    PciDevice,
    PortModel,
    UnitHolding,
    UnitMember,
    check_live_migration,
    compare_devices,
    map_devices,
    plug_all,
    ports_needed,
    read_sysfs,
    unplug_all,
    wire_units,
)
from computekit.pci.unit import device_id
from computekit.testing import ManualClock
from computekit.units import Seconds
from tests.unit.pci.fixture import unpack

LIVE = Trait("HW_PCI_LIVE_MIGRATABLE")


def at(text: str) -> PciAddress:
    return PciAddress.parse(f"0000:{text}")


def member(text: str, role: str = "", product: int = 1) -> UnitMember:
    device = PciDevice(at(text), 0x10DE, product, 0x030000)
    return UnitMember(device, device_id(device, None), role, managed=False)


def unit(name: str, *members: UnitMember, signature: str = "s") -> DeviceUnit:
    single = len(members) == 1
    return DeviceUnit(
        ProviderId(f"p-{name}"),
        name,
        ResourceClass("CUSTOM_X"),
        frozenset({LIVE}),
        members,
        group=None if single else name,
        group_type=None if single else "t",
        signature="" if single else signature,
    )


GPU = unit("av.0000:41", member("41:00.0", "gpu"), member("41:00.1", "audio", 2))
NIC = unit("nic", member("42:00.0", "nic", 3))


def seen(wiring: GuestWiring) -> list[tuple[str, str, bool]]:
    return [(it.alias, str(it.guest), it.multifunction) for it in wiring.devices]


def test_each_member_has_a_root_port_of_its_own() -> None:
    wiring = wire_units([unit("g0", member("01:00.1"), member("81:00.1")), NIC], 5)

    assert [(it.index, it.model) for it in wiring.ports] == [
        (5, PortModel.ROOT),
        (6, PortModel.ROOT),
        (7, PortModel.ROOT),
    ]
    assert seen(wiring) == [
        ("ua-pcigrp-g0-0", "0000:05:00.0", False),
        ("ua-pcigrp-g0-1", "0000:06:00.0", False),
        ("ua-pci-0000-42-00-0", "0000:07:00.0", False),
    ]


def test_functions_of_a_slot_stay_functions_of_a_slot() -> None:
    wiring = wire_units([GPU, NIC], 1, GuestLayout.MULTIFUNCTION)

    assert seen(wiring) == [
        ("ua-pcigrp-av-0000-41-p-av.000-0", "0000:01:00.0", True),
        ("ua-pcigrp-av-0000-41-p-av.000-1", "0000:01:00.1", False),
        ("ua-pci-0000-42-00-0", "0000:02:00.0", False),
    ]
    assert [(it.role, it.group_type, str(it.address)) for it in wiring.tags][:2] == [
        ("gpu", "t", "0000:01:00.0"),
        ("audio", "t", "0000:01:00.1"),
    ]


def test_a_switch_takes_one_root_port() -> None:
    wiring = wire_units([GPU, NIC], 1, GuestLayout.SWITCH)

    assert [(it.index, it.model.value, it.bus, it.slot) for it in wiring.ports] == [
        (1, "pcie-root-port", 0, None),
        (2, "pcie-switch-upstream-port", 1, 0),
        (3, "pcie-switch-downstream-port", 2, 0),
        (4, "pcie-switch-downstream-port", 2, 1),
        (5, "pcie-root-port", 0, None),
    ]
    assert [str(it.guest) for it in wiring.devices] == [
        "0000:03:00.0",
        "0000:04:00.0",
        "0000:05:00.0",
    ]
    counts = [ports_needed([GPU, NIC], layout) for layout in GuestLayout]
    assert counts == [3, 2, 2]


def test_devices_are_plugged_and_unplugged_whole() -> None:
    devices = wire_units([GPU, NIC], 1).devices
    guest = MemoryHotPlug()
    plug_all(guest, devices)
    plug_all(guest, devices)
    assert guest.plugged() == {it.alias for it in devices}

    refusal = HypervisorRefused("detach", 1, "busy")
    guest.stubborn[devices[0].alias] = refusal
    with pytest.raises(HypervisorRefused):
        unplug_all(guest, devices)
    assert guest.plugged() == {it.alias for it in devices}
    guest.stubborn.clear()
    unplug_all(guest, devices)
    assert guest.plugged() == frozenset()

    guest.stubborn[devices[2].alias] = refusal
    with pytest.raises(HypervisorRefused):
        plug_all(guest, devices)
    assert guest.plugged() == frozenset()


def test_what_cannot_be_put_back_is_noted() -> None:
    first, second, _third = wire_units([GPU, NIC], 1).devices

    class Sticky(MemoryHotPlug):
        def unplug(self, device: object) -> None:
            raise HypervisorRefused("detach", 2, "the guest keeps it")

    guest = Sticky({second.alias: HypervisorRefused("attach", 1, "no")})
    with pytest.raises(HypervisorRefused) as error:
        plug_all(guest, [first, second])

    assert error.value.call == "attach"
    assert [note.startswith(first.alias) for note in error.value.__notes__] == [True]


def held(it: DeviceUnit, request: str) -> KeptUnit:
    return KeptUnit(it, holding=UnitHolding(ConsumerId("i"), request))


def test_devices_are_mapped_by_role_and_not_by_their_order() -> None:
    there = unit("av2", member("51:00.0", "audio", 2), member("51:00.1", "gpu"))
    nic = unit("nic2", member("61:00.3", "nic", 3))

    mapped = map_devices(
        [held(GPU, "a-0"), held(NIC, "b-0")], [held(nic, "b-0"), held(there, "a-0")]
    )

    assert {str(is_): str(to) for is_, to in mapped.items()} == {
        "0000:41:00.0": "0000:51:00.1",
        "0000:41:00.1": "0000:51:00.0",
        "0000:42:00.0": "0000:61:00.3",
    }


def test_what_has_no_counterpart_or_another_is_told() -> None:
    other = unit("x", member("51:00.0", "gpu"), member("51:00.1", "audio", 2), signature="z")

    with pytest.raises(InvalidInput) as error:
        map_devices([held(GPU, "a"), held(NIC, "b")], [held(other, "a"), held(NIC, "c")])

    assert sorted(fault.code for fault in error.value.faults) == ["L02", "L02", "L03"]
    assert "signature" in error.value.message


def test_only_what_can_be_moved_live_is() -> None:
    check_live_migration([GPU])
    with pytest.raises(InvalidInput) as error:
        check_live_migration([GPU, attrs.evolve(NIC, traits=frozenset())])

    (fault,) = error.value.faults
    assert (fault.code, fault.path) == ("L01", "0000:42:00.0")
    assert {kind for kind, move in DEVICE_MOVES.items() if move.live} == {
        DeviceMoveKind.LIVE_MIGRATE
    }
    assert DEVICE_MOVES.keys() == set(DeviceMoveKind)


def test_an_event_is_a_hint_and_a_generation_a_value(tmp_path: Path) -> None:
    root, clock = unpack(tmp_path), ManualClock()
    reads: list[int] = []

    def read() -> HostDevices:
        reads.append(1)
        return read_sysfs(root)

    inventory = DeviceInventory(read, clock, Seconds(60))
    first = inventory.now
    assert inventory.refresh() is first
    assert len(reads) == 1

    (root / "bus/pci/devices/0000:01:00.1").unlink()
    assert inventory.refresh() is first
    inventory.hint()
    inventory.hint()
    second = inventory.refresh()
    assert second.number == 2
    assert second.difference.vanished == (at("01:00.1"),)
    assert at("01:00.1") in first.devices.by_address
    assert inventory.refresh() is second
    assert len(reads) == 2

    clock.advance(Seconds(60))
    assert inventory.refresh() is second
    assert len(reads) == 3


def test_a_look_that_fails_is_due_again(tmp_path: Path) -> None:
    devices = read_sysfs(unpack(tmp_path))
    broken: list[OSError] = []

    def read() -> HostDevices:
        if broken:
            raise broken[0]
        return devices

    inventory = DeviceInventory(read, ManualClock(), Seconds(60))
    broken.append(OSError(5, "I/O error"))
    inventory.hint()
    with pytest.raises(OSError, match="I/O"):
        inventory.refresh()
    assert inventory.is_due
    assert inventory.now.devices is devices


def test_a_driver_that_changes_is_no_difference() -> None:
    device = PciDevice(at("01:00.0"), 1, 2, 0x030000, driver="nvidia")
    before = HostDevices.of((device,), ())

    bound = HostDevices.of((attrs.evolve(device, driver="vfio-pci"),), ())
    moved = HostDevices.of((attrs.evolve(device, numa_node=1),), ())

    assert not compare_devices(before, bound)
    assert compare_devices(before, moved).changed == (at("01:00.0"),)
