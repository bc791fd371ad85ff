"""Guests that come and go: how many hosts a policy keeps busy.

Hosts start empty; an empty one is opened only when no other fits, and is closed when its last
guest leaves. What counts is host-hours, beside the least that any placement could need: at every
moment the resource that is asked for most, in hosts.
"""

import heapq
import random
import time
from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from computekit.ids import ConsumerId, HostName
from computekit.scheduler.packing import (
    BalancedFit,
    BestFit,
    DotProduct,
    FirstFit,
    KnownLifetimes,
    LifetimeFit,
    LifetimePredictor,
    Packing,
    RandomFit,
    WorstFit,
)
from computekit.sim.cluster import Cluster, Packed, Packer
from computekit.sim.policies import policy_names
from computekit.sim.trace import Guest

__all__ = [
    "CHURN_POLICIES",
    "ChurnFigures",
    "alike_hosts",
    "churn_policy",
    "churn_replay",
    "guests_at",
]

CHURN_POLICIES = policy_names("churn")
"""The policies that a replay may be asked for by name."""

_HOUR_S = 3_600.0


def alike_hosts(count: int, *, cpu: int = 64, memory_mib: int = 262_144) -> Cluster:
    """Return a cluster of empty hosts of one kind, without devices."""
    width = len(str(max(0, count - 1)))
    return Cluster(
        tuple(HostName(f"host{number:0{width}}") for number in range(count)),
        ("cpu", "memory_mib"),
        np.repeat(np.array([[cpu], [memory_mib]], dtype=np.int64), count, axis=1),
        np.zeros((count, 1), dtype=np.int64),
    )


def churn_policy(
    name: str, cluster: Cluster, trace: Sequence[Guest], seed: int
) -> tuple[Packing, LifetimePredictor | None]:
    """Return a policy by name, and what predicts lifetimes for it.

    Raises:
        ValueError: there is none of this name.
    """
    scale = tuple(float(amount) for amount in cluster.capacity.max(axis=1))
    best = BestFit((0.5, 0.5), scale)
    packings: dict[str, Packing] = {
        "worst-fit": WorstFit(best),
        "random": RandomFit(random.Random(f"fit {seed}")),
        "first-fit": FirstFit(),
        "dot-product": DotProduct(scale),
        "best-fit": best,
        "balanced": BalancedFit(),
        "lifetime-known": LifetimeFit(BalancedFit()),
    }
    if name not in packings:
        raise ValueError(f"no policy {name!r}; there are {', '.join(CHURN_POLICIES)}")
    if name == "lifetime-known":
        return packings[name], KnownLifetimes({guest.id: guest.lives_s for guest in trace})
    return packings[name], None


@attrs.frozen
class ChurnFigures:
    """What a replay came to.

    Attributes:
        policy: its name.
        guests: how many came.
        refused: how many fitted on no host, open or not.
        host_hours: of hosts that had a guest.
        least_host_hours: that any placement needs.
        ratio: the first divided by the second.
        peak_hosts: the most hosts that had guests at once.
        decisions_per_s: decisions in a second of one core.
        busy: hosts that had guests over time, as (hours, hosts), at most some hundred points.
    """

    policy: str
    guests: int
    refused: int
    host_hours: float
    least_host_hours: float
    ratio: float
    peak_hosts: int
    decisions_per_s: float
    busy: tuple[tuple[float, float], ...] = attrs.field(repr=False)


def churn_replay(
    cluster: Cluster,
    packing: Packing,
    trace: Sequence[Guest],
    *,
    predictor: LifetimePredictor | None = None,
    policy: str = "",
    until_s: float | None = None,
) -> ChurnFigures:
    """Replay a trace and return how many hosts it kept busy.

    Args:
        cluster: as many hosts as may ever be open.
        packing: where guests go.
        trace: in the order of arrival.
        predictor: says when a guest will leave; told of every guest that has left.
        policy: what to call it; without it the name of `packing`.
        until_s: when to stop counting, on the clock of the trace; without it when the last guest
            has arrived.
    """
    packer = Packer(cluster, packing, occupied_only=True)
    totals = [float(amount) for amount in cluster.capacity.mean(axis=1)]
    held = [0] * len(totals)
    leaving: list[tuple[float, int, Guest, Packed]] = []
    end_s = (trace[-1].arrives_s if trace else 0.0) if until_s is None else until_s
    busy_s = least_s = last_s = cpu_s = 0.0
    refused = busy = peak = 0
    points: list[tuple[float, float]] = []

    def pass_to(now_s: float) -> None:
        nonlocal busy_s, least_s, last_s
        if now_s > last_s:
            busy_s += busy * (now_s - last_s)
            least_s += max(h / t for h, t in zip(held, totals, strict=True)) * (now_s - last_s)
            last_s = now_s

    def leave(now_s: float) -> None:
        nonlocal busy
        while leaving and leaving[0][0] <= now_s:
            leaves_s, _number, guest, packed = heapq.heappop(leaving)
            pass_to(leaves_s)
            packer.remove(packed)
            busy -= int(packer.guests[packed.row] == 0)
            for at, amount in enumerate(guest.demand.amounts):
                held[at] -= amount
            if predictor is not None:
                predictor.left(guest.id, guest.demand, guest.lives_s)

    for number, guest in enumerate(trace):
        if guest.arrives_s > end_s:
            break
        leave(guest.arrives_s)
        pass_to(guest.arrives_s)
        demand = guest.demand
        started = time.thread_time()
        if predictor is not None:
            ends_s = predictor.ends_s(guest.id, demand, guest.arrives_s)
            demand = attrs.evolve(demand, ends_s=ends_s)
        packed = packer.place(demand)
        cpu_s += time.thread_time() - started
        if packed is None:
            refused += 1
            continue
        busy += int(packer.guests[packed.row] == 1)
        peak = max(peak, busy)
        for at, amount in enumerate(demand.amounts):
            held[at] += amount
        heapq.heappush(leaving, (guest.leaves_s, number, guest, packed))
        points.append((guest.arrives_s / _HOUR_S, float(busy)))
    leave(end_s)
    pass_to(end_s)
    every = max(1, len(points) // 200)
    return ChurnFigures(
        policy or packing.name,
        len(trace),
        refused,
        busy_s / _HOUR_S,
        least_s / _HOUR_S,
        busy_s / least_s if least_s else 1.0,
        peak,
        len(trace) / cpu_s if cpu_s else 0.0,
        tuple(points[::every]),
    )


def guests_at(
    cluster: Cluster,
    packing: Packing,
    trace: Sequence[Guest],
    at_s: float,
    *,
    predictor: LifetimePredictor | None = None,
) -> Mapping[ConsumerId, Packed]:
    """Replay a trace up to a moment and return where its guests are then; none was ever moved.

    Args:
        cluster: as many hosts as may ever be open.
        packing: where guests go.
        trace: in the order of arrival.
        at_s: the moment, on the clock of the trace.
        predictor: as for `churn_replay`.
    """
    packer = Packer(cluster, packing, occupied_only=True)
    here: dict[ConsumerId, Packed] = {}
    leaving: list[tuple[float, int, Guest]] = []

    def leave(now_s: float) -> None:
        while leaving and leaving[0][0] <= now_s:
            _leaves_s, _number, guest = heapq.heappop(leaving)
            packer.remove(here.pop(guest.id))
            if predictor is not None:
                predictor.left(guest.id, guest.demand, guest.lives_s)

    for number, guest in enumerate(trace):
        if guest.arrives_s > at_s:
            break
        leave(guest.arrives_s)
        demand = guest.demand
        if predictor is not None:
            ends_s = predictor.ends_s(guest.id, demand, guest.arrives_s)
            demand = attrs.evolve(demand, ends_s=ends_s)
        packed = packer.place(demand)
        if packed is not None:
            here[guest.id] = packed
            heapq.heappush(leaving, (guest.leaves_s, number, guest))
    leave(at_s)
    return here
