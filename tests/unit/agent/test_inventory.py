import attrs

from computekit.agent import InventoryRules, host_provider, host_tree
from computekit.ids import HostName
from computekit.model import DISK_GB, MEMORY_MB, VCPU, HostCell, HostFacts, Trait
from computekit.units import Gib, Mib

FACTS = HostFacts(
    name=HostName("a"),
    arch="x86_64",
    cpus=4,
    memory_mib=Mib(8192),
    disk_gib=Gib(100),
    cells=(HostCell(0, Mib(8192), frozenset(range(4))),),
    hypervisor="QEMU",
    hypervisor_version=7_002_000,
    library_version=9_000_000,
    virt_type="qemu",
    machine_types=frozenset({"q35"}),
    uefi=True,
)


def test_a_host_gives_what_it_has_by_the_rules() -> None:
    root = host_tree(FACTS).root
    assert root.id == host_provider(HostName("a"))
    assert root.inventories[VCPU].capacity == 16
    assert root.inventories[MEMORY_MB].capacity == 8192 - 512
    assert root.inventories[DISK_GB].capacity == 100
    assert root.traits == {Trait("HW_ARCH_X86_64"), Trait("COMPUTE_FIRMWARE_UEFI")}


def test_nothing_to_give_is_no_inventory_and_reserves_do_not_go_below_zero() -> None:
    small = attrs.evolve(FACTS, disk_gib=Gib(0), memory_mib=Mib(256), uefi=False)
    root = host_tree(small, InventoryRules(reserved_memory_mib=Mib(512))).root
    assert DISK_GB not in root.inventories
    assert root.inventories[MEMORY_MB].capacity == 0
    assert Trait("COMPUTE_FIRMWARE_UEFI") not in root.traits


def test_the_tree_is_the_same_for_the_same_facts() -> None:
    assert host_tree(FACTS) == host_tree(FACTS)
