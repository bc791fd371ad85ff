"""Nova's side of the NUMA comparison; run by the Python of an environment that has nova.

Reads one case a line as JSON, answers one line each: `whole`, what Nova's search over all nodes
says, and `pairs`, what its rules for one pair of nodes say when each order of the host's nodes is
tried with fresh objects. The two differ where the search trips over objects that it has changed.
"""

import itertools
import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import (  # type: ignore[import-not-found]  # noqa: E402  # only where it runs
    conf,
    exception,
    objects,
)
from nova.virt import hardware  # type: ignore[import-not-found]  # noqa: E402

_PAGES = {"small": -1, "large": -2, "any": -3}


def host_of(case: Mapping[str, Any]) -> "objects.NUMATopology":
    """Return the host in Nova's objects."""
    cells = [
        objects.NUMACell(
            id=node["id"],
            cpuset=set(node["shared"]),
            pcpuset=set(node["dedicated"]),
            memory=node["memory"],
            cpu_usage=node["floating"],
            memory_usage=node["memory_used"],
            pinned_cpus=set(node["pinned"]),
            siblings=[set(core) for core in node["siblings"]],
            mempages=[
                objects.NUMAPagesTopology(size_kb=size, total=total, used=used, reserved=reserved)
                for size, total, used, reserved in node["pages"]
            ],
            network_metadata=objects.NetworkMetadata(physnets=set(), tunneled=False),
            socket=0,
        )
        for node in case["hosts"]
    ]
    return objects.NUMATopology(cells=cells)


def guest_of(case: Mapping[str, Any]) -> "objects.InstanceNUMATopology":
    """Return the guest in Nova's objects."""
    page = case["page"]
    cells = []
    for number, node in enumerate(case["guest"]):
        policy = "shared"
        if node["pinned"]:
            policy = "mixed" if node["floating"] else "dedicated"
        cells.append(
            objects.InstanceNUMACell(
                id=number,
                cpuset=set(node["floating"]),
                pcpuset=set(node["pinned"]),
                memory=node["memory"],
                pagesize=None if page is None else _PAGES.get(page, page),
                cpu_policy=policy,
                cpu_thread_policy=case["threads"],
            )
        )
    return objects.InstanceNUMATopology(
        cells=cells, emulator_threads_policy="isolate" if case["emulator"] else None
    )


def answer(case: Mapping[str, Any]) -> dict[str, object]:
    """Ask Nova about one case."""
    limits = None
    if case["limits"] is not None:
        cpu, ram = case["limits"]
        limits = objects.NUMATopologyLimits(cpu_allocation_ratio=cpu, ram_allocation_ratio=ram)
    try:
        found = hardware.numa_fit_instance_to_host(host_of(case), guest_of(case), None, limits)
    except Exception as error:  # noqa: BLE001  # a crash of the peer is an answer of its own
        return {"whole": f"{type(error).__name__}: {error}", "pairs": pairs(case, limits)}
    return {"whole": found is not None, "pairs": pairs(case, limits)}


def pairs(case: Mapping[str, Any], limits: "objects.NUMATopologyLimits | None") -> bool:
    """Return whether some order of host nodes takes the guest, each pair judged afresh."""
    count = len(case["guest"])
    good = {
        (at, number)
        for at in range(len(case["hosts"]))
        for number in range(count)
        if pair(case, at, number, limits)
    }
    orders = itertools.permutations(range(len(case["hosts"])), count)
    return any(all((at, n) in good for n, at in enumerate(order)) for order in orders)


def pair(
    case: Mapping[str, Any], at: int, number: int, limits: "objects.NUMATopologyLimits | None"
) -> bool:
    """Return whether one node of the guest fits on one of the host."""
    host, guest = host_of(case).cells[at], guest_of(case).cells[number]
    emulator = int(number == 0 and case["emulator"])
    try:
        return hardware._numa_fit_instance_cell(host, guest, limits, emulator) is not None
    except exception.MemoryPageSizeNotSupported:
        return False


def main() -> None:
    """Answer until the input ends."""
    objects.register_all()
    conf.CONF([], project="nova", default_config_files=[])
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


main()
