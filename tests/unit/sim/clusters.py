"""Small clusters and pod lists that the tests of this room share."""

import random
from pathlib import Path

import numpy as np

from computekit.ids import HostName
from computekit.scheduler.packing import Demand
from computekit.sim import Cluster

MODELS = ("G2", "T4")


def cluster(hosts: int = 12, *, gpus: int = 4) -> Cluster:
    """Return hosts of two kinds: many GPUs with little CPU, and half as many with much."""
    devices = np.zeros((hosts, gpus), dtype=np.int64)
    capacity = np.zeros((2, hosts), dtype=np.int64)
    models = np.arange(hosts) % 2
    for row in range(hosts):
        count = gpus if models[row] == 0 else max(1, gpus // 2)
        devices[row, :count] = 1_000
        capacity[:, row] = (12 * gpus, 262_144) if models[row] == 0 else (16 * gpus, 393_216)
    names = tuple(HostName(f"host{row:03}") for row in range(hosts))
    return Cluster(names, ("VCPU", "MEMORY_MB"), capacity, devices, 1_000, MODELS, models)


def demands(count: int, source: random.Random) -> tuple[Demand, ...]:
    """Return a mix like that of a GPU cluster: parts, whole ones, several, and none."""
    kinds = (
        Demand((3, 5_600), 1, 810),
        Demand((11, 16_384), 1, 1_000),
        Demand((8, 16_384), 1, 470),
        Demand((4, 12_288), 1, 320),
        Demand((4, 12_288), 1, 190),
        Demand((11, 16_384), 1, 1_000, frozenset({"T4"})),
        Demand((20, 30_000), 2, 1_000),
        Demand((12, 20_000)),
    )
    weights = (20, 35, 15, 8, 3, 5, 4, 10)
    return tuple(source.choices(kinds, weights, k=count))


def write_lists(folder: Path, *, hosts: int = 40, pods: int = 160) -> tuple[Path, Path]:
    """Write a node list and a pod list in the format of the OpenB trace."""
    nodes, pod_list = folder / "nodes.csv", folder / "pods.csv"
    made = cluster(hosts)
    lines = ["sn,cpu_milli,memory_mib,gpu,model"]
    for row, name in enumerate(made.names):
        cpu, memory = made.capacity[:, row].tolist()
        gpus = int((made.devices[row] > 0).sum())
        lines.append(f"{name},{cpu * 1_000},{memory},{gpus},{MODELS[row % 2]}")
    nodes.write_text("\n".join(lines) + "\n", encoding="utf-8")
    head = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time"
    lines = [head]
    for number, demand in enumerate(demands(pods, random.Random(5))):
        cpu, memory = demand.amounts
        spec = "|".join(sorted(demand.models))
        lines.append(
            f"pod-{number:04},{cpu * 1_000},{memory},{demand.devices},{demand.each},{spec},LS,"
            f"{number * 60},{number * 60 + 3_600}"
        )
    pod_list.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return nodes, pod_list
