"""Whether a guest's nodes fit on a host's, and how: exact, lazy, in a fixed order.

Source of the rules: Nova's NUMA placement (`hw:numa_nodes` and what goes with it). Inputs are
never changed, and what was found out of a pair of nodes is kept by their positions, so no result
can mix two attempts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from computekit.model import FrozenMap
from computekit.topology.guest import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    PageSize,
    ThreadPolicy,
)
from computekit.topology.host import HostNode, HostTopology, Overcommit
from computekit.topology.misfit import Misfit, Shortage
from computekit.topology.packing import Pins, pack
from computekit.topology.pages import Short, choose_pages
from computekit.units import Kib, kib_to_mib

__all__ = [
    "NodeFit",
    "TopologyFit",
    "fit_guest",
    "fit_node",
    "misfits",
    "preferred",
    "topology_fits",
]


@attrs.frozen
class NodeFit:
    """Where one node of a guest goes.

    Attributes:
        host: the host node's number.
        pins: its CPUs.
        page_kib: size of the pages that back its memory; None where the host reports none.
        floats_on: the host's CPUs that its other vCPUs share.
    """

    host: int
    pins: Pins = attrs.field(factory=Pins)
    page_kib: Kib | None = None
    floats_on: frozenset[int] = frozenset()


@attrs.frozen
class TopologyFit:
    """Where a guest goes.

    Attributes:
        nodes: its nodes, in the order of the guest; no two on one host node.
        emulator: the host's CPUs for the hypervisor's own threads; none: wherever they run.
    """

    nodes: tuple[NodeFit, ...]
    emulator: frozenset[int] = frozenset()

    @property
    def cpus(self) -> FrozenMap[int, int]:
        """The host's CPU of each pinned vCPU."""
        return FrozenMap({v: cpu for node in self.nodes for v, cpu in node.pins.cpus.items()})


def fit_node(
    host: HostNode, guest: GuestTopology, number: int, ratios: Overcommit | None = None
) -> NodeFit | Misfit:
    """Return how node `number` of the guest goes on `host`, or the first thing that is short.

    Args:
        host: with what is taken of it.
        guest: whose node.
        number: of the guest's node, from 0.
        ratios: of over-commitment; None does not look at them.
    """
    node = guest.nodes[number]
    emulator = int(number == 0 and guest.emulator is EmulatorThreads.ISOLATE)
    page_kib = _memory(host, node, guest.page_size)
    if isinstance(page_kib, tuple):
        return Misfit(host.id, number, *page_kib)
    pins = _cpus(host, node, guest.threads, emulator)
    if isinstance(pins, tuple):
        return Misfit(host.id, number, *pins)
    over = None if ratios is None else _over(host, node, ratios)
    if over is not None:
        return Misfit(host.id, number, *over)
    return NodeFit(host.id, pins, page_kib, host.shared if node.floating else frozenset())


def _memory(host: HostNode, node: GuestNode, wanted: PageSize | Kib | None) -> Kib | Short | None:
    """Return the size of pages for the node's memory (None: none are reported), or what is short.

    Without a wish the smallest pages serve; those, or plain memory, may be over-committed unless
    CPUs are pinned.
    """
    if wanted is not None:
        return choose_pages(host, node.memory_mib, wanted)
    if not host.pages:
        have_mib = host.memory_free_mib if node.pinned else host.memory_mib
        short = node.memory_mib > have_mib
        return (Shortage.MEMORY, node.memory_mib, have_mib) if short else None
    smallest = min(host.pages, key=lambda stock: stock.size_kib)
    pages = smallest.free if node.pinned else smallest.total
    there_mib = kib_to_mib(Kib(max(pages, 0) * smallest.size_kib))
    if node.memory_mib > there_mib:
        return Shortage.PAGES, node.memory_mib, there_mib
    return smallest.size_kib


def _cpus(
    host: HostNode, node: GuestNode, policy: ThreadPolicy | None, emulator: int
) -> Pins | Short:
    """Return the node's CPUs, or what is short; a guest never over-commits against itself."""
    needed = len(node.pinned) + emulator
    if needed > len(host.dedicated):
        return Shortage.DEDICATED, needed, len(host.dedicated)
    if len(node.floating) > len(host.shared):
        return Shortage.SHARED, len(node.floating), len(host.shared)
    if not node.pinned:
        return Pins()
    if needed > len(host.free_cpus):
        return Shortage.FREE_CPUS, needed, len(host.free_cpus)
    pins = pack(host, node.pinned, policy, emulator)
    return (Shortage.FREE_CORES, needed, len(host.free_cores)) if pins is None else pins


def _over(host: HostNode, node: GuestNode, ratios: Overcommit) -> Short | None:
    """Return which limit of over-commitment a node with floating vCPUs would pass, if any."""
    if node.pinned and not node.floating:
        return None
    asked, most = host.floating + len(node.floating), int(len(host.shared) * ratios.cpu_ratio)
    if asked > most:
        return Shortage.CPU_LIMIT, asked, most
    asked = host.memory_used_mib + node.memory_mib
    most = int(host.memory_mib * ratios.memory_ratio)
    if asked > most:
        return Shortage.MEMORY_LIMIT, asked, most
    return None


def preferred(
    hosts: Sequence[HostNode],
    guest: GuestTopology,
    *,
    devices: Mapping[int, int] | None = None,
    near_devices: bool = False,
    pack_nodes: bool = False,
) -> tuple[HostNode, ...]:
    """Return the host's nodes in the order in which they are tried.

    The emptier node first (the fuller with `pack_nodes`); then, by their `devices`, those with
    most for a guest that wants some, those with fewest for one that does not.
    """
    count = devices or {}
    pinned = any(node.pinned for node in guest.nodes)
    sign = 1 if pack_nodes else -1

    def key(host: HostNode) -> tuple[int, int, int, int]:
        cpus = len(host.free_cpus) if pinned else -host.floating
        here = count.get(host.id, 0)
        return (
            -here if near_devices else here,
            sign * cpus,
            sign * host.memory_free_mib,
            host.id,
        )

    return tuple(sorted(hosts, key=key))


def fit_guest(host: HostTopology, guest: GuestTopology) -> TopologyFit | None:
    """Return the preferred way to put a guest on a host, or None if there is none."""
    nodes = preferred(host.nodes, guest, pack_nodes=host.pack_nodes)
    found = _straight(nodes, guest, host.overcommit)
    if found is None and len(guest.nodes) > 1:
        found = next(topology_fits(nodes, guest, host.overcommit), None)
    return None if found is None else attrs.evolve(found, emulator=_emulator(nodes, guest, found))


def _straight(
    hosts: Sequence[HostNode], guest: GuestTopology, ratios: Overcommit | None
) -> TopologyFit | None:
    """Return what the search finds if it need not turn back: each node on the first that fits."""
    left = list(hosts)
    chosen: list[NodeFit] = []
    for number in range(len(guest.nodes)):
        for at, host in enumerate(left):
            fit = fit_node(host, guest, number, ratios)
            if isinstance(fit, NodeFit):
                chosen.append(fit)
                del left[at]
                break
        else:
            return None
    return TopologyFit(tuple(chosen))


def _emulator(hosts: Iterable[HostNode], guest: GuestTopology, fit: TopologyFit) -> frozenset[int]:
    """Return the CPUs of the hypervisor's own threads (Nova: `hw:emulator_threads_policy`)."""
    if guest.emulator is EmulatorThreads.ISOLATE:
        return frozenset[int]().union(*(node.pins.emulator for node in fit.nodes))
    if guest.emulator is EmulatorThreads.SHARE:
        shared = frozenset[int]().union(*(host.shared for host in hosts))
        if shared:
            return shared
    # A vCPU that runs in real time has its CPU for itself, as long as others are left.
    pinned = {cpu for vcpu, cpu in fit.cpus.items() if vcpu not in guest.realtime}
    own = frozenset(pinned).union(*(node.floats_on for node in fit.nodes))
    return own or frozenset(fit.cpus.values())


def topology_fits(
    hosts: Sequence[HostNode], guest: GuestTopology, ratios: Overcommit | None = None
) -> Iterator[TopologyFit]:
    """Return the ways to put the guest on host nodes, one by one, in the order of `hosts`.

    Each node of the guest gets a host node of its own. The caller takes the first that its
    devices and networks accept.
    """
    search = _Search(hosts, guest, ratios)
    return search.run(())


def misfits(
    hosts: Sequence[HostNode], guest: GuestTopology, ratios: Overcommit | None = None
) -> tuple[Misfit, ...]:
    """Return what is short for each pair of a guest node and a host node that does not fit."""
    found = (
        fit_node(host, guest, number, ratios)
        for number in range(len(guest.nodes))
        for host in hosts
    )
    return tuple(misfit for misfit in found if isinstance(misfit, Misfit))


class _Search:
    def __init__(
        self, hosts: Sequence[HostNode], guest: GuestTopology, ratios: Overcommit | None
    ) -> None:
        self._options: list[dict[int, NodeFit]] = []
        for number in range(len(guest.nodes)):
            found = ((at, fit_node(host, guest, number, ratios)) for at, host in enumerate(hosts))
            self._options.append({at: fit for at, fit in found if isinstance(fit, NodeFit)})

    def run(self, chosen: tuple[int, ...]) -> Iterator[TopologyFit]:
        number = len(chosen)
        if number == len(self._options):
            pairs = zip(self._options, chosen, strict=True)
            yield TopologyFit(tuple(options[at] for options, at in pairs))
            return
        if not self._rest_fits(chosen):
            return
        for at in self._options[number]:
            if at not in chosen:
                yield from self.run((*chosen, at))

    def _rest_fits(self, chosen: tuple[int, ...]) -> bool:
        """Return whether each open node can have a host node of its own (a matching)."""
        holder: dict[int, int] = {}

        def seat(number: int, seen: set[int]) -> bool:
            for at in self._options[number]:
                if at in seen or at in chosen:
                    continue
                seen.add(at)
                if at not in holder or seat(holder[at], seen):
                    holder[at] = number
                    return True
            return False

        return all(seat(number, set()) for number in range(len(chosen), len(self._options)))
