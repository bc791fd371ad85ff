"""What a packing policy sees: a demand, and the hosts in columns."""

from collections.abc import Sequence
from typing import Protocol

import attrs

from computekit.placement import IntArray, Rows
from computekit.scheduler.blocks import FloatArray

__all__ = ["BoundPacking", "Demand", "HostColumns", "Packing"]


@attrs.frozen(cache_hash=True)
class Demand:
    """What is asked of one host.

    Attributes:
        amounts: of each resource, in the order and the units of the columns; CPU is the first.
        devices: how many devices.
        each: how much of each device, in the unit of the columns.
        models: which models of device will do; empty for any.
        ends_s: when it is expected to leave, on the clock of the trace; None if nobody knows.
    """

    amounts: tuple[int, ...]
    devices: int = 0
    each: int = 0
    models: frozenset[str] = frozenset()
    ends_s: float | None = None

    @property
    def device_total(self) -> int:
        """How much of devices altogether."""
        return self.devices * self.each


class HostColumns:
    """Some hosts, a row each; a column is gathered when it is asked for.

    Args:
        free: what is left of each resource, an array over all hosts for each.
        capacity: what there is of each, likewise.
        devices: what is left of each device, shape (hosts, devices); 0 where there is none.
        idle: what is left of all devices of each host together.
        models: which model of device each host has, as a number that the policy was made with.
        ends_s: when the last guest of each host is expected to leave; minus infinity if empty.
        rows: which of all hosts.
    """

    __slots__ = ("_capacity", "_devices", "_ends_s", "_free", "_idle", "_models", "_rows")

    def __init__(
        self,
        free: Sequence[IntArray],
        capacity: Sequence[IntArray],
        devices: IntArray,
        idle: IntArray,
        models: IntArray,
        ends_s: FloatArray,
        rows: Rows = slice(None),
    ) -> None:
        self._free = free
        self._capacity = capacity
        self._devices = devices
        self._idle = idle
        self._models = models
        self._ends_s = ends_s
        self._rows = rows

    def __len__(self) -> int:
        return len(self._free[0][self._rows])

    def free(self, at: int) -> IntArray:
        """Return what is left of one resource."""
        return self._free[at][self._rows]

    def capacity(self, at: int) -> IntArray:
        """Return what there is of one resource."""
        return self._capacity[at][self._rows]

    @property
    def devices(self) -> IntArray:
        """What is left of each device, shape (rows, devices)."""
        return self._devices[self._rows]

    @property
    def idle(self) -> IntArray:
        """What is left of all devices of a host."""
        return self._idle[self._rows]

    @property
    def models(self) -> IntArray:
        """The number of the model."""
        return self._models[self._rows]

    @property
    def ends_s(self) -> FloatArray:
        """When the last guest is expected to leave; minus infinity if there is none."""
        return self._ends_s[self._rows]


class BoundPacking(Protocol):
    """A policy for one demand."""

    @property
    def judges_parts(self) -> bool:
        """Whether a score is minus infinity where no device has enough for a part of one."""
        ...

    def scores(self, hosts: HostColumns, /) -> FloatArray:
        """Return the score of each row, higher is better; only rows that fit count."""
        ...

    def device(self, host: HostColumns, /) -> int:
        """Return which device takes a demand for a part of one.

        Args:
            host: one row; at least one of its devices has enough.
        """
        ...


class Packing(Protocol):
    """A packing policy; a value."""

    @property
    def name(self) -> str:
        """What is preferred, for explanations."""
        ...

    def bind(self, demand: Demand, /) -> BoundPacking:
        """Return the policy for one demand; what can be worked out beforehand is."""
        ...
