"""What a guest's NUMA nodes need of a host at the least, answered for all hosts at once.

Necessary only: whether the guest's nodes fit is decided by fitting them (`computekit.topology`).
"""

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import attrs
import numpy as np

from computekit.placement import BoolArray, CellFigure, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.request import Request
from computekit.topology import EmulatorThreads, GuestTopology, PageSize, misfits

__all__ = ["HasCells", "cells_unfit"]

_Need = tuple[CellFigure, int | None, int]


@attrs.frozen
class HasCells:
    """The host has NUMA nodes with as much free as the guest needs at the least.

    Attributes:
        topology: what the guest asks.
    """

    topology: GuestTopology
    rule: ClassVar[str] = "NUMA nodes"

    @property
    def asked(self) -> str:
        return ", ".join(f"{of.value} {amount}" for of, _size, amount in self._needs)

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found = np.ones(len(fleet.up[rows]), dtype=np.bool_)
        for figure, size, amount in self._needs:
            found &= fleet.cells.column(figure, size)[rows] >= amount
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return ", ".join(
            f"{of.value} {int(fleet.cells.column(of, size)[row])}"
            for of, size, _amount in self._needs
        )

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    @property
    def demand(self) -> str:
        """What is asked for."""
        return "NUMA nodes, pinned CPUs and pages of its own"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return attrs.evolve(request, topology=None)

    @cached_property
    def _needs(self) -> tuple[_Need, ...]:
        return tuple(_needs_of(self.topology))


def cells_unfit(fleet: FleetIndex, row: int, guest: GuestTopology) -> str:
    """Return why a guest's nodes do not fit on a row's, the least that is short first."""
    host = fleet.cells.of(fleet.names[row])
    found = misfits(host.nodes, guest, host.overcommit)
    if not found:
        return "no way to give each node of the guest one of the host's"
    return str(min(found, key=lambda misfit: (misfit.asked - misfit.there, misfit.host)))


def _needs_of(guest: GuestTopology) -> Iterator[_Need]:
    pinned = [len(node.pinned) for node in guest.nodes]
    pinned[0] += guest.emulator is EmulatorThreads.ISOLATE
    memory = [node.memory_mib for node in guest.nodes]
    yield CellFigure.NODES, None, len(guest.nodes)
    if any(pinned):
        yield CellFigure.FREE_CPUS, None, sum(pinned)
        yield CellFigure.MOST_FREE_CPUS, None, max(pinned)
    floating = max(len(node.floating) for node in guest.nodes)
    if floating:
        yield CellFigure.MOST_SHARED_CPUS, None, floating
    yield CellFigure.MOST_MEMORY_MIB, None, max(memory)
    if guest.page_size is not None and not isinstance(guest.page_size, PageSize):
        yield CellFigure.FREE_PAGES_MIB, guest.page_size, sum(memory)
        yield CellFigure.MOST_PAGES_MIB, guest.page_size, max(memory)
