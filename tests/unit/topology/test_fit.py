"""What fits on which nodes, and what is said where nothing does."""

import attrs
import pytest

from computekit.topology import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    HostNode,
    Misfit,
    NodeFit,
    Overcommit,
    PageSize,
    PageStock,
    Shortage,
    ThreadPolicy,
    fit_node,
    give_back,
    misfits,
    pack,
    preferred,
    take,
    topology_fits,
)
from computekit.units import Kib, Mib

NODE = HostNode(
    id=0,
    dedicated=frozenset(range(4)),
    shared=frozenset(range(4, 8)),
    memory_mib=Mib(4096),
    siblings=frozenset(
        {frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5}), frozenset({6, 7})}
    ),
    pages=(PageStock(Kib(4), 524288), PageStock(Kib(2048), 1024, used=512)),
)


def guest(
    *nodes: GuestNode,
    page_size: PageSize | Kib | None = None,
    emulator: EmulatorThreads = EmulatorThreads.FLOAT,
) -> GuestTopology:
    return GuestTopology(nodes, page_size=page_size, emulator=emulator)


def pinned(*vcpus: int, memory_mib: int = 512) -> GuestNode:
    return GuestNode(Mib(memory_mib), pinned=frozenset(vcpus))


def floating(*vcpus: int, memory_mib: int = 512) -> GuestNode:
    return GuestNode(Mib(memory_mib), floating=frozenset(vcpus))


def short(
    host: HostNode, asked: GuestTopology, limits: Overcommit | None = None
) -> tuple[object, ...]:
    found = fit_node(host, asked, 0, limits)
    assert isinstance(found, Misfit)
    assert found.short.value.replace("_", " ") in str(found)
    return found.short, found.asked, found.there


def test_threads_of_a_core_stay_together() -> None:
    found = fit_node(NODE, guest(pinned(0, 1)), 0)
    assert isinstance(found, NodeFit)
    assert found.pins.cpus == {0: 0, 1: 1}
    half = attrs.evolve(NODE, pinned=frozenset({1}))
    pins = pack(half, frozenset({0, 1}), None)
    assert pins is not None
    assert set(pins.cpus.values()) == {2, 3}


def test_require_takes_threads_of_one_core_or_nothing() -> None:
    scattered = attrs.evolve(NODE, pinned=frozenset({1, 3}))
    assert pack(scattered, frozenset({0, 1}), ThreadPolicy.REQUIRE) is None
    assert pack(scattered, frozenset({0, 1}), ThreadPolicy.PREFER) is not None
    flat = attrs.evolve(NODE, siblings=frozenset())
    assert pack(flat, frozenset({0}), ThreadPolicy.REQUIRE) is None


def test_isolate_wants_cores_of_one_thread() -> None:
    assert pack(NODE, frozenset({0}), ThreadPolicy.ISOLATE) is None
    assert pack(attrs.evolve(NODE, siblings=frozenset()), frozenset({0}), ThreadPolicy.ISOLATE)


def test_the_emulator_takes_one_more_cpu_near_the_first_node_only() -> None:
    hosts = tuple(
        HostNode(id=n, dedicated=frozenset({2 * n, 2 * n + 1}), memory_mib=Mib(1024))
        for n in range(2)
    )
    asked = guest(pinned(0), pinned(1, 2), emulator=EmulatorThreads.ISOLATE)
    found = next(topology_fits(hosts, asked))
    assert found.nodes[0].pins.emulator == {1}
    assert found.nodes[1].pins.emulator == frozenset()
    full = guest(pinned(0, 1), emulator=EmulatorThreads.ISOLATE)
    assert short(hosts[0], full) == (Shortage.DEDICATED, 3, 2)


@pytest.mark.parametrize(
    ("wanted", "memory_mib", "size_kib"),
    [
        (PageSize.SMALL, 512, 4),
        (PageSize.LARGE, 512, 2048),
        (PageSize.ANY, 512, 2048),
        (PageSize.ANY, 511, 4),
        (PageSize.ANY, 1536, 4),
        (Kib(2048), 1024, 2048),
        (None, 2048, 4),
    ],
)
def test_pages(wanted: PageSize | Kib | None, memory_mib: int, size_kib: int) -> None:
    found = fit_node(NODE, guest(floating(0, memory_mib=memory_mib), page_size=wanted), 0)
    assert isinstance(found, NodeFit)
    assert found.page_kib == size_kib


def test_what_is_short_has_numbers() -> None:
    assert short(NODE, guest(floating(0), page_size=Kib(1048576))) == (
        Shortage.PAGE_SIZE,
        1048576,
        2048,
    )
    large = guest(floating(0, memory_mib=1026), page_size=PageSize.LARGE)
    assert short(NODE, large) == (Shortage.PAGES, 1026, 1024)
    assert short(NODE, guest(floating(0, memory_mib=2049))) == (Shortage.PAGES, 2049, 2048)
    plain = attrs.evolve(NODE, pages=(), memory_used_mib=Mib(4000))
    assert short(plain, guest(pinned(0))) == (Shortage.MEMORY, 512, 96)
    assert short(plain, guest(floating(0, memory_mib=4097))) == (Shortage.MEMORY, 4097, 4096)
    assert isinstance(fit_node(plain, guest(floating(0)), 0), NodeFit)
    assert short(plain, guest(floating(0)), Overcommit()) == (
        Shortage.MEMORY_LIMIT,
        4512,
        4096,
    )
    assert short(NODE, guest(floating(*range(5)))) == (Shortage.SHARED, 5, 4)
    busy = attrs.evolve(NODE, floating=7)
    assert short(busy, guest(floating(0, 1)), Overcommit(cpu_ratio=2.0)) == (
        Shortage.CPU_LIMIT,
        9,
        8,
    )
    taken = attrs.evolve(NODE, pinned=frozenset({0, 1, 2}))
    assert short(taken, guest(pinned(0, 1))) == (Shortage.FREE_CPUS, 2, 1)


def test_a_refused_first_choice_leaves_no_trace_in_the_next() -> None:
    """Nova 34 answers here with vCPUs of one node pinned to CPUs of another."""
    hosts = tuple(
        HostNode(id=n, dedicated=frozenset({2 * n, 2 * n + 1}), memory_mib=Mib(1024))
        for n in range(3)
    )
    asked = guest(pinned(0), pinned(1))
    every = list(topology_fits(hosts, asked))
    assert len(every) == 6
    for found in every:
        for node in found.nodes:
            assert set(node.pins.cpus.values()) <= hosts[node.host].dedicated


def test_many_nodes_are_decided_without_trying_every_order() -> None:
    hosts = tuple(
        HostNode(id=n, shared=frozenset({n}), memory_mib=Mib(1024 if n else 256)) for n in range(12)
    )
    asked = guest(*(floating(n) for n in range(12)))
    assert next(topology_fits(hosts, asked), None) is None
    assert len(misfits(hosts, asked)) == 12


def test_preferred_order() -> None:
    hosts = tuple(
        HostNode(id=n, shared=frozenset({n}), floating=f, memory_mib=Mib(m))
        for n, (f, m) in enumerate([(2, 100), (0, 100), (0, 300)])
    )
    asked = guest(floating(0))
    assert [h.id for h in preferred(hosts, asked)] == [2, 1, 0]
    assert [h.id for h in preferred(hosts, asked, pack_nodes=True)] == [0, 1, 2]
    assert [h.id for h in preferred(hosts, asked, devices={2: 1})] == [1, 0, 2]
    near = preferred(hosts, asked, devices={0: 1}, near_devices=True)
    assert [h.id for h in near] == [0, 2, 1]


def test_taking_twice_and_giving_back_what_is_not_there_are_errors() -> None:
    asked = guest(pinned(0, 1))
    found = next(topology_fits((NODE,), asked))
    taken = take((NODE,), asked, found)
    assert taken[0].pinned == {0, 1}
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        take(taken, asked, found)
    with pytest.raises(ValueError, match="not there"):
        give_back((NODE,), asked, found)
    assert give_back(taken, asked, found) == (NODE,)
