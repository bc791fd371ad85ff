"""Devices of the host in a domain: what libvirt is told, and that its schema takes it."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from lxml import etree

from computekit.ids import ProviderId
from computekit.model import ResourceClass
from computekit.pci import (
    DeviceUnit,
    GuestLayout,
    PciAddress,
    PciDevice,
    UnitMember,
    wire_units,
)
from computekit.pci.unit import device_id
from computekit.virt.libvirt.hostdev_xml import hostdev_element, mdev_element, wiring_elements

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
UUID = "6f1c9d60-0000-4000-8000-000000000001"


def group(*addresses: str, managed: bool = False) -> DeviceUnit:
    devices = [PciDevice(PciAddress.parse(text), 1, 2, 3) for text in addresses]
    members = tuple(UnitMember(it, device_id(it, None), managed=managed) for it in devices)
    name = ResourceClass("CUSTOM_X")
    return DeviceUnit(ProviderId("p"), "p", name, frozenset(), members, "g0", "t")


PAIR = group("0000:01:00.1", "0000:81:00.1")
CARD = group("0000:41:00.0", "0000:41:00.1")


def test_a_device_of_a_group() -> None:
    element = hostdev_element(wire_units([PAIR], 1).devices[1])

    assert ET.tostring(element, encoding="unicode") == (
        '<hostdev mode="subsystem" type="pci" managed="no"><source>'
        '<address domain="0x0000" bus="0x81" slot="0x00" function="0x1" /></source>'
        '<alias name="ua-pcigrp-g0-1" />'
        '<address type="pci" domain="0x0000" bus="0x02" slot="0x00" function="0x0" /></hostdev>'
    )


def test_the_first_function_of_a_slot_says_that_there_are_more() -> None:
    first, second = wire_units([CARD], 1, GuestLayout.MULTIFUNCTION).devices

    assert hostdev_element(first).findall("address")[0].get("multifunction") == "on"
    assert hostdev_element(second).findall("address")[0].get("multifunction") is None


def test_a_mediated_device_has_a_uuid() -> None:
    element = mdev_element(UUID, "ua-mdev-0")

    assert element.find("source/address[@uuid]") is not None
    with pytest.raises(ValueError, match="no UUID"):
        mdev_element("x", "ua-mdev-0")


@pytest.mark.skipif(not SCHEMA.exists(), reason="libvirt's schemas are not installed")
@pytest.mark.parametrize("layout", GuestLayout)
def test_the_schema_takes_every_layout(layout: GuestLayout) -> None:
    domain = ET.fromstring(
        "<domain type='qemu'><name>x</name><memory>1024</memory>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
        "<controller type='pci' index='0' model='pcie-root'/></devices></domain>"
    )
    devices = domain.find("devices")
    assert devices is not None
    devices.extend(wiring_elements(wire_units([PAIR, CARD], 1, layout)))
    devices.append(mdev_element(UUID, "ua-mdev-0"))

    schema = etree.RelaxNG(etree.parse(str(SCHEMA)))

    schema.assertValid(etree.fromstring(ET.tostring(domain)))
