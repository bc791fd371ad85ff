"""What a packing policy sees: a demand, and the hosts in columns."""

from typing import Protocol

import attrs

from computekit.placement import IntArray
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


@attrs.frozen(eq=False)
class HostColumns:
    """Some hosts, a row each.

    Attributes:
        free: what is left of each resource, shape (resources, rows).
        capacity: what there is of each, same shape.
        devices: what is left of each device, shape (rows, devices); 0 where there is none.
        idle: what is left of all devices of each host together.
        models: which model of device each host has, as a number that the policy was made with.
        ends_s: when the last guest of each host is expected to leave; minus infinity if empty.
    """

    free: IntArray
    capacity: IntArray
    devices: IntArray
    idle: IntArray
    models: IntArray
    ends_s: FloatArray

    def __len__(self) -> int:
        return int(self.free.shape[1])


class BoundPacking(Protocol):
    """A policy for one demand."""

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
