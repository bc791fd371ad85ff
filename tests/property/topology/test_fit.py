"""Every fit keeps what it promises, and no fit means that there is none."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from computekit.topology import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    HostNode,
    HostTopology,
    NodeFit,
    Overcommit,
    PageSize,
    PageStock,
    ThreadPolicy,
    fit_guest,
    fit_node,
    give_back,
    preferred,
    take,
    topology_fits,
)
from computekit.units import Kib, Mib


@st.composite
def hosts(draw: st.DrawFn) -> tuple[HostNode, ...]:
    threads = draw(st.sampled_from([1, 2]))
    nodes = []
    for number in range(draw(st.integers(1, 3))):
        cpus = range(number * 8, number * 8 + threads * draw(st.integers(1, 3)))
        cut = draw(st.integers(0, len(cpus)))
        cores = [frozenset(cpus[at : at + threads]) for at in range(0, len(cpus), threads)]
        dedicated = frozenset(cpus[:cut])
        nodes.append(
            HostNode(
                id=number,
                dedicated=dedicated,
                shared=frozenset(cpus[cut:]),
                pinned=frozenset(cpu for cpu in dedicated if draw(st.booleans())),
                memory_mib=Mib(1024),
                siblings=frozenset(cores),
                pages=(PageStock(Kib(4), 131072), PageStock(Kib(2048), draw(st.integers(0, 256)))),
            )
        )
    return tuple(nodes)


@st.composite
def guests(draw: st.DrawFn) -> GuestTopology:
    nodes, at = [], 0
    for _ in range(draw(st.integers(1, 3))):
        own, other = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        memory = Mib(draw(st.sampled_from([2, 128, 256, 512])))
        pinned = frozenset(range(at, at + own))
        nodes.append(GuestNode(memory, pinned, frozenset(range(at + own, at + own + other))))
        at += own + other
    return GuestTopology(
        tuple(nodes),
        page_size=draw(st.sampled_from([None, *PageSize, Kib(2048)])),
        threads=draw(st.sampled_from([None, *ThreadPolicy])),
        emulator=draw(st.sampled_from(list(EmulatorThreads))),
    )


@given(hosts(), guests())
def test_every_fit_is_sound_and_leaves_no_trace(
    nodes: tuple[HostNode, ...], guest: GuestTopology
) -> None:
    by_id = {node.id: node for node in nodes}
    for found in topology_fits(nodes, guest):
        assert len({node.host for node in found.nodes}) == len(guest.nodes)
        for number, (asked, node) in enumerate(zip(guest.nodes, found.nodes, strict=True)):
            cpus = [*node.pins.cpus.values(), *node.pins.emulator]
            assert len(set(cpus)) == len(cpus)
            assert set(cpus) <= by_id[node.host].free_cpus
            assert node.pins.cpus.keys() == asked.pinned
            isolated = guest.emulator is EmulatorThreads.ISOLATE and not number and asked.pinned
            assert len(node.pins.emulator) == bool(isolated)
        taken = take(nodes, guest, found)
        assert give_back(taken, guest, found) == nodes
        if guest.page_size is not None:
            assert all(stock.free >= 0 for node in taken for stock in node.pages)


@given(hosts(), guests())
def test_fits_finds_just_what_all_orders_of_pairs_allow(
    nodes: tuple[HostNode, ...], guest: GuestTopology
) -> None:
    every = [
        order
        for order in permutations(nodes, len(guest.nodes))
        if all(isinstance(fit_node(h, guest, n), NodeFit) for n, h in enumerate(order))
    ]
    found = [tuple(node.host for node in fit.nodes) for fit in topology_fits(nodes, guest)]
    assert found == [tuple(host.id for host in order) for order in every]


@given(hosts(), guests())
def test_the_way_straight_on_is_the_first_that_the_search_finds(
    nodes: tuple[HostNode, ...], guest: GuestTopology
) -> None:
    found = fit_guest(HostTopology(nodes), guest)
    first = next(topology_fits(preferred(nodes, guest), guest, Overcommit()), None)
    assert (None if found is None else found.nodes) == (None if first is None else first.nodes)
