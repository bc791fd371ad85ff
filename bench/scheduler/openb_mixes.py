"""The packing policies on other mixes of the OpenB pods: what the FGD paper varies.

Each mix is derived from one pod list, as the published ones were from the default list: more or
fewer pods without a GPU, with a part of one, with several, or with a model named. The margin of our
policy over FGD on equal sequences is the figure. Nothing in a policy is tuned to a mix.

COMPUTEKIT_OPENB names a directory as for `scheduler.openb`; without it a made-up cluster is packed.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence

import attrs
import numpy as np

from bench.measure import Measure
from bench.scheduler.openb import FIRST_SEED, MOST_SEEDS, traces
from computekit.scheduler.packing import Demand
from computekit.sim import Cluster, OpenbFigures, openb_mean, openb_replay

Kind = Callable[[Demand], bool]


def without_gpu(demand: Demand) -> bool:
    """Return whether no GPU is asked for."""
    return not demand.devices


def of_part(demand: Demand) -> bool:
    """Return whether a part of a GPU is asked for."""
    return demand.devices == 1 and demand.each < 1_000


def of_several(demand: Demand) -> bool:
    """Return whether several GPUs are asked for."""
    return demand.devices > 1


def some(
    demands: Sequence[Demand], total: float, size: Callable[[Demand], float], source: random.Random
) -> list[Demand]:
    """Return so much of demands: each as often as the others, but for the last time through."""
    found: list[Demand] = []
    left = total
    while demands:
        for demand in source.sample(demands, len(demands)):
            if left < size(demand) / 2:
                return found
            found.append(demand)
            left -= size(demand)
    return found


def with_cpu_pods(demands: Sequence[Demand], share: float, source: random.Random) -> list[Demand]:
    """Return a mix in which this share of all pods asks for no GPU."""
    others = [demand for demand in demands if demand.devices]
    count = len(others) * share / (1 - share)
    return others + some(list(filter(without_gpu, demands)), count, lambda _demand: 1.0, source)


def with_kind(
    demands: Sequence[Demand], kind: Kind, share: float, source: random.Random
) -> list[Demand]:
    """Return a mix in which this share of all that is asked of GPUs is asked by one kind of pod."""
    total = sum(demand.device_total for demand in demands)
    such = [demand for demand in demands if kind(demand)]
    others = [demand for demand in demands if demand.devices and not kind(demand)]

    def size(demand: Demand) -> float:
        return float(demand.device_total)

    found = list(filter(without_gpu, demands))
    found += some(such, total * share, size, source)
    return found + some(others, total * (1 - share), size, source)


def with_models(
    demands: Sequence[Demand], cluster: Cluster, share: float, source: random.Random
) -> list[Demand]:
    """Return a mix in which this share of all pods with a GPU names a model, or two.

    As often as there are GPUs of the model, so that all of it is asked for by somebody.
    """
    there = np.bincount(cluster.model_of, weights=cluster.devices.sum(axis=1)).tolist()
    found: list[Demand] = []
    for demand in demands:
        wanted = demand
        if demand.devices and source.random() < share:
            models = source.choices(cluster.models, there, k=source.choice((1, 1, 2)))
            able = cluster.devices.astype(bool).sum(axis=1) >= demand.devices
            usable = {cluster.models[at] for at in cluster.model_of[able].tolist()}
            if set(models) & usable:
                wanted = attrs.evolve(demand, models=frozenset(models))
        found.append(wanted)
    return found


def mixes(cluster: Cluster, demands: Sequence[Demand]) -> Iterator[tuple[str, list[Demand]]]:
    """Return each mix by the name that the published list of its kind has."""
    for share in (5, 10, 20, 25):
        source = random.Random(f"cpu {share}")
        yield f"cpu{share * 10:03}", with_cpu_pods(demands, share / 100, source)
    for share in (40, 60, 80, 100):
        source = random.Random(f"part {share}")
        yield f"gpushare{share}", with_kind(demands, of_part, share / 100, source)
    for share in (20, 30, 40, 50):
        source = random.Random(f"several {share}")
        yield f"multigpu{share}", with_kind(demands, of_several, share / 100, source)
    for share in (10, 20, 25, 33):
        source = random.Random(f"models {share}")
        yield f"gpuspec{share}", with_models(demands, cluster, share / 100, source)


def measure(seconds: float) -> Iterator[Measure]:
    """Replay each mix by FGD and by ours, with as many of ten seeds as there is time for."""
    for list_name, cluster, demands in traces():
        if list_name not in {"default", "made up"}:
            continue
        for name, mix in mixes(cluster, demands):
            end = time.monotonic() + seconds
            theirs: list[OpenbFigures] = []
            found: list[OpenbFigures] = []
            while not found or (time.monotonic() < end and len(found) < MOST_SEEDS):
                seed = (FIRST_SEED + len(found),)
                theirs += openb_replay(cluster, mix, "fgd", seed)
                found += openb_replay(cluster, mix, "fragmentation", seed)
            fgd, ours = openb_mean(theirs), openb_mean(found)
            yield Measure(
                name,
                ours.alloc_130 - fgd.alloc_130,
                "points above FGD @130",
                {
                    "margin_100": ours.alloc_100 - fgd.alloc_100,
                    "ours_100": ours.alloc_100,
                    "ours_130": ours.alloc_130,
                    "fgd_100": fgd.alloc_100,
                    "fgd_130": fgd.alloc_130,
                    "decisions_per_s": ours.decisions_per_s,
                    "seeds": float(len(found)),
                },
            )
