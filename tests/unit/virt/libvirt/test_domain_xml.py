"""The XML of domains: what libvirt's own schema allows, with the names of hostile people in it."""

import xml.etree.ElementTree as ET
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from computekit.errors import InvalidInput
from computekit.guest import DirectBoot, DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import ImageId, InstanceId, OperationId
from computekit.topology import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    HostNode,
    HostTopology,
    PageSize,
    PageStock,
    fit_guest,
)
from computekit.units import Bytes, Kib, Mib
from computekit.virt import DomainMark, DomainSpec
from computekit.virt.checks import check_spec
from computekit.virt.libvirt import DiskFile, DomainFiles, domain_xml
from computekit.virt.libvirt.mark import MARK_NAMESPACE, Marking, read_marking

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")

INSTANCE = InstanceId("0d8a9c3e-5f4b-4c1d-9e2f-1a2b3c4d5e6f")
KERNEL = ImageId("11111111-1111-4111-8111-111111111111")
GUEST = GuestConfig(
    arch="x86_64",
    machine_type="q35",
    firmware=Firmware.BIOS,
    vcpus=2,
    memory_mib=Mib(512),
    disks=(
        GuestDisk(DiskRole.ROOT, Bytes(1 << 30)),
        GuestDisk(DiskRole.EPHEMERAL, Bytes(1 << 30)),
        GuestDisk(DiskRole.SWAP, Bytes(1 << 30)),
    ),
)
SPEC = DomainSpec(DomainMark(INSTANCE, 3, OperationId("op-7")), "web-1", GUEST)
DIRECT = attrs.evolve(GUEST, direct_boot=DirectBoot(KERNEL, KERNEL, "console=ttyS0 a=<&'\"> quiet"))


def files(guest: GuestConfig) -> DomainFiles:
    home = Path("/srv/guests <&>/instances")
    return DomainFiles(
        tuple(DiskFile(disk.role, home / f"{disk.role.value}.qcow2") for disk in guest.disks),
        home / "console.log",
        home / "kernel" if guest.direct_boot else None,
        home / "ramdisk" if guest.direct_boot and guest.direct_boot.ramdisk else None,
    )


def xml(spec: DomainSpec = SPEC, virt_type: str = "qemu") -> str:
    return domain_xml(spec, files(spec.guest), virt_type)


@pytest.fixture(scope="module")
def schema() -> etree.RelaxNG:
    if not SCHEMA.exists():
        pytest.skip(f"libvirt's schema: {SCHEMA} not found")
    return etree.RelaxNG(etree.parse(str(SCHEMA)))


@pytest.mark.parametrize("virt_type", ["qemu", "kvm"])
@pytest.mark.parametrize(
    "guest",
    [
        GUEST,
        DIRECT,
        attrs.evolve(DIRECT, direct_boot=DirectBoot(KERNEL, None, "quiet")),
        attrs.evolve(GUEST, firmware=Firmware.UEFI),
        attrs.evolve(GUEST, machine_type="pc"),
        attrs.evolve(GUEST, machine_type="pc-q35-7.2", disks=()),
        attrs.evolve(GUEST, arch="aarch64", machine_type="virt", firmware=Firmware.UEFI),
    ],
)
def test_libvirts_schema_allows_it(
    schema: etree.RelaxNG, guest: GuestConfig, virt_type: str
) -> None:
    document = etree.fromstring(xml(attrs.evolve(SPEC, guest=guest), virt_type))
    assert schema.validate(document), schema.error_log


@given(st.text(max_size=300))
def test_a_name_arrives_as_it_is_or_is_refused_before_anything(name: str) -> None:
    spec = attrs.evolve(SPEC, name=name)
    try:
        check_spec(spec)
    except InvalidInput:
        return
    root = ET.fromstring(xml(spec))
    assert root.findtext("sysinfo/system/entry[@name='sku']") == name


def test_a_guest_learns_who_it_is() -> None:
    root = ET.fromstring(xml())
    entries = {entry.get("name"): entry.text for entry in root.iterfind("sysinfo/system/entry")}
    assert entries == {
        "manufacturer": "computekit",
        "product": "computekit instance",
        "serial": INSTANCE,
        "uuid": INSTANCE,
        "sku": "web-1",
    }
    assert root.findtext("uuid") == INSTANCE
    assert root.findtext("name") == f"ck-{INSTANCE}"
    smbios = root.find("os/smbios")
    assert smbios is not None
    assert smbios.get("mode") == "sysinfo"


def test_the_mark_can_be_read_back() -> None:
    root = ET.fromstring(domain_xml(SPEC, files(GUEST), "qemu", boots=42))
    element = root.find(f"metadata/{{{MARK_NAMESPACE}}}domain")
    assert element is not None
    assert read_marking(ET.tostring(element, "unicode"), INSTANCE) == Marking(SPEC.mark, 42)


def test_what_is_promised_is_asked_for() -> None:
    root = ET.fromstring(xml())
    memory, kind = root.find("memory"), root.find("os/type")
    assert memory is not None
    assert (memory.text, memory.get("unit")) == ("512", "MiB")
    assert root.findtext("vcpu") == "2"
    assert kind is not None
    assert (kind.get("arch"), kind.get("machine")) == ("x86_64", "q35")


def test_disks_come_in_order_past_the_page_cache() -> None:
    disks = list(ET.fromstring(xml()).iterfind("devices/disk"))
    assert [disk.findtext("serial") for disk in disks] == ["root", "ephemeral", "swap"]
    assert [target.get("dev") for disk in disks for target in disk.iterfind("target")] == [
        "vda",
        "vdb",
        "vdc",
    ]
    drivers = [driver for disk in disks for driver in disk.iterfind("driver")]
    assert {driver.get("type") for driver in drivers} == {"qcow2"}
    assert {driver.get("cache") for driver in drivers} == {"none"}


def test_a_file_system_without_direct_io_gets_the_page_cache() -> None:
    root = ET.fromstring(domain_xml(SPEC, attrs.evolve(files(GUEST), direct_io=False), "qemu"))
    drivers = root.iterfind("devices/disk/driver")
    assert {driver.get("cache") for driver in drivers} == {"writeback"}


def test_a_kernel_takes_the_place_of_the_boot_order() -> None:
    root = ET.fromstring(xml(attrs.evolve(SPEC, guest=DIRECT)))
    assert root.findtext("os/cmdline") == "console=ttyS0 a=<&'\"> quiet"
    assert root.findtext("os/kernel") == "/srv/guests <&>/instances/kernel"
    assert root.findtext("os/initrd") == "/srv/guests <&>/instances/ramdisk"
    assert root.find("os/boot") is None


def test_secure_boot_is_not_left_to_chance() -> None:
    root = ET.fromstring(xml(attrs.evolve(SPEC, guest=attrs.evolve(GUEST, firmware=Firmware.UEFI))))
    feature = root.find("os/firmware/feature")
    assert feature is not None
    assert feature.attrib == {"name": "secure-boot", "enabled": "no"}


@pytest.mark.parametrize(
    ("machine_type", "spare"), [("q35", 4), ("pc-q35-9.0", 4), ("virt-8.1", 4), ("pc", None)]
)
def test_ports_are_left_for_what_is_plugged_in_later(machine_type: str, spare: int | None) -> None:
    spec = attrs.evolve(SPEC, guest=attrs.evolve(GUEST, machine_type=machine_type))
    devices = ET.fromstring(xml(spec)).find("devices")
    assert devices is not None
    ports = len(devices.findall("controller[@model='pcie-root-port']"))
    taken = len(devices.findall("disk")) + 2
    assert ports - taken == spare if spare else ports == 0


@pytest.mark.parametrize(("virt_type", "mode"), [("qemu", "maximum"), ("kvm", "host-model")])
def test_the_processor_fits_the_way_of_running(virt_type: str, mode: str) -> None:
    root = ET.fromstring(xml(virt_type=virt_type))
    cpu = root.find("cpu")
    assert root.get("type") == virt_type
    assert cpu is not None
    assert cpu.get("mode") == mode


def test_the_console_keeps_what_was_written_before_a_reboot() -> None:
    log = ET.fromstring(xml()).find("devices/serial/log")
    assert log is not None
    assert log.attrib == {"file": "/srv/guests <&>/instances/console.log", "append": "on"}


NUMA = HostTopology(
    tuple(
        HostNode(
            id=n,
            dedicated=frozenset({4 * n, 4 * n + 1}),
            shared=frozenset({4 * n + 2, 4 * n + 3}),
            memory_mib=Mib(4096),
            pages=(PageStock(Kib(4), 1 << 20), PageStock(Kib(2048), 512)),
        )
        for n in range(2)
    )
)


def placed(topology: GuestTopology) -> DomainSpec:
    """Return a spec of a guest with these NUMA nodes, where they fit."""
    fit = fit_guest(NUMA, topology)
    assert fit is not None
    memory_mib = Mib(sum(node.memory_mib for node in topology.nodes))
    guest = attrs.evolve(GUEST, memory_mib=memory_mib, topology=topology, cells=fit)
    return attrs.evolve(SPEC, guest=guest)


TWO_NODES = GuestTopology(
    (
        GuestNode(Mib(256), frozenset({0})),
        GuestNode(Mib(256), floating=frozenset({1})),
    ),
    page_size=Kib(2048),
)
REAL_TIME = GuestTopology(
    (GuestNode(Mib(512), frozenset({0, 1})),),
    emulator=EmulatorThreads.SHARE,
    realtime=frozenset({1}),
)


@pytest.mark.parametrize("topology", [TWO_NODES, REAL_TIME])
def test_guests_with_numa_nodes_are_what_the_schema_allows(
    schema: etree.RelaxNG, topology: GuestTopology
) -> None:
    schema.assertValid(etree.fromstring(xml(placed(topology))))


def test_numa_nodes_have_their_cpus_memory_and_pages() -> None:
    domain = ET.fromstring(xml(placed(TWO_NODES)))
    pins = [(pin.get("vcpu"), pin.get("cpuset")) for pin in domain.iterfind("cputune/vcpupin")]
    assert pins == [("0", "0"), ("1", "6,7")]
    emulator = domain.find("cputune/emulatorpin")
    assert emulator is not None
    assert emulator.get("cpuset") == "0,6,7"
    nodes = [(n.get("cellid"), n.get("nodeset")) for n in domain.iterfind("numatune/memnode")]
    assert nodes == [("0", "0"), ("1", "1")]
    cells = [(c.get("cpus"), c.get("memory")) for c in domain.iterfind("cpu/numa/cell")]
    assert cells == [("0", "262144"), ("1", "262144")]
    pages = [(p.get("size"), p.get("nodeset")) for p in domain.iterfind("memoryBacking/*/page")]
    assert pages == [("2048", "0"), ("2048", "1")]


def test_real_time_is_locked_memory_and_a_priority() -> None:
    domain = ET.fromstring(xml(placed(REAL_TIME)))
    scheduling = domain.find("cputune/vcpusched")
    assert scheduling is not None
    assert (scheduling.get("vcpus"), scheduling.get("scheduler")) == ("1", "fifo")
    assert domain.find("memoryBacking/locked") is not None
    assert domain.find("memoryBacking/hugepages") is None


def test_pages_of_the_usual_size_are_not_asked_for() -> None:
    domain = ET.fromstring(xml(placed(attrs.evolve(TWO_NODES, page_size=PageSize.SMALL))))
    assert domain.find("memoryBacking") is None


def test_a_guest_without_numa_nodes_is_put_nowhere_in_particular() -> None:
    domain = ET.fromstring(xml())
    for path in ("cputune", "numatune", "memoryBacking", "cpu/numa"):
        assert domain.find(path) is None
