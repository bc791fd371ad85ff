"""The node and pod lists of the OpenB GPU trace, read as they are published.

Format: clusterdata/cluster-trace-gpu-v2023. Of a pod only what it asks for is read; what it did
later does not matter to where it may go.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from computekit.errors import Fault, InvalidInput
from computekit.ids import HostName
from computekit.scheduler.packing import Demand
from computekit.sim.cluster import Cluster

__all__ = ["openb_cluster", "openb_demands"]

WHOLE = 1_000
RESOURCES = ("cpu_milli", "memory_mib")

_NODE_FIELDS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_POD_FIELDS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec")


def openb_cluster(path: Path) -> Cluster:
    """Read a node list: `sn,cpu_milli,memory_mib,gpu,model`.

    Raises:
        InvalidInput: a column is missing, or cells are not what they should be; all are named.
        OSError: the file cannot be read.
    """
    faults: list[Fault] = []
    rows = sorted(_rows(path, _NODE_FIELDS, faults), key=lambda row: row["sn"])
    numbers = [_numbers(path, row, ("cpu_milli", "memory_mib", "gpu"), faults) for row in rows]
    names = [row["sn"] for row in rows]
    faults.extend(
        Fault(f"{path.name}[{name}]", "duplicate", "there is another node of this name")
        for name, count in Counter(names).items()
        if count > 1
    )
    if not rows and not faults:
        faults.append(Fault(path.name, "empty", "there are no nodes"))
    _raise(faults)
    models = tuple(sorted({row["model"] for row in rows}))
    width = max(1, *(gpus for _cpu, _memory, gpus in numbers))
    devices = np.zeros((len(rows), width), dtype=np.int64)
    for at, (_cpu, _memory, gpus) in enumerate(numbers):
        devices[at, :gpus] = WHOLE
    return Cluster(
        tuple(HostName(name) for name in names),
        RESOURCES,
        np.array([(cpu, memory) for cpu, memory, _gpus in numbers], dtype=np.int64).T.copy(),
        devices,
        WHOLE,
        models,
        np.array([models.index(row["model"]) for row in rows], dtype=np.int64),
    )


def openb_demands(path: Path) -> tuple[Demand, ...]:
    """Read a pod list: `name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec`, sorted by name.

    Raises:
        InvalidInput: a column is missing, or cells are not what they should be; all are named.
        OSError: the file cannot be read.
    """
    faults: list[Fault] = []
    rows = sorted(_rows(path, _POD_FIELDS, faults), key=lambda row: row["name"])
    demands: list[Demand] = []
    known: dict[Demand, Demand] = {}
    for row in rows:
        cpu, memory, gpus, milli = _numbers(path, row, _POD_FIELDS[1:5], faults)
        if gpus and not 1 <= milli <= WHOLE:
            where = f"{path.name}[{row['name']}].gpu_milli"
            faults.append(Fault(where, "range", f"{milli} is not within 1 to {WHOLE}"))
        if gpus > 1 and milli != WHOLE:
            where = f"{path.name}[{row['name']}].gpu_milli"
            faults.append(Fault(where, "order", f"{milli} of each of several GPUs; {WHOLE} it is"))
        models = frozenset(filter(None, row["gpu_spec"].split("|")))
        demand = Demand((cpu, memory), gpus, milli if gpus else 0, models)
        demands.append(known.setdefault(demand, demand))
    if not rows and not faults:
        faults.append(Fault(path.name, "empty", "there are no pods"))
    _raise(faults)
    return tuple(demands)


def _rows(path: Path, fields: Sequence[str], faults: list[Fault]) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in fields if name not in (reader.fieldnames or ())]
        faults.extend(
            Fault(f"{path.name}.{name}", "missing", "there is no such column") for name in missing
        )
        return [] if missing else [{name: row[name] or "" for name in fields} for row in reader]


def _numbers(
    path: Path, row: Mapping[str, str], fields: Iterable[str], faults: list[Fault]
) -> tuple[int, ...]:
    found: list[int] = []
    for name in fields:
        text = row[name].strip()
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            where = f"{path.name}[{row.get('name') or row.get('sn')}].{name}"
            faults.append(Fault(where, "number", f"{text!r} is not a whole number, 0 or more"))
            found.append(0)
        else:
            found.append(int(text))
    return tuple(found)


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise InvalidInput(tuple(faults))
