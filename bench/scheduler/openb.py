"""How well GPU policies pack, and how fast: the protocol of the OpenB trace.

COMPUTEKIT_OPENB names a directory with the published lists (`openb_node_list_gpu_node.csv`,
`openb_pod_list_*.csv`); every pod list there is replayed. Without it a made-up cluster is packed.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.measure import Measure
from computekit.ids import HostName
from computekit.scheduler.packing import Demand
from computekit.sim import (
    Cluster,
    openb_cluster,
    openb_demands,
    openb_mean,
    openb_replay,
)

POLICIES = ("random", "dot-product", "best-fit", "fgd", "fragmentation")
FIRST_SEED = 42
MOST_SEEDS = 10


def made_up() -> tuple[Cluster, tuple[Demand, ...]]:
    """Return 300 nodes of three kinds, and pods for about all of their GPUs."""
    kinds = ((8, 96_000, 0), (2, 104_000, 1), (4, 96_000, 2))
    source = random.Random(31)
    rows = source.choices(kinds, (45, 40, 15), k=300)
    devices = np.zeros((len(rows), 8), dtype=np.int64)
    for row, (gpus, _cpu, _model) in enumerate(rows):
        devices[row, :gpus] = 1_000
    capacity = np.array([(cpu, 393_216) for _gpus, cpu, _model in rows], dtype=np.int64).T.copy()
    cluster = Cluster(
        tuple(HostName(f"node-{row:04}") for row in range(len(rows))),
        ("cpu_milli", "memory_mib"),
        capacity,
        devices,
        1_000,
        ("A", "B", "C"),
        np.array([model for _gpus, _cpu, model in rows], dtype=np.int64),
    )
    parts = tuple(
        Demand((1_000 * source.randint(2, 12), 8_192), 1, 10 * source.randint(5, 90))
        for _ in range(20)
    )
    whole = tuple(Demand((1_000 * source.randint(4, 16), 16_384), 1, 1_000) for _ in range(12))
    several = (Demand((24_000, 65_536), 2, 1_000), Demand((88_000, 262_144), 8, 1_000))
    none = (Demand((12_000, 57_344)), Demand((32_000, 49_152)))
    weights = [2.0] * len(parts) + [5.0] * len(whole) + [0.4] * len(several) + [6.0] * len(none)
    demands: list[Demand] = []
    while sum(demand.device_total for demand in demands) < cluster.device_total:
        demands += source.choices((*parts, *whole, *several, *none), weights, k=10)
    return cluster, tuple(demands)


def traces() -> Iterator[tuple[str, Cluster, tuple[Demand, ...]]]:
    """Return each list by its name, or what is made up."""
    folder = os.environ.get("COMPUTEKIT_OPENB")
    if folder is None:
        yield ("made up", *made_up())
        return
    cluster = openb_cluster(Path(folder) / "openb_node_list_gpu_node.csv")
    for path in sorted(Path(folder).glob("openb_pod_list_*.csv")):
        yield path.stem.removeprefix("openb_pod_list_"), cluster, openb_demands(path)


def measure(seconds: float) -> Iterator[Measure]:
    """Replay each list by each policy, with as many of ten seeds as there is time for."""
    for name, cluster, demands in traces():
        for policy in POLICIES:
            end = time.monotonic() + seconds
            figures = list(openb_replay(cluster, demands, policy, (FIRST_SEED,)))
            while time.monotonic() < end and len(figures) < MOST_SEEDS:
                figures += openb_replay(cluster, demands, policy, (FIRST_SEED + len(figures),))
            mean = openb_mean(figures)
            yield Measure(
                f"{name}, {policy}",
                mean.alloc_130,
                "% placed @130",
                {
                    "alloc_100": mean.alloc_100,
                    "frag_100": mean.frag_100,
                    "frag_130": mean.frag_130,
                    "failed": mean.failed,
                    "decisions_per_s": mean.decisions_per_s,
                    "seeds": float(len(figures)),
                },
            )
