"""What a candidate search costs inside one process, and what an index weighs.

Times are of the processor (of the one thread that asks), so that a busy machine disturbs less.
"""

import gc
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.measure import Measure
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement import Found, ProviderIndex, ProviderUse

DEVICE = ResourceClass("CUSTOM_PCI_DEV")
VF = ResourceClass("SRIOV_NET_VF")
SMALL = Resources({VCPU: 1, MEMORY_MB: 512, DISK_GB: 10})


def measure(seconds: float) -> Iterator[Measure]:
    """Yield every figure."""
    for count in (1_000, 10_000, 100_000):
        yield from _flat(count, seconds)
    yield from _million(seconds)
    yield from _nested(seconds)
    yield from _wide(seconds)
    yield from _one_by_one()


def flat_index(count: int) -> ProviderIndex:
    """Return an index of hosts with one provider each."""
    ids = [ProviderId(f"{n:08x}-0000-4000-8000-000000000000") for n in range(count)]
    at = np.arange(count)
    none = np.zeros(count, dtype=np.int32)
    kinds = [Trait("COMPUTE_NET_ATTACH_INTERFACE"), Trait("COMPUTE_VOLUME_MULTI_ATTACH")]
    racks = count // 40 + 1
    return ProviderIndex.from_columns(
        ids,
        [f"host{n}" for n in range(count)],
        {
            VCPU: ([Inventory(64, allocation_ratio=4.0)], none),
            MEMORY_MB: ([Inventory(262_144, reserved=512)], none),
            DISK_GB: ([Inventory(4_000)], none),
        },
        used={VCPU: at % 200, MEMORY_MB: (at % 200) * 1024, DISK_GB: at % 100},
        traits=([frozenset({Trait("HW_CPU_X86_AVX2"), kind}) for kind in kinds], at % 2),
        aggregates=([frozenset({AggregateId(f"rack{n}")}) for n in range(racks)], at // 40),
    )


def _use(
    at: int,
    root: int,
    parent: int | None,
    totals: dict[ResourceClass, int],
    traits: tuple[str, ...],
    aggregates: tuple[str, ...] = (),
) -> ProviderUse:
    provider = Provider(
        _id(at),
        f"p{at}",
        None if parent is None else _id(parent),
        FrozenMap({name: Inventory(total, max_unit=total) for name, total in totals.items()}),
        frozenset(map(Trait, traits)),
        frozenset(map(AggregateId, aggregates)),
    )
    return ProviderUse(provider, _id(root))


def _id(at: int) -> ProviderId:
    return ProviderId(f"{at:08x}-0000-4000-8000-000000000000")


def nested_uses(hosts: int) -> Iterator[ProviderUse]:
    """Yield hosts with two NUMA cells, each with a network card of its own."""
    for host in range(hosts):
        root = host * 5
        avx = ("HW_CPU_X86_AVX2",)
        yield _use(root, root, None, {DISK_GB: 4000}, avx, (f"az{host % 3}", f"rack{host // 40}"))
        for cell in (0, 1):
            numa, port = root + 1 + cell, root + 3 + cell
            physnet = f"CUSTOM_PHYSNET_{'AB'[cell]}"
            yield _use(numa, root, root, {VCPU: 128, MEMORY_MB: 130_560}, ("HW_NUMA_ROOT",))
            yield _use(port, root, numa, {VF: 8}, ("HW_NIC_SRIOV", physnet))


def wide_uses(hosts: int, width: int) -> Iterator[ProviderUse]:
    """Yield hosts with devices that are all alike."""
    for host in range(hosts):
        root = host * (width + 1)
        yield _use(root, root, None, {VCPU: 64, MEMORY_MB: 262_144}, ())
        for device in range(1, width + 1):
            yield _use(root + device, root, root, {DEVICE: 1}, ("HW_NIC_SRIOV",))


def flat_request(amounts: Resources = SMALL) -> PlacementRequest:
    return PlacementRequest((RequestGroup("", amounts),))


def _group(suffix: str, amounts: dict[ResourceClass, int], *traits: str) -> RequestGroup:
    required = frozenset(frozenset({Trait(trait)}) for trait in traits)
    return RequestGroup(suffix, FrozenMap(amounts), required)


def numa_and_port() -> PlacementRequest:
    """Return disk, a NUMA cell, and a port beside that cell."""
    return PlacementRequest(
        (
            _group("", {DISK_GB: 10}),
            _group("_NUMA", {VCPU: 4, MEMORY_MB: 4096}, "HW_NUMA_ROOT"),
            _group("_PORT", {VF: 1}, "CUSTOM_PHYSNET_A", "HW_NIC_SRIOV"),
        ),
        "none",
        same_subtree=(frozenset({"_NUMA", "_PORT"}),),
    )


def two_of_each() -> PlacementRequest:
    """Return disk, two NUMA cells, and a port beside each."""
    groups = [_group("", {DISK_GB: 10})]
    for n in (0, 1):
        groups.append(_group(f"_NUMA{n}", {VCPU: 2, MEMORY_MB: 2048}, "HW_NUMA_ROOT"))
        groups.append(_group(f"_PORT{n}", {VF: 1}))
    subtrees = tuple(frozenset({f"_NUMA{n}", f"_PORT{n}"}) for n in (0, 1))
    return PlacementRequest(tuple(groups), "isolate", same_subtree=subtrees)


def devices(groups: int) -> PlacementRequest:
    """Return a small server with so many devices, one a group."""
    plain = _group("", {VCPU: 1, MEMORY_MB: 512})
    return PlacementRequest(
        (plain, *(_group(f"_D{n}", {DEVICE: 1}) for n in range(groups))), "none"
    )


def _ms(work: Callable[[], object], seconds: float) -> float:
    """Return the median time of `work` in milliseconds."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return float(np.median(times)) * 1000


def _cold(index: ProviderIndex, request: PlacementRequest, limit: int | None) -> float:
    """Return how long a question takes whose shape was never asked, in milliseconds."""
    index.forget()
    gc.collect()
    start = time.thread_time()
    index.found(request, limit=limit, twins=True)
    return (time.thread_time() - start) * 1000


def _changing(index: ProviderIndex, rows: int) -> Callable[[], None]:
    """Return something that changes what is used of one random provider."""
    source = random.Random(1)

    def change() -> None:
        use = index.provider(_id(source.randrange(rows)))
        assert use is not None
        used = use.used.get(DISK_GB, 0) % 100 + 1
        index.put([ProviderUse(use.provider, use.root, use.used.replace(DISK_GB, used))])

    return change


def _flat(count: int, seconds: float) -> Iterator[Measure]:
    index, request = flat_index(count), flat_request()
    for limit in (1, 100, 1000):
        cold = _cold(index, request, limit)
        question = _question(index, request, limit)
        same = _ms(question, seconds / 10)
        changed = _ms(_after(_changing(index, count), question), seconds / 2)
        only = _ms(_changing(index, count), seconds / 10)
        yield Measure(
            f"{count} flat hosts, limit {limit}, another host changed before each question",
            max(0.0, changed - only),
            "ms",
            {"cold_ms": cold, "unchanged_ms": same, "change_ms": only},
        )
    first = _ms(lambda: next(index.candidates(request)), seconds / 5)
    yield Measure(f"{count} flat hosts, first candidate, warm", first, "ms")


def _question(
    index: ProviderIndex, request: PlacementRequest, limit: int | None
) -> Callable[[], Found]:
    return lambda: index.found(request, limit=limit, twins=True)


def _without_twins(index: ProviderIndex, request: PlacementRequest) -> Callable[[], object]:
    return lambda: [*index.candidates(request)]


def _after(first: Callable[[], object], then: Callable[[], object]) -> Callable[[], None]:
    def both() -> None:
        first()
        then()

    return both


def _nested(seconds: float) -> Iterator[Measure]:
    for name, request in (("b", numa_and_port()), ("b2", two_of_each())):
        index = ProviderIndex.of(nested_uses(200))
        cold = _cold(index, request, None)
        question = _question(index, request, None)
        changed = _ms(_after(_changing(index, 1), question), seconds / 2)
        only = _ms(_changing(index, 1), seconds / 10)
        yield Measure(
            f"200 nested trees, query {name}, no limit, one tree changed before each question",
            max(0.0, changed - only),
            "ms",
            {
                "cold_ms": cold,
                "unchanged_ms": _ms(question, seconds / 10),
                "candidates": len(question().candidates),
            },
        )


def _wide(seconds: float) -> Iterator[Measure]:
    for groups in (4, 6, 8):
        index = ProviderIndex.of(wide_uses(4, 8))
        request = devices(groups)
        cold = _cold(index, request, 100)
        question = _question(index, request, 100)
        alike = _ms(_without_twins(index, request), seconds / 10)
        yield Measure(
            f"4 hosts x 8 devices, {groups} groups, limit 100, cold",
            cold,
            "ms",
            {
                "unchanged_ms": _ms(question, seconds / 10),
                "candidates": len(question().candidates),
                "without_twins_ms": alike,
                "without_twins": len([*index.candidates(request)]),
            },
        )


def _one_by_one() -> Iterator[Measure]:
    """Create providers one by one, and ask after each."""
    index, request = ProviderIndex(), flat_request()
    count = 10_000
    start = time.thread_time()
    for at in range(count):
        totals = {VCPU: 64, MEMORY_MB: 262_144, DISK_GB: 4000}
        index.put([_use(at * 7919 % 99_991, at * 7919 % 99_991, None, totals, ())])
        index.found(request, limit=1, twins=True)
    spent = time.thread_time() - start
    yield Measure(
        f"{count} hosts created one by one, a question after each", spent / count * 1e6, "us/host"
    )


_MEASURE_MILLION = """
import json, resource, time
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from bench.candidates import flat_index, flat_request
start = time.thread_time()
index = flat_index(1_000_000)
made = time.thread_time() - start
request = flat_request()
start = time.thread_time()
found = index.found(request, limit=100, twins=True)
cold = time.thread_time() - start
times = []
for _ in range(50):
    start = time.thread_time()
    next(index.candidates(request))
    times.append(time.thread_time() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"peak_mib": peak / 1024, "made_s": made, "cold_ms": cold * 1000,
                  "warm_ms": sorted(times)[25] * 1000, "found": len(found.candidates)}))
"""


def _million(_seconds: float) -> Iterator[Measure]:
    """Ask a process of its own for what an index of a million hosts weighs."""
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE_MILLION],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    peak = figures.pop("peak_mib")
    yield Measure("1000000 flat hosts, peak memory of the process", peak, "MiB", figures)
