"""Made-up fleets, and what the public decision costs on them."""

import random
import time
import tracemalloc

import attrs
import numpy as np

from computekit.ids import HostName
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
)
from computekit.placement import FleetIndex, IntArray
from computekit.scheduler import Placed, Policy, RamWeigher, Request, Scheduler
from computekit.scheduler.packing import (
    BalancedFit,
    BestFit,
    DotProduct,
    FirstFit,
    Packing,
    PackingWeigher,
    WorstFit,
)
from computekit.sim.policies import policy_names

__all__ = ["FLEET_POLICIES", "FleetFigures", "FleetLoad", "fleet_figures", "fleet_policy"]

HOST = {VCPU: 128, MEMORY_MB: 524_288, DISK_GB: 4_000}
FULLEST = 0.9

FLEET_POLICIES = policy_names("fleet")
"""Policies for fleets of alike hosts by name; `spread` prefers the most free memory."""


def fleet_policy(name: str) -> Policy:
    """Return a policy by name.

    Raises:
        ValueError: there is none of this name.
    """
    if name == "spread":
        return Policy((RamWeigher(),))
    scale = (float(HOST[VCPU]), float(HOST[MEMORY_MB]))
    best = BestFit((0.5, 0.5), scale)
    packings: dict[str, Packing] = {
        "balanced": BalancedFit(),
        "best-fit": best,
        "worst-fit": WorstFit(best),
        "first-fit": FirstFit(),
        "dot-product": DotProduct(scale),
    }
    if name not in packings:
        raise ValueError(f"no policy {name!r}; there are {', '.join(FLEET_POLICIES)}")
    return Policy((PackingWeigher(packings[name]),))


@attrs.frozen
class FleetLoad:
    """A fleet and what is asked of it.

    Attributes:
        names: of the hosts.
        used: by class, what is taken of each host.
        requests: one of each shape.
        sequence: which shape is asked for, in this order; the first shapes most often (Zipf).
    """

    names: tuple[HostName, ...]
    used: FrozenMap[ResourceClass, IntArray] = attrs.field(eq=False, repr=False)
    requests: tuple[Request, ...]
    sequence: tuple[int, ...]

    @classmethod
    def of(cls, hosts: int, requests: int, shapes: int, source: random.Random) -> "FleetLoad":
        """Draw hosts that are up to 90 % full, shapes, and the order of the requests."""
        share = np.array([source.random() * FULLEST for _ in range(hosts)])
        used = {name: (share * total).astype(np.int64) for name, total in HOST.items()}
        asked = tuple(
            FrozenMap(
                {
                    VCPU: source.choice((1, 2, 4, 8, 16)),
                    MEMORY_MB: 512 * source.randint(1, 64) + number,
                    DISK_GB: source.choice((10, 20, 40, 80)),
                }
            )
            for number in range(shapes)
        )
        made = tuple(Request(PlacementRequest((RequestGroup(resources=a),))) for a in asked)
        weights = [1 / rank for rank in range(1, shapes + 1)]
        sequence = tuple(source.choices(range(shapes), weights, k=requests))
        names = tuple(HostName(f"host{number:07}") for number in range(hosts))
        return cls(names, FrozenMap(used), made, sequence)

    def index(self) -> FleetIndex:
        """Return the fleet as an index."""
        inventories = {name: Inventory(total) for name, total in HOST.items()}
        return FleetIndex.from_columns(self.names, inventories, used=self.used)


@attrs.frozen
class FleetFigures:
    """What decisions cost: the public `place` and the claim in memory, on one core.

    Attributes:
        policy: its name.
        hosts: how many.
        requests: how many were asked for.
        shapes: how many distinct ones.
        seed: of the fleet and the requests.
        placed: how many found a host.
        median_us: microseconds of CPU of a decision with its claim.
        p99_us: 99 of 100 took no longer.
        decisions_per_s: decisions with their claims in a second of CPU.
        bytes_per_host: arrays of the index and of all shapes.
    """

    policy: str
    hosts: int
    requests: int
    shapes: int
    seed: int
    placed: int
    median_us: float
    p99_us: float
    decisions_per_s: float
    bytes_per_host: float


def fleet_figures(
    *, hosts: int, requests: int, shapes: int, policy: str, seed: int
) -> FleetFigures:
    """Decide requests on a made-up fleet and return what that cost.

    Every shape is asked for once before the clock starts, so that the figures are those of a
    scheduler at work.

    Raises:
        ValueError: there is no such policy.
    """
    load = FleetLoad.of(hosts, requests, shapes, random.Random(seed))
    chosen = fleet_policy(policy)
    tracemalloc.start()
    try:
        index = load.index()
        scheduler = Scheduler(index, chosen, shapes=shapes)
        for request in load.requests:
            scheduler.place(request)
        domain = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
        arrays = tracemalloc.take_snapshot().filter_traces([domain])
    finally:
        tracemalloc.stop()
    held = sum(trace.size for trace in arrays.traces)
    taken = np.zeros(requests)
    placed = 0
    now = time.thread_time_ns
    for at, shape in enumerate(load.sequence):
        started = now()
        decision = scheduler.place(load.requests[shape])
        if isinstance(decision, Placed):
            index.apply_claim(decision.allocation)
            placed += 1
        taken[at] = now() - started
    return FleetFigures(
        policy,
        hosts,
        requests,
        shapes,
        seed,
        placed,
        float(np.median(taken)) / 1e3,
        float(np.percentile(taken, 99)) / 1e3,
        requests / (float(taken.sum()) / 1e9),
        held / hosts,
    )
