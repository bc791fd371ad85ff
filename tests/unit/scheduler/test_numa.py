"""Guests with NUMA nodes: fitted host by host down the ranking, and only there."""

import attrs
import pytest

from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler import (
    Placed,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    Unplaced,
    nova_weighing,
)
from computekit.topology import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    HostNode,
    HostTopology,
    Overcommit,
    PageSize,
    PageStock,
    fit_guest,
)
from computekit.units import Kib, Mib
from tests.unit.scheduler.fleet import flat, index, request

POLICIES = (Policy(), Policy(nova_weighing()))


def node(number: int, *, taken: int = 0, free_mib: int = 4096) -> HostNode:
    """Return a node of 4 dedicated CPUs, 2 shared ones, 8 GiB, and 2 MiB pages."""
    first = 6 * number
    return HostNode(
        id=number,
        dedicated=frozenset(range(first, first + 4)),
        shared=frozenset({first + 4, first + 5}),
        pinned=frozenset(range(first, first + taken)),
        memory_mib=Mib(8192),
        pages=(PageStock(Kib(4), 1 << 21), PageStock(Kib(2048), 2048, used=2048 - free_mib // 2)),
    )


def pinned(*counts: int, memory_mib: int = 1024, page: PageSize | Kib | None = None) -> Request:
    """Return a request for a guest with so many pinned vCPUs on each of its nodes."""
    first = 0
    nodes: list[GuestNode] = []
    for count in counts:
        nodes.append(GuestNode(Mib(memory_mib), frozenset(range(first, first + count))))
        first += count
    return attrs.evolve(request(1, memory_mib), topology=GuestTopology(tuple(nodes), page))


def fleet(**hosts: tuple[HostNode, ...]) -> FleetIndex:
    """Return hosts of which the first has most memory left, and so on."""
    found = index(*(flat(name, memory=100 * at) for at, name in enumerate(hosts)))
    for name, nodes in hosts.items():
        found.put_cells(HostName(name), HostTopology(nodes))
    return found


def chosen(found: FleetIndex, asked: Request, policy: Policy = POLICIES[0]) -> str | None:
    decision = Scheduler(found, policy).place(asked)
    return decision.host if isinstance(decision, Placed) else None


@pytest.mark.parametrize("policy", POLICIES)
def test_the_best_host_whose_nodes_have_room(policy: Policy) -> None:
    found = fleet(a=(node(0, taken=3), node(1, taken=3)), b=(node(0, taken=2),), c=(node(0),))
    assert chosen(found, pinned(2), policy) == "b"
    assert chosen(found, pinned(3), policy) == "c"
    assert chosen(found, pinned(1, 1), policy) == "a"
    assert chosen(found, pinned(5), policy) is None


def test_the_selection_says_which_cpus() -> None:
    decision = Scheduler(fleet(a=(node(0, taken=3), node(1)))).place(pinned(2))
    assert isinstance(decision, Placed)
    cells = decision.candidate.cells
    assert cells is not None
    assert cells.cpus == {0: 6, 1: 7}
    assert cells.emulator == {6, 7}


def test_who_asks_for_none_gets_none() -> None:
    decision = Scheduler(fleet(a=(node(0),))).place(request())
    assert isinstance(decision, Placed)
    assert decision.candidate.cells is None


@pytest.mark.parametrize("policy", POLICIES)
def test_what_columns_cannot_decide_the_fit_does(policy: Policy) -> None:
    """Four free CPUs and a node with two, twice; but memory is where the CPUs are not."""
    small = attrs.evolve(node(1, taken=2), memory_mib=Mib(512), pages=())
    found = fleet(a=(attrs.evolve(node(0, taken=4), pages=()), small), b=(node(0), node(1)))
    asked = pinned(2)
    assert chosen(found, asked, policy) == "b"
    found.remove([HostName("b")])
    decision = Scheduler(found, policy).place(asked)
    assert isinstance(decision, Unplaced)
    assert "together" in decision.summary
    (report,) = decision.explain().near_misses
    assert "free cpus: asked 2, there 0" in report.failing[0].there


def test_a_host_of_which_nobody_has_said_has_no_nodes() -> None:
    decision = Scheduler(index(flat("a"))).place(pinned(1))
    assert isinstance(decision, Unplaced)
    assert "1 fails NUMA nodes" in decision.summary


def test_a_verdict_stands_until_the_row_changes() -> None:
    found = fleet(a=(node(0, taken=3),), b=(node(0),))
    scheduler = Scheduler(found)
    asked = pinned(2)
    assert scheduler.place(asked).request == asked
    found.put_cells(HostName("a"), HostTopology((node(0, taken=2),)))
    decision = scheduler.place(asked)
    assert isinstance(decision, Placed)
    assert decision.host == "a"
    found.put_cells(HostName("a"), HostTopology((node(0, taken=4),)))
    decision = scheduler.place(asked)
    assert isinstance(decision, Placed)
    assert decision.host == "b"


def test_pages_of_a_size_are_counted_before_they_are_fitted() -> None:
    found = fleet(a=(node(0, free_mib=512), node(1, free_mib=512)), b=(node(0),))
    asked = pinned(1, page=Kib(2048))
    assert chosen(found, asked) == "b"
    found.remove([HostName("b")])
    decision = Scheduler(found).place(asked)
    assert isinstance(decision, Unplaced)
    (report,) = decision.explain().near_misses
    (verdict,) = report.failing
    assert verdict.rule == "NUMA nodes"
    assert "MiB of them on one node 512" in verdict.there


def test_to_do_without_is_a_remedy_that_helps() -> None:
    decision = Scheduler(fleet(a=(node(0),))).place(pinned(5))
    assert isinstance(decision, Unplaced)
    remedies = decision.explain().remedies
    assert any("do without NUMA nodes" in remedy.text for remedy in remedies)


def test_floating_cpus_are_bounded_by_the_host() -> None:
    guest = GuestTopology((GuestNode(Mib(64), floating=frozenset({0, 1})),))
    busy = HostTopology((attrs.evolve(node(0), floating=3),), Overcommit(cpu_ratio=2.0))
    assert fit_guest(busy, guest) is None
    free = attrs.evolve(busy, overcommit=Overcommit(cpu_ratio=4.0))
    found = fit_guest(free, guest)
    assert found is not None
    assert found.nodes[0].floats_on == {4, 5}
    assert found.emulator == {4, 5}


@pytest.mark.parametrize(
    ("emulator", "realtime", "cpus"),
    [
        (EmulatorThreads.FLOAT, frozenset(), {0, 1}),
        (EmulatorThreads.FLOAT, frozenset({1}), {0}),
        (EmulatorThreads.FLOAT, frozenset({0, 1}), {0, 1}),
        (EmulatorThreads.SHARE, frozenset(), {4, 5, 10, 11}),
        (EmulatorThreads.ISOLATE, frozenset(), {2}),
    ],
)
def test_where_the_emulator_runs(
    emulator: EmulatorThreads, realtime: frozenset[int], cpus: set[int]
) -> None:
    host = HostTopology((node(0), node(1)))
    guest = GuestTopology(
        (GuestNode(Mib(64), frozenset({0, 1})),), emulator=emulator, realtime=realtime
    )
    found = fit_guest(host, guest)
    assert found is not None
    assert found.emulator == cpus


def test_a_policy_that_prefers_the_fullest_still_fits() -> None:
    found = fleet(a=(node(0),), b=(node(0, taken=2),))
    assert chosen(found, pinned(2), Policy((RamWeigher(-1.0),))) == "b"


def test_a_host_may_fill_its_nodes_one_after_the_other() -> None:
    nodes = (node(0), node(1, taken=1))
    guest = GuestTopology((GuestNode(Mib(64), frozenset({0})),))
    spread, packed = (fit_guest(HostTopology(nodes, pack_nodes=p), guest) for p in (False, True))
    assert spread is not None
    assert packed is not None
    assert (spread.nodes[0].host, packed.nodes[0].host) == (0, 1)
