"""What a decision costs with everything in it: Nova's filters, NUMA nodes, devices of nested trees.

Each host has two NUMA nodes and four devices of two kinds, each a provider of its own below the
root; half of them are given already. Requests pin CPUs on one node or two, want large pages, and
one or two devices by class and trait, some isolated from each other. Measured is the public
`place` and, beside it, the claim in memory that follows: allocation, CPUs and pages. CPU time of
one thread.
"""

import random
import time
from collections.abc import Iterator

import attrs
import numpy as np

from bench.measure import Measure
from computekit.ids import AggregateId, FlavorId, HostName, ProjectId, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    PCPU,
    VCPU,
    Aggregate,
    Flavor,
    FrozenMap,
    HostFacts,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler import (
    AggregateInstanceExtraSpecsFilter,
    AggregateMultiTenancyIsolation,
    ComputeFilter,
    Host,
    HostRule,
    IoOpsFilter,
    NumInstancesFilter,
    OverlayRule,
    Placed,
    PlacementIntent,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    Selection,
    nova_weighing,
)
from computekit.topology import (
    GuestNode,
    GuestTopology,
    HostNode,
    HostTopology,
    Overcommit,
    PageStock,
    take,
)
from computekit.units import Gib, Kib, Mib

HOSTS = 10_000
GPU, NIC = ResourceClass("CUSTOM_GPU"), ResourceClass("CUSTOM_NIC")
FAST = Trait("CUSTOM_FAST")
RULES: tuple[HostRule | OverlayRule, ...] = (
    ComputeFilter(),
    AggregateInstanceExtraSpecsFilter(),
    AggregateMultiTenancyIsolation(),
    IoOpsFilter(),
    NumInstancesFilter(),
)
POLICIES = {
    "own": Policy((RamWeigher(),), rules=RULES),
    "nova": Policy(nova_weighing(), rules=RULES),
}


def node(number: int, source: random.Random) -> HostNode:
    """Return a node of 28 dedicated and 4 shared CPUs in pairs, 128 GiB, half of it large pages."""
    first = 32 * number
    cores = [frozenset({cpu, cpu + 1}) for cpu in range(first, first + 32, 2)]
    dedicated = frozenset(range(first + 4, first + 32))
    return HostNode(
        id=number,
        dedicated=dedicated,
        shared=frozenset(range(first, first + 4)),
        pinned=frozenset(cpu for cpu in dedicated if source.random() < 0.5),
        memory_mib=Mib(131_072),
        siblings=frozenset(cores),
        pages=(
            PageStock(Kib(4), 1 << 24),
            PageStock(Kib(2048), 32_768, used=source.randrange(0, 32_768)),
        ),
    )


def fleet(source: random.Random) -> FleetIndex:
    """Return the hosts, in ten aggregates of which each says something."""
    index = FleetIndex()
    index.put(host(f"h{number:05}", source) for number in range(HOSTS))
    for name in index.names:
        nodes = tuple(node(number, source) for number in range(2))
        index.put_cells(name, HostTopology(nodes, Overcommit(4.0, 1.0)))
        index.set_figures(name, {"instances": source.randrange(40), "io_ops": 0})
    index.put_aggregates(
        Aggregate(
            number,
            AggregateId(f"g{number}"),
            f"g{number}",
            FrozenMap({"ssd": "true" if number % 2 else "false", "filter_tenant_id": "p,q"}),
            frozenset(index.names[number::10]),
        )
        for number in range(10)
    )
    return index


def host(name: str, source: random.Random) -> tuple[Host, tuple[ProviderUse, ...]]:
    """Return a host and its tree: a root, two GPUs, two network cards."""
    root = ProviderId(name)
    totals = {VCPU: 32, PCPU: 56, MEMORY_MB: 262_144, DISK_GB: 4_000}
    share = source.random() * 0.5
    used = {each: int(total * share) for each, total in totals.items()}
    uses = [_use(root, root, None, totals, used)]
    for number in range(4):
        kind, fast = (GPU, NIC)[number % 2], frozenset({FAST} if number < 2 else set())
        given = {kind: source.randrange(2)}
        uses.append(_use(ProviderId(f"{name}-{number}"), root, root, {kind: 1}, given, fast))
    facts = HostFacts(
        HostName(name),
        "x86_64",
        64,
        Mib(262_144),
        Gib(4_000),
        (),
        "QEMU",
        1,
        1,
        "kvm",
        frozenset({"q35"}),
        uefi=True,
    )
    return Host(HostName(name), root, facts), tuple(uses)


def _use(
    provider: ProviderId,
    root: ProviderId,
    parent: ProviderId | None,
    totals: dict[ResourceClass, int],
    used: dict[ResourceClass, int],
    traits: frozenset[Trait] = frozenset(),
) -> ProviderUse:
    inventories = {name: Inventory(total) for name, total in totals.items()}
    made = Provider(provider, str(provider), parent, FrozenMap(inventories), traits)
    return ProviderUse(made, root, FrozenMap(used))


def requests() -> tuple[Request, ...]:
    """Return twenty shapes."""
    made: list[Request] = []
    for number in range(20):
        pinned, nodes = (2, 4, 8)[number % 3], 1 + number % 2
        memory = Mib(1024 * pinned)
        amounts = {PCPU: pinned * nodes, MEMORY_MB: memory * nodes, DISK_GB: 10 + number}
        groups = [RequestGroup(resources=FrozenMap(amounts))]
        for at in range(number % 3):
            kind = (GPU, NIC)[at]
            wanted = frozenset({frozenset({FAST})}) if number % 4 == 1 else frozenset()
            groups.append(RequestGroup(f"_{at}", FrozenMap({kind: 1}), required=wanted))
        topology = GuestTopology(
            tuple(
                GuestNode(memory, frozenset(range(at * pinned, (at + 1) * pinned)))
                for at in range(nodes)
            ),
            page_size=Kib(2048) if number % 5 == 0 else None,
        )
        specs = FrozenMap({"aggregate_instance_extra_specs:ssd": "true"})
        flavor = Flavor(FlavorId(f"f{number}"), f"f{number}", pinned, memory, extra_specs=specs)
        intent = PlacementIntent(project=ProjectId("p"), flavor=flavor)
        placement = PlacementRequest(tuple(groups), "isolate" if len(groups) > 2 else None)
        made.append(Request(placement, intent, topology=topology))
    return tuple(made)


def claim(index: FleetIndex, request: Request, selection: Selection) -> None:
    """Count in memory what was chosen."""
    index.apply_claim(selection.allocation)
    assert request.topology is not None
    assert selection.cells is not None
    now = index.cells.of(selection.host)
    nodes = take(now.nodes, request.topology, selection.cells)
    index.put_cells(selection.host, attrs.evolve(now, nodes=nodes))


def run(policy: Policy, seconds: float) -> tuple[list[float], list[float]]:
    """Return microseconds of CPU of decisions, and of decisions with their claims."""
    source = random.Random(31)
    scheduler, asked = Scheduler(fleet(source), policy), requests()
    for request in asked:
        scheduler.place(request)
    decided: list[float] = []
    whole: list[float] = []
    now = time.thread_time_ns
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        request = asked[min(int(source.paretovariate(0.8)) - 1, len(asked) - 1)]
        started = now()
        decision = scheduler.place(request)
        placed = now()
        if not isinstance(decision, Placed):
            raise AssertionError("the fleet is full")
        claim(scheduler.index, request, decision.candidate)
        decided.append((placed - started) / 1e3)
        whole.append((now() - started) / 1e3)
    return decided, whole


def measure(seconds: float) -> Iterator[Measure]:
    """Measure by our own policy and by Nova's weighing."""
    for name, policy in POLICIES.items():
        decided, whole = run(policy, seconds)
        yield Measure(
            f"{HOSTS} hosts, rules, NUMA nodes and devices, {name} policy",
            float(np.median(decided)),
            "us",
            {
                "p99_us": float(np.percentile(decided, 99)),
                "with_claim_us": float(np.median(whole)),
                "with_claim_p99_us": float(np.percentile(whole, 99)),
                "decisions": float(len(decided)),
            },
        )
