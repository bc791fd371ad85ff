"""Compare NUMA fitting with Nova's own on generated cases.

    python -m tests.parity.numa [--peer PYTHON] [--cases 10000] [--seed 1]

Each yes and no must be
what the peer's rules say of the pairs of nodes; our pins are checked by themselves: inside their
node, free, no CPU twice, and given back they leave the host as it was. The exit status is 1 if
anything differs. Where the peer's search contradicts its own rules, because it goes on with
objects that an earlier attempt has changed, the case is counted as a defect of the peer.
"""

import json
import random
import sys
from collections.abc import Sequence

import attrs

from computekit.topology import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    HostNode,
    Overcommit,
    PageSize,
    PageStock,
    ThreadPolicy,
    TopologyFit,
    give_back,
    preferred,
    take,
    topology_fits,
)
from computekit.units import Kib, Mib
from tests.parity.nova_side import arguments, ask, report


@attrs.frozen
class Answer:
    """What the peer says: its whole search, and its rules for pairs of nodes."""

    whole: bool | str
    pairs: bool


Case = tuple[tuple[HostNode, ...], GuestTopology, Overcommit | None]


def host_node(source: random.Random, number: int, threads: int, paged: bool) -> HostNode:
    """Return a node with some of it taken."""
    cores = source.randint(1, 4)
    cpus = range(number * 16, number * 16 + cores * threads)
    groups = [frozenset(cpus[at : at + threads]) for at in range(0, len(cpus), threads)]
    split = source.choice(["dedicated", "shared", "both"])
    cut = len(cpus) if split == "dedicated" else 0 if split == "shared" else len(cpus) // 2
    dedicated, shared = frozenset(cpus[:cut]), frozenset(cpus[cut:])
    pinned = frozenset(cpu for cpu in dedicated if source.random() < 0.15)
    memory = source.choice([1024, 2048, 4096])
    used = source.choice([0, 0, 512, 1024, 1536])
    pages: tuple[PageStock, ...] = ()
    if paged:
        big = source.randint(0, memory // 2)
        pages = (
            PageStock(Kib(4), (memory - big) * 256, source.choice([0, 0, 1024 * 64])),
            PageStock(Kib(2048), big // 2, source.randint(0, big // 4), source.choice([0, 0, 16])),
        )
        if source.random() < 0.2:
            pages = (*pages, PageStock(Kib(1048576), source.randint(0, 2)))
    return HostNode(
        id=number,
        dedicated=dedicated,
        shared=shared,
        pinned=pinned,
        floating=source.randint(0, 2 * len(shared)) if shared else 0,
        memory_mib=Mib(memory),
        memory_used_mib=Mib(min(used, memory)),
        siblings=frozenset(groups) if threads > 1 else frozenset(),
        pages=pages,
    )


def generated(source: random.Random) -> Case:
    """Return one case, near the border between yes and no."""
    threads = source.choice([1, 2, 2, 4])
    paged = source.random() < 0.5
    count = source.choice([1, 2, 3, 4, 4])
    hosts = tuple(host_node(source, number, threads, paged) for number in range(count))
    kind = source.choice(["shared", "dedicated", "dedicated", "mixed"])
    nodes, at = [], 0
    for _ in range(source.choice([1, 1, 2, 2, 3])):
        vcpus = range(at, at + source.randint(1 if kind != "mixed" else 2, 4))
        at = vcpus.stop
        cut = 0 if kind == "shared" else len(vcpus)
        if kind == "mixed":
            cut = source.randint(1, len(vcpus) - 1)
        nodes.append(
            GuestNode(
                memory_mib=Mib(source.choice([256, 256, 512, 512, 511, 1024, 2048])),
                pinned=frozenset(vcpus[:cut]),
                floating=frozenset(vcpus[cut:]),
            )
        )
    guest = GuestTopology(
        nodes=tuple(nodes),
        page_size=source.choice([None, None, *PageSize, Kib(2048), Kib(1048576), Kib(4)]),
        threads=source.choice([None, *ThreadPolicy]) if kind != "shared" else None,
        emulator=EmulatorThreads.ISOLATE
        if kind != "shared" and source.random() < 0.3
        else EmulatorThreads.FLOAT,
    )
    limits = source.choice([None, Overcommit(), Overcommit(4.0, 1.5), Overcommit(16.0, 1.0)])
    return hosts, guest, limits


def as_json(case: Case) -> str:
    """Return a case as the peer's side reads it."""
    hosts, guest, limits = case
    page = guest.page_size
    return json.dumps(
        {
            "hosts": [
                {
                    "id": node.id,
                    "dedicated": sorted(node.dedicated),
                    "shared": sorted(node.shared),
                    "pinned": sorted(node.pinned),
                    "floating": node.floating,
                    "memory": node.memory_mib,
                    "memory_used": node.memory_used_mib,
                    "siblings": _siblings(node),
                    "pages": [[p.size_kib, p.total, p.used, p.reserved] for p in node.pages],
                }
                for node in hosts
            ],
            "guest": [
                {
                    "pinned": sorted(node.pinned),
                    "floating": sorted(node.floating),
                    "memory": node.memory_mib,
                }
                for node in guest.nodes
            ],
            "page": page.value if isinstance(page, PageSize) else page,
            "threads": None if guest.threads is None else guest.threads.value,
            "emulator": guest.emulator is EmulatorThreads.ISOLATE,
            "limits": None if limits is None else [limits.cpu_ratio, limits.memory_ratio],
        }
    )


def _siblings(node: HostNode) -> list[list[int]]:
    # The peer wants each CPU of the node in some group.
    grouped = frozenset[int]().union(*node.siblings)
    alone = (node.dedicated | node.shared) - grouped
    return [*(sorted(core) for core in node.siblings), *([cpu] for cpu in sorted(alone))]


def broken(case: Case, fit: TopologyFit) -> str:
    """Return what is wrong with a fit of ours, or ""."""
    hosts, guest, _limits = case
    by_id = {node.id: node for node in hosts}
    if len({node.host for node in fit.nodes}) != len(fit.nodes):
        return "two nodes of the guest on one host node"
    for asked, found in zip(guest.nodes, fit.nodes, strict=True):
        cpus = [*found.pins.cpus.values(), *found.pins.emulator]
        if len(set(cpus)) != len(cpus) or not set(cpus) <= by_id[found.host].free_cpus:
            return "CPUs that are not free, or twice"
        if found.pins.cpus.keys() != asked.pinned:
            return "not every pinned vCPU has a CPU"
    taken = take(hosts, guest, fit)
    if any(
        stock.free < 0
        for node, was in zip(taken, hosts, strict=True)
        for stock, before in zip(node.pages, was.pages, strict=True)
        if stock != before and guest.page_size
    ):
        return "pages below zero"
    return "" if give_back(taken, guest, fit) == hosts else "giving back is not the inverse"


def compare(cases: Sequence[Case], answers: Sequence[Answer]) -> list[str]:
    """Return what differs, as text with the case."""
    wrong = []
    for case, theirs in zip(cases, answers, strict=True):
        hosts, guest, limits = case
        ours = next(topology_fits(preferred(hosts, guest), guest, limits), None)
        fault = "" if ours is None else broken(case, ours)
        if theirs.pairs is not (ours is not None):
            fault = f"peer {theirs}, ours {ours}"
        if fault:
            wrong.append(f"{fault}\n  {as_json(case)}")
    return wrong


def main() -> int:
    """Compare as the command line says."""
    given = arguments(__doc__)
    source = random.Random(given.seed)
    cases = [generated(source) for _ in range(given.cases)]
    lines = ask(given.peer, "numa_peer.py", map(as_json, cases))
    answers = [Answer(**line) for line in lines if isinstance(line, dict)]
    wrong = compare(cases, answers)
    result: dict[str, object] = {
        "cases": len(cases),
        "fits": sum(1 for found in answers if found.pairs),
        "defects_of_the_peer": sum(1 for found in answers if found.pairs != found.whole),
    }
    return report(result, wrong)


if __name__ == "__main__":
    sys.exit(main())
