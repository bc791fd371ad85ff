"""Whatever the specs and the host: who starts gives no device away twice."""

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from computekit.errors import InvalidInput
from computekit.pci import (
    PCI_CODES,
    AddressGlob,
    DeviceType,
    HostDevices,
    PciAddress,
    PciDevice,
    PciExplanation,
    explain_devices,
    parse_pci_config,
)

IDS = {"product_id": st.sampled_from(("0001", "0002"))}
ADDRESS = st.sampled_from(
    ("0000:01:00.0", "01:00.1", ":01:", "*:02:*.*", "0000:09:00.0", {"function": "[12]"})
)
SINGLE = st.fixed_dictionaries(
    IDS,
    optional={
        "address": ADDRESS,
        "resource_class": st.just("x"),
        "traits": st.sampled_from(("fast", "fast,slow")),
        "managed": st.just("no"),
        "physical_network": st.just("net0"),
    },
)
NAMED = st.fixed_dictionaries(
    {**IDS, "address": ADDRESS, "group_type": st.sampled_from(("t", "u"))}
    | {"group_name": st.sampled_from(("g", "h"))}
)
BY = st.fixed_dictionaries(
    {**IDS, "group_type": st.just("t"), "group_by": st.sampled_from(("slot", "pf", "root_port"))},
    optional={
        "address": ADDRESS,
        "group_size": st.integers(2, 3),
        "group_remainder": st.sampled_from(("ungrouped", "ignore")),
    },
)
SPECS = st.lists(SINGLE | NAMED | BY, max_size=4)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
ANY_KEY = st.sampled_from(
    (
        *("vendor_id", "address", "devname", "traits", "managed", "group_by", "group_size", "name"),
        *("group_name", "group_type", "numa_policy", "device_type", "resource_class", "mine"),
    )
)


def host(*, virtual: bool) -> HostDevices:
    """Return two cards: each a PF with three VFs, or four functions of their own."""
    devices: list[PciDevice] = []
    for number in range(8):
        bus, function = 1 + number // 4, number % 4
        vf = virtual and function > 0
        device = PciDevice(
            PciAddress(0, bus, 0, function),
            0x10DE,
            2 if function else 1,
            0x030000,
            numa_node=bus - 1,
            iommu_group=number,
            physical_function=PciAddress(0, bus, 0, 0) if vf else None,
            vf_index=function - 1 if vf else None,
            max_vfs=3 if virtual and not function else 0,
            ports=(PciAddress(0, 0, bus, 0),),
        )
        devices.append(device)
    return HostDevices.of(devices, ())


HOSTS = {virtual: host(virtual=virtual) for virtual in (False, True)}


def outcome(specs: list[dict[str, object]], there: HostDevices) -> PciExplanation | InvalidInput:
    text = json.dumps({"device_spec": specs})
    try:
        return explain_devices(parse_pci_config(text, syntax="json"), there, "h")
    except InvalidInput as error:
        return error


@given(SPECS, st.booleans())
def test_no_device_is_given_away_twice(specs: list[dict[str, object]], virtual: bool) -> None:
    found = outcome(specs, HOSTS[virtual])
    if isinstance(found, InvalidInput):
        assert {fault.code for fault in found.faults} <= set(PCI_CODES)
        assert all(fault.path.startswith("device_spec") for fault in found.faults)
        return

    members = Counter(member.device.address for group in found.groups for member in group.members)
    assert set(members.values()) <= {1}
    for one in found.devices:
        # Who is a member is not consumable alone, and goes where its group goes.
        assert (one.group is not None) == (one.device.address in members)
        if one.group is not None and one.provider is not None:
            assert one.provider == f"h_PCI_GROUP_{one.group}"
    for group in found.groups:
        assert group.degraded or len(group.members) >= 2
    offered = {one.device.address for one in found.devices if one.provider is not None}
    for one in found.devices:
        if one.device.type is DeviceType.VF and one.device.address in offered:
            assert one.device.physical_function not in offered


@given(SPECS, st.booleans())
def test_groups_of_a_type_are_alike_and_their_class_is_their_own(
    specs: list[dict[str, object]], virtual: bool
) -> None:
    found = outcome(specs, HOSTS[virtual])
    if isinstance(found, InvalidInput):
        return

    whole = {(group.type, group.signature) for group in found.groups if not group.degraded}
    assert len(whole) == len({type_ for type_, _signature in whole})
    singles = {one.resource_class for one in found.devices if one.group is None}
    assert singles.isdisjoint(group.resource_class for group in found.groups)


@given(st.lists(st.dictionaries(ANY_KEY, JUNK, max_size=4) | JUNK, max_size=3))
def test_whatever_is_written_is_read_or_refused_with_codes(entries: list[object]) -> None:
    text = json.dumps({"device_spec": entries, "alias": entries})
    try:
        parse_pci_config(text, syntax="json")
    except InvalidInput as error:
        codes = {fault.code for fault in error.faults}
    else:
        codes = set()
    assert codes <= set(PCI_CODES)


@given(st.integers(0, 0xFFFF), st.integers(0, 255), st.integers(0, 31), st.integers(0, 7))
def test_an_address_reads_as_it_is_written(domain: int, bus: int, slot: int, function: int) -> None:
    address = PciAddress(domain, bus, slot, function)

    assert PciAddress.parse(str(address)) == address
    assert AddressGlob.parse(str(address)).exact == address
    assert AddressGlob.parse(f"{bus:x}:{slot:x}").matches(address)


@given(st.text(alphabet="0123456789abcf:.*", max_size=14))
def test_a_pattern_is_read_or_refused(text: str) -> None:
    try:
        pattern = AddressGlob.parse(text)
    except ValueError:
        return
    assert pattern.exact is None or pattern.matches(pattern.exact)
