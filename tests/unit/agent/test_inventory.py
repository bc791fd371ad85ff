import attrs
import pytest

from computekit.agent import InventoryRules, host_provider, host_topology, host_tree
from computekit.errors import InvalidInput
from computekit.ids import HostName
from computekit.model import DISK_GB, MEMORY_MB, PCPU, VCPU, HostCell, HostFacts, Trait
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


SMT = attrs.evolve(
    FACTS,
    cells=(
        HostCell(
            0,
            Mib(8192),
            frozenset(range(4)),
            frozenset({frozenset({0, 1}), frozenset({2, 3})}),
            ((2048, 512), (4, 1 << 20)),
        ),
    ),
)


@pytest.mark.parametrize(
    ("dedicated", "shared", "vcpus", "pcpus"),
    [
        (None, None, 16, None),
        ({2, 3}, None, None, 2),
        ({2, 3}, {0}, 4, 2),
        (None, {0, 1, 2}, 12, None),
    ],
)
def test_cpus_are_shared_or_dedicated(
    dedicated: set[int] | None, shared: set[int] | None, vcpus: int | None, pcpus: int | None
) -> None:
    rules = InventoryRules(
        dedicated_cpus=None if dedicated is None else frozenset(dedicated),
        shared_cpus=None if shared is None else frozenset(shared),
    )
    inventories = host_tree(SMT, rules).root.inventories
    found = [inventories[name].capacity if name in inventories else None for name in (VCPU, PCPU)]
    assert found == [vcpus, pcpus]
    (node,) = host_topology(SMT, rules).nodes
    assert len(node.dedicated) == (pcpus or 0)
    assert len(node.shared) * 4 == (vcpus or 0)


def test_nodes_have_pages_cores_and_memory() -> None:
    (node,) = host_topology(SMT).nodes
    assert [(stock.size_kib, stock.total, stock.free) for stock in node.pages] == [
        (4, 1 << 20, 1 << 20),
        (2048, 512, 512),
    ]
    assert (node.memory_mib, node.threads) == (8192, 2)
    assert Trait("HW_CPU_HYPERTHREADING") in host_tree(SMT).root.traits
    (alone,) = host_topology(FACTS).nodes
    assert alone.threads == 1


def test_cpus_that_there_are_not_or_twice_are_refused_all_at_once() -> None:
    rules = InventoryRules(dedicated_cpus=frozenset({0, 9}), shared_cpus=frozenset({0, 8}))
    with pytest.raises(InvalidInput) as caught:
        host_tree(SMT, rules)
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("dedicated_cpus", "conflict"),
        ("dedicated_cpus", "unknown_cpu"),
        ("shared_cpus", "unknown_cpu"),
    ]
