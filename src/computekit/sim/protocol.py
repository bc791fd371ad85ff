"""The protocol that results on the OpenB trace are compared by.

Source: Weng et al., USENIX ATC 2023, and the replay behind its figures. Pods are sorted by name,
shuffled by a seed, and drawn again with replacement until 1.3 times the devices of the cluster
are asked for. They come one by one; whatever fits anywhere must be placed; what does not fit is
dropped for good; nothing leaves. Among equal scores the lexicographically smallest node name wins.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np

from computekit.scheduler.packing import (
    BalancedFit,
    BestFit,
    Demand,
    DotProduct,
    FirstFit,
    Fragmentation,
    Fragments,
    GradientDescent,
    Packing,
    RandomFit,
)
from computekit.sim.cluster import Cluster, Packed, Packer
from computekit.sim.policies import policy_names

__all__ = [
    "OPENB_POLICIES",
    "OpenbFigures",
    "OpenbRun",
    "openb_figures",
    "openb_mean",
    "openb_policy",
    "openb_replay",
    "openb_replays",
    "openb_run",
    "openb_sequence",
]

INFLATED = 1.3
MARKS = (100, 130)
_STEP = 0.01

OPENB_POLICIES = policy_names("openb")
"""The policies that a replay may be asked for by name."""


def openb_sequence(
    demands: Sequence[Demand], device_total: int, source: random.Random
) -> tuple[Demand, ...]:
    """Return the demands shuffled, and more of them drawn until the next would be too many."""
    sequence = list(demands)
    source.shuffle(sequence)
    asked = sum(demand.device_total for demand in sequence)
    if not any(demand.devices for demand in demands):
        return tuple(sequence)
    while True:
        demand = source.choice(demands)
        asked += demand.device_total
        if asked > INFLATED * device_total:
            return tuple(sequence)
        sequence.append(demand)


def openb_policy(name: str, cluster: Cluster, demands: Sequence[Demand], seed: int) -> Packing:
    """Return a policy by name, made for a cluster and the mix of a pod list.

    Args:
        name: one of `OPENB_POLICIES`.
        cluster: what is to be packed.
        demands: the pod list.
        seed: of what is random in the policy.
    """
    largest = [float(amount) for amount in cluster.capacity.max(axis=1)]
    device_scale = float(cluster.devices.sum(axis=1).max()) or 1.0
    match name:
        case "random":
            return RandomFit(random.Random(f"fit {seed}"))
        case "first-fit":
            return FirstFit()
        case "best-fit":
            # CPU and devices count, memory does not, and scores are whole per cent: as published.
            return BestFit((0.5, 0.0), tuple(largest), 0.5, device_scale, _STEP)
        case "balanced":
            return BalancedFit()
        case "dot-product":
            return DotProduct((largest[0], float("inf")), device_scale)
        case "fgd":
            return GradientDescent(Fragments.of(Counter(demands), cluster.models), cluster.whole)
        case "fragmentation":
            mix = Counter(demands)
            return Fragmentation.of(cluster.columns(), cluster.models, mix, whole=cluster.whole)
    raise ValueError(f"no policy {name!r}; there are {', '.join(OPENB_POLICIES)}")


@attrs.frozen(eq=False)
class OpenbRun:
    """One replay.

    Attributes:
        demands: what was asked for, in this order.
        packed: where each went; None for those that were dropped.
        cpu_s: what all decisions took of one core, seconds.
    """

    demands: tuple[Demand, ...]
    packed: tuple[Packed | None, ...]
    cpu_s: float


def openb_run(cluster: Cluster, packing: Packing, sequence: Sequence[Demand]) -> OpenbRun:
    """Replay a sequence of demands on an empty cluster."""
    packer = Packer(cluster, packing)
    started = time.thread_time()
    packed = tuple([packer.place(demand) for demand in sequence])
    return OpenbRun(tuple(sequence), packed, time.thread_time() - started)


@attrs.frozen
class OpenbFigures:
    """What a replay came to; means over the seeds if there are several.

    Attributes:
        policy: its name.
        seeds: of the replays.
        alloc_100: devices placed, per cent of the cluster, when 100 % have been asked for.
        alloc_130: the same at 130 %.
        frag_100: idle devices that typical requests cannot use, per cent of the cluster.
        frag_130: the same at 130 %.
        failed: pods that were dropped.
        decisions_per_s: decisions in a second of one core.
    """

    policy: str
    seeds: tuple[int, ...]
    alloc_100: float
    alloc_130: float
    frag_100: float
    frag_130: float
    failed: float
    decisions_per_s: float


def openb_figures(
    cluster: Cluster, fragments: Fragments, run: OpenbRun, *, policy: str, seed: int
) -> OpenbFigures:
    """Return the figures of one replay.

    Each is the mean over the pods that came while the share asked for, rounded to whole per cent,
    was at the mark; it is taken after the pod was placed or dropped.
    """
    total = cluster.device_total
    state = Packer(cluster, FirstFit())
    every = np.arange(len(cluster.names))
    measured = np.zeros(len(cluster.names))
    stale: set[int] | None = None
    asked = placed = 0
    found: dict[int, list[tuple[float, float]]] = {mark: [] for mark in MARKS}
    for demand, packed in zip(run.demands, run.packed, strict=True):
        asked += demand.device_total
        if packed is not None:
            placed += demand.device_total
            state.put(packed)
            if stale is not None:
                stale.add(packed.row)
        at = found.get(round(100 * asked / total))
        if at is None:
            continue
        rows = every if stale is None else np.array(sorted(stale), dtype=np.intp)
        if len(rows):
            hosts = state.columns(rows)
            measured[rows] = fragments.measure(hosts.free(0), hosts.devices, hosts.models)
        stale = set()
        at.append((100 * placed / total, 100 * float(measured.sum()) / total))
    means = [np.mean(found[mark], axis=0) if found[mark] else (0.0, 0.0) for mark in MARKS]
    (alloc_100, frag_100), (alloc_130, frag_130) = ((float(a), float(f)) for a, f in means)
    return OpenbFigures(
        policy,
        (seed,),
        alloc_100,
        alloc_130,
        frag_100,
        frag_130,
        float(sum(packed is None for packed in run.packed)),
        len(run.demands) / run.cpu_s if run.cpu_s else 0.0,
    )


def openb_replays(
    cluster: Cluster, demands: Sequence[Demand], policy: str, seeds: Iterable[int]
) -> Iterator[OpenbFigures]:
    """Replay a pod list by a policy, once for each seed, one at a time as they are asked for.

    Args:
        cluster: the nodes.
        demands: the pod list, sorted by name.
        policy: one of `OPENB_POLICIES`.
        seeds: of the order of the pods, and of what is random in the policy.

    Raises:
        ValueError: there is no such policy.
    """
    fragments = Fragments.of(Counter(demands), cluster.models)
    packing = openb_policy(policy, cluster, demands, 0)
    for seed in seeds:
        if isinstance(packing, RandomFit):
            packing = openb_policy(policy, cluster, demands, seed)
        sequence = openb_sequence(demands, cluster.device_total, random.Random(seed))
        run = openb_run(cluster, packing, sequence)
        yield openb_figures(cluster, fragments, run, policy=policy, seed=seed)


def openb_replay(
    cluster: Cluster, demands: Sequence[Demand], policy: str, seeds: Iterable[int]
) -> tuple[OpenbFigures, ...]:
    """Do all that `openb_replays` does at once."""
    return tuple(openb_replays(cluster, demands, policy, seeds))


def openb_mean(figures: Sequence[OpenbFigures]) -> OpenbFigures:
    """Return the means over several replays by one policy."""
    names = [field.name for field in attrs.fields(OpenbFigures)][2:]
    means = {name: float(np.mean([getattr(one, name) for one in figures])) for name in names}
    return OpenbFigures(figures[0].policy, tuple(s for one in figures for s in one.seeds), **means)
