"""What flavors and images ask of NUMA nodes; every fault of them at once."""

from collections.abc import Mapping

import pytest

from computekit.errors import InvalidInput
from computekit.guest import topology_of
from computekit.guest.cpu_set import parse_cpu_set
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image
from computekit.topology import EmulatorThreads, GuestTopology, PageSize, ThreadPolicy
from computekit.units import Bytes, Kib, Mib


def asked(
    specs: Mapping[str, str], properties: Mapping[str, str] | None = None, *, vcpus: int = 4
) -> GuestTopology | None:
    flavor = Flavor(FlavorId("f"), "f", vcpus, Mib(1024), extra_specs=FrozenMap(specs))
    given = FrozenMap(properties or {})
    image = Image(ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=given)
    return topology_of(flavor, image)


def faults(
    specs: Mapping[str, str], properties: Mapping[str, str] | None = None
) -> set[tuple[str, str]]:
    with pytest.raises(InvalidInput) as raised:
        asked(specs, properties)
    return {(fault.path.partition("[")[2].rstrip("]"), fault.code) for fault in raised.value.faults}


def test_nothing_asked_is_no_topology() -> None:
    assert asked({}) is None
    assert asked({"hw:cpu_policy": "shared"}) is None


def test_dedicated_cpus_make_one_node() -> None:
    found = asked({"hw:cpu_policy": "dedicated", "hw:cpu_thread_policy": "require"})
    assert found is not None
    assert found.threads is ThreadPolicy.REQUIRE
    assert [node.pinned for node in found.nodes] == [frozenset(range(4))]


def test_nodes_share_evenly_or_as_named() -> None:
    found = asked({"hw:numa_nodes": "2", "hw:mem_page_size": "2MB"})
    assert found is not None
    assert found.page_size == Kib(2048)
    assert [(node.floating, node.memory_mib) for node in found.nodes] == [
        (frozenset({0, 1}), 512),
        (frozenset({2, 3}), 512),
    ]
    named = {"hw:numa_cpus.0": "3", "hw:numa_cpus.1": "0-2"}
    memory = {"hw:numa_mem.0": "24", "hw:numa_mem.1": "1000"}
    found = asked({"hw:numa_nodes": "2", **named, **memory})
    assert found is not None
    assert [(node.vcpus, node.memory_mib) for node in found.nodes] == [
        (frozenset({3}), 24),
        (frozenset({0, 1, 2}), 1000),
    ]


def test_mixed_pins_the_mask_and_realtime_cpus() -> None:
    mixed = {"hw:cpu_policy": "mixed"}
    found = asked({**mixed, "hw:cpu_dedicated_mask": "^0-1"})
    assert found is not None
    assert found.nodes[0].pinned == {2, 3}
    assert found.nodes[0].floating == {0, 1}
    realtime = {"hw:cpu_realtime": "yes", "hw:cpu_realtime_mask": "^0"}
    found = asked({**mixed, **realtime, "hw:emulator_threads_policy": "isolate"})
    assert found is not None
    assert found.realtime == found.nodes[0].pinned == {1, 2, 3}
    assert found.emulator is EmulatorThreads.ISOLATE


def test_an_image_chooses_within_the_flavor() -> None:
    found = asked({"hw:mem_page_size": "any"}, {"hw_mem_page_size": "small"})
    assert found is not None
    assert found.page_size is PageSize.SMALL
    found = asked(
        {"hw:cpu_policy": "dedicated", "hw:cpu_thread_policy": "prefer"},
        {"hw_cpu_thread_policy": "isolate"},
    )
    assert found is not None
    assert found.threads is ThreadPolicy.ISOLATE
    assert faults({"hw:cpu_policy": "shared"}, {"hw_cpu_policy": "dedicated"}) == {
        ("hw_cpu_policy", "conflict")
    }
    assert faults({"hw:numa_nodes": "2"}, {"hw_numa_nodes": "2"}) == {("hw_numa_nodes", "conflict")}
    assert faults({}, {"hw_mem_page_size": "small"}) == {("hw_mem_page_size", "conflict")}


def test_every_fault_is_told_at_once() -> None:
    assert faults(
        {
            "hw:numa_nodes": "3",
            "hw:cpu_policy": "odd",
            "hw:cpu_thread_policy": "isolate",
            "hw:cpu_dedicated_mask": "0-9",
            "hw:mem_page_size": "huge",
            "hw:emulator_threads_policy": "isolate",
            "resources:PCPU": "3",
        }
    ) == {
        ("hw:cpu_policy", "invalid_value"),
        ("hw:cpu_dedicated_mask", "invalid_value"),
        ("hw:mem_page_size", "invalid_value"),
        ("hw:numa_nodes", "conflict"),
        ("resources:PCPU", "conflict"),
    }


@pytest.mark.parametrize(
    ("specs", "key"),
    [
        ({"hw:numa_nodes": "2", "hw:numa_cpus.0": "0-3"}, "hw:numa_nodes"),
        ({"hw:numa_nodes": "1", "hw:numa_cpus.7": "0-3"}, "hw:numa_cpus.7"),
        ({"hw:cpu_policy": "mixed"}, "hw:cpu_policy"),
        ({"hw:cpu_dedicated_mask": "0"}, "hw:cpu_dedicated_mask"),
        ({"hw:cpu_realtime": "yes", "hw:cpu_realtime_mask": "^0"}, "hw:cpu_realtime"),
        ({"hw:cpu_policy": "dedicated", "hw:cpu_realtime": "yes"}, "hw:cpu_realtime"),
        ({"resources:VCPU": "4", "resources:PCPU": "4"}, "resources:PCPU"),
        (
            {
                "hw:cpu_policy": "dedicated",
                "hw:cpu_thread_policy": "prefer",
                "trait:HW_CPU_HYPERTHREADING": "forbidden",
            },
            "trait:HW_CPU_HYPERTHREADING",
        ),
    ],
)
def test_contradictions(specs: Mapping[str, str], key: str) -> None:
    assert (key, "conflict") in faults(specs)


def test_cpu_sets() -> None:
    assert parse_cpu_set(" 0-3, ^1 ,6") == {0, 2, 3, 6}
    assert parse_cpu_set("^0-1", within=frozenset(range(4))) == {2, 3}
    for bad in ("", "a", "1-", "3-1", "0-99999999", "^", "1,,2", "-1", "0-999999"):
        with pytest.raises(ValueError, match=r"CPU|range"):
            parse_cpu_set(bad)


def test_dedicated_cpus_are_counted_over_all_groups() -> None:
    found = asked({"resources1:PCPU": "3", "resources_b:PCPU": "1"})
    assert found is not None
    assert len(found.nodes[0].pinned) == 4
    short = {"resources1:PCPU": "3", "resources_b:PCPU": "2"}
    assert faults(short) == {("resources1:PCPU", "conflict"), ("resources_b:PCPU", "conflict")}


def test_a_node_may_have_more_than_64_gib() -> None:
    flavor = Flavor(
        FlavorId("f"),
        "f",
        2,
        Mib(200_000),
        extra_specs=FrozenMap(
            {
                "hw:numa_nodes": "1",
                "hw:numa_cpus.0": "0-1",
                "hw:numa_mem.0": "200000",
            }
        ),
    )
    found = topology_of(flavor, Image(ImageId("i"), "i", "raw", Bytes(1), Bytes(1), ""))
    assert found is not None
    assert found.nodes[0].memory_mib == 200_000
