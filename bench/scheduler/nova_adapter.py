"""Our side of a comparison with genuine Nova, decision by decision in one process.

`make` takes hosts as plain dictionaries: `host`, `vcpus`, `memory_mb`, `local_gb`, each with what
is used of it, `num_instances`, `io_workload`, `failed_builds`, `hypervisor_version`, `disabled`.
A request has `vcpus`, `memory_mb` and `root_gb`. CPUs are over-committed by four, as on the other
side. The decision is the public one; its policy weighs as Nova does.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TypeAlias

from computekit.ids import HostName, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    RequestGroup,
)
from computekit.placement import FleetIndex
from computekit.scheduler import Placed, Policy, Request, Scheduler, nova_weighing

__all__ = ["Nova", "make"]

_CPU_RATIO = 4
_Row: TypeAlias = Mapping[str, int | str | bool]


class Nova:
    """A fleet and a scheduler with Nova's weighing.

    Args:
        hosts: by name.
    """

    def __init__(self, hosts: Sequence[_Row]) -> None:
        hosts = sorted(hosts, key=lambda row: str(row["host"]))
        names = [HostName(str(row["host"])) for row in hosts]
        of = {key: [int(row[key]) for row in hosts] for key in hosts[0] if key not in _WORDS}
        self._index = FleetIndex.from_columns(
            names,
            {
                VCPU: ([n * _CPU_RATIO for n in of["vcpus"]], Inventory(2**20)),
                MEMORY_MB: (of["memory_mb"], Inventory(2**30)),
                DISK_GB: (of["local_gb"], Inventory(2**20)),
            },
            used={
                VCPU: of["vcpus_used"],
                MEMORY_MB: of["memory_mb_used"],
                DISK_GB: of["local_gb_used"],
            },
            figures={
                "instances": of["num_instances"],
                "io_ops": of["io_workload"],
                "failed_builds": of["failed_builds"],
                "hypervisor_version": of["hypervisor_version"],
            },
        )
        for name, row in zip(names, hosts, strict=True):
            if row["disabled"]:
                self._index.set_status(name, disabled="", up=True)
        self._scheduler = Scheduler(self._index, Policy(nova_weighing()))

    def decide(self, request: _Row) -> set[str]:
        """Return the best host; of equals the first by name, which is Nova's first too."""
        decision = self._scheduler.place(_request(request))
        return {decision.host} if isinstance(decision, Placed) else set()

    def commit(self, host: str, request: _Row) -> None:
        """Count what a request takes of a host, and bring what is kept of every flavor up to it."""
        amounts = _request(request).placement.groups[0].resources
        self._index.apply_claim({ProviderId(host): amounts}, {"instances": 1, "io_ops": 1})
        self._scheduler.catch_up()


_WORDS = frozenset({"host", "uuid", "disabled"})


def _request(row: _Row) -> Request:
    return _sized(int(row["vcpus"]), int(row["memory_mb"]), int(row["root_gb"]))


@cache
def _sized(vcpus: int, memory_mib: int, disk_gib: int) -> Request:
    """Return what a flavor asks for; it is the same each time."""
    amounts = FrozenMap({VCPU: vcpus, MEMORY_MB: memory_mib, DISK_GB: disk_gib})
    return Request(PlacementRequest((RequestGroup(resources=amounts),)))


def make(hosts: Sequence[_Row]) -> Nova:
    """Return our side for these hosts."""
    return Nova(hosts)
