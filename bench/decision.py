"""What a decision costs: the public `place` and the claim in memory that follows it.

Twenty shapes of requests, drawn by Zipf, on hosts that are up to 90 % full. Beside it, in the same
run on the same fleet with the same requests, runs the least that can be done: bare NumPy arrays, a
score for each shape and host, a maximum for each block. Both must choose the same hosts.
"""

import random
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from bench.measure import Measure
from computekit.ids import HostName, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
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
from computekit.scheduler import Explanation, Host, Placed, Request, Scheduler, Unplaced
from computekit.units import Gib, Mib

SIZES = (1_000, 10_000, 100_000)
SHAPES = 20
NESTED_HOSTS = 10_000
CLASSES = (VCPU, MEMORY_MB, DISK_GB)
TOTALS = {VCPU: 128, MEMORY_MB: 524_288, DISK_GB: 4_000}
NUMA = Trait("HW_NUMA_ROOT")
VF = ResourceClass("SRIOV_NET_VF")

IntArray: TypeAlias = npt.NDArray[np.int64]


@attrs.frozen
class Load:
    """A fleet as columns, and what is asked of it."""

    names: tuple[HostName, ...]
    used: dict[ResourceClass, IntArray]
    requests: tuple[Request, ...]
    sequence: tuple[int, ...]

    @classmethod
    def of(cls, hosts: int, source: random.Random) -> "Load":
        """Draw hosts, shapes and the order in which the shapes are asked for."""
        share = np.array([source.random() * 0.9 for _ in range(hosts)])
        used = {name: (share * total).astype(np.int64) for name, total in TOTALS.items()}
        requests = tuple(
            Request(
                PlacementRequest(
                    (
                        RequestGroup(
                            resources=FrozenMap(
                                {
                                    VCPU: source.choice((1, 2, 4, 8, 16)),
                                    MEMORY_MB: 512 * source.randint(1, 64) + number,
                                    DISK_GB: source.choice((10, 20, 40, 80)),
                                }
                            )
                        ),
                    )
                )
            )
            for number in range(SHAPES)
        )
        weights = [1 / rank for rank in range(1, SHAPES + 1)]
        sequence = source.choices(range(SHAPES), weights, k=max(200, min(hosts // 2, 2_000)))
        names = tuple(HostName(f"host{number:07}") for number in range(hosts))
        return cls(names, used, requests, tuple(sequence))

    def index(self) -> FleetIndex:
        """Return the fleet as an index."""
        inventories = {name: Inventory(total) for name, total in TOTALS.items()}
        return FleetIndex.from_columns(self.names, inventories, used=self.used)


class Bare:
    """The least that can be done: no types, no rules, no reasons."""

    def __init__(self, load: Load) -> None:
        hosts = len(load.names)
        self.size = int(hosts**0.5)
        blocks = -(-hosts // self.size)
        self.free = np.stack([TOTALS[name] - load.used[name] for name in CLASSES])
        groups = [request.placement.groups[0].resources for request in load.requests]
        self.asked = np.array([[group[name] for name in CLASSES] for group in groups])
        self.scores = np.full((SHAPES, blocks * self.size), -np.inf)
        for shape in range(SHAPES):
            fits = (self.free >= self.asked[shape][:, None]).all(axis=0)
            self.scores[shape, :hosts] = np.where(fits, self.free[1], -np.inf)
        self.tops = self.scores.reshape(SHAPES, blocks, self.size).max(axis=2)

    def place(self, shape: int) -> int:
        """Choose a row for a shape and take what it asks for."""
        block = int(self.tops[shape].argmax())
        first = block * self.size
        row = first + int(self.scores[shape, first : first + self.size].argmax())
        free = self.free[:, row]
        free -= self.asked[shape]
        fits = (free >= self.asked).all(axis=1)
        self.scores[:, row] = np.where(fits, free[1], -np.inf)
        self.tops[:, block] = self.scores[:, first : first + self.size].max(axis=1)
        return row


def run(load: Load) -> tuple[list[float], list[float], list[float], int]:
    """Return microseconds of each decision, of each bare one, of each new shape, and bytes."""
    tracemalloc.start()
    index = load.index()
    scheduler = Scheduler(index)
    new: list[float] = []
    for request in load.requests:
        started = time.thread_time_ns()
        scheduler.place(request)
        new.append((time.thread_time_ns() - started) / 1e3)
    arrays = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)]
    )
    held = sum(trace.size for trace in arrays.traces)
    tracemalloc.stop()

    bare = Bare(load)
    ours: list[float] = []
    least: list[float] = []
    for shape in load.sequence:
        request = load.requests[shape]
        started = time.thread_time_ns()
        decision = scheduler.place(request)
        assert isinstance(decision, Placed)
        index.apply_claim(decision.allocation)
        middle = time.thread_time_ns()
        row = bare.place(shape)
        ended = time.thread_time_ns()
        ours.append((middle - started) / 1e3)
        least.append((ended - middle) / 1e3)
        if decision.host != load.names[row]:
            raise AssertionError(f"{decision.host} was chosen, {load.names[row]} is best")
    return ours, least, new, held


def flat(hosts: int, seconds: float) -> Measure:
    """Measure hosts with one provider each."""
    source = random.Random(17)
    ours: list[float] = []
    least: list[float] = []
    new: list[float] = []
    held = 0
    end = time.monotonic() + seconds
    while not ours or time.monotonic() < end:
        more, bare, first, held = run(Load.of(hosts, source))
        ours += more
        least += bare
        new += first
    return Measure(
        f"{hosts} hosts",
        float(np.median(ours)),
        "us",
        {
            "p99_us": float(np.percentile(ours, 99)),
            "mean_us": float(np.mean(ours)),
            "bare_us": float(np.median(least)),
            "ratio_to_bare": float(np.median(ours) / np.median(least)),
            "new_shape_us": float(np.median(new)),
            "array_bytes_per_host": held / hosts,
            "decisions": float(len(ours)),
        },
    )


def numa_tree(host: int, source: random.Random) -> tuple[ProviderUse, ...]:
    """Return a host with two cells, each with memory, CPUs and a network card below it."""
    root = ProviderId(f"host{host:07}")
    uses = [
        ProviderUse(Provider(root, root, inventories=FrozenMap({DISK_GB: Inventory(4_000)})), root)
    ]
    for number in range(2):
        cell, card = ProviderId(f"{root}-cell{number}"), ProviderId(f"{root}-nic{number}")
        cores = FrozenMap({VCPU: Inventory(64), MEMORY_MB: Inventory(262_144)})
        used = FrozenMap({VCPU: source.randint(0, 60), MEMORY_MB: source.randint(0, 250_000)})
        vfs = FrozenMap({VF: Inventory(8)})
        uses.append(ProviderUse(Provider(cell, cell, root, cores, frozenset({NUMA})), root, used))
        uses.append(
            ProviderUse(
                Provider(card, card, cell, vfs), root, FrozenMap({VF: source.randint(0, 8)})
            )
        )
    return tuple(uses)


def host_facts(name: HostName) -> HostFacts:
    """Return facts of a host; a decision looks at none of the sizes in it."""
    return HostFacts(
        name=name,
        arch="x86_64",
        cpus=128,
        memory_mib=Mib(524_288),
        disk_gib=Gib(4_000),
        cells=(),
        hypervisor="fake",
        hypervisor_version=1_000_000,
        library_version=0,
        virt_type="kvm",
        machine_types=frozenset({"q35"}),
        uefi=True,
    )


def numa_request(vcpus: int, memory_mib: int) -> Request:
    """Return a request for one cell and a card below it."""
    groups = (
        RequestGroup("", FrozenMap({DISK_GB: 20})),
        RequestGroup(
            "_numa",
            FrozenMap({VCPU: vcpus, MEMORY_MB: memory_mib}),
            frozenset({frozenset({NUMA})}),
        ),
        RequestGroup("_nic", FrozenMap({VF: 1})),
    )
    subtree = frozenset({"_numa", "_nic"})
    return Request(PlacementRequest(groups, "none", same_subtree=(subtree,)))


def nested(hosts: int, seconds: float) -> Measure:
    """Measure hosts whose tree has NUMA cells and cards: each decision searches a tree."""
    source = random.Random(19)
    index = FleetIndex()
    rows = (HostName(f"host{number:07}") for number in range(hosts))
    index.put(
        (Host(name, ProviderId(name), host_facts(name)), numa_tree(number, source))
        for number, name in enumerate(rows)
    )
    scheduler = Scheduler(index)
    requests = [numa_request(2 * n, 1_024 * n) for n in range(1, 9)]
    for request in requests:
        scheduler.place(request)
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        request = source.choice(requests)
        started = time.thread_time_ns()
        decision = scheduler.place(request)
        if isinstance(decision, Unplaced):
            break
        index.apply_claim(decision.allocation)
        taken.append((time.thread_time_ns() - started) / 1e3)
    return figure(f"{hosts} hosts with NUMA cells and cards", taken)


def refusal(hosts: int) -> Iterator[Measure]:
    """Measure a request that no host can take, and its explanation."""
    scheduler = Scheduler(Load.of(hosts, random.Random(23)).index())
    huge = FrozenMap({VCPU: 256, MEMORY_MB: 1_024, DISK_GB: 10})
    request = Request(PlacementRequest((RequestGroup(resources=huge),)))
    placing: list[float] = []
    explaining: list[float] = []
    for _again in range(20):
        started = time.thread_time_ns()
        decision = scheduler.place(request)
        placed = time.thread_time_ns()
        explanation = decision.explain()
        assert isinstance(explanation, Explanation)
        explanation.text()
        ended = time.thread_time_ns()
        placing.append((placed - started) / 1e3)
        explaining.append((ended - placed) / 1e3)
    yield figure(f"{hosts} hosts, none fits", placing)
    yield figure(f"{hosts} hosts, none fits: explanation as text", explaining)


def figure(name: str, taken: Sequence[float]) -> Measure:
    """Return the median of some times with what belongs to it."""
    notes = {"p99_us": float(np.percentile(taken, 99)), "decisions": float(len(taken))}
    return Measure(name, float(np.median(taken)), "us", notes)


def measure(seconds: float) -> Iterator[Measure]:
    """Measure flat fleets of all sizes, a nested one, and refusals; CPU time of one thread."""
    for hosts in SIZES:
        yield flat(hosts, seconds)
    yield nested(NESTED_HOSTS, seconds)
    yield from refusal(10_000)
