"""Traces of guests that come and go: read from a file, or made up from a seed."""

import csv
import math
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.ids import ConsumerId
from computekit.scheduler.packing import Demand

__all__ = ["Guest", "made_up_trace", "read_trace", "write_trace"]

FIELDS = ("guest", "arrives_s", "leaves_s", "cpu", "memory_mib")
_HOUR_S = 3_600.0
# vCPU, GiB of memory, how often.
_SIZES = (
    (1, 2, 20),
    (1, 4, 14),
    (2, 4, 16),
    (2, 8, 18),
    (4, 8, 7),
    (4, 16, 12),
    (4, 32, 2),
    (8, 16, 3),
    (8, 32, 5),
    (16, 32, 1),
    (16, 64, 2),
)
# The usual life in hours, how far lives differ (standard deviation of the logarithm), how often.
_LIVES = ((0.3, 0.8, 55), (4.0, 1.0, 35), (40.0, 0.8, 10))
_DAY_S = 24 * _HOUR_S


@attrs.frozen
class Guest:
    """A guest of a trace.

    Attributes:
        id: unique in the trace.
        arrives_s: when it comes, seconds on the clock of the trace.
        leaves_s: when it goes; later than it comes.
        demand: what it takes: CPU, memory in MiB.
    """

    id: ConsumerId
    arrives_s: float
    leaves_s: float
    demand: Demand

    @property
    def lives_s(self) -> float:
        """How long it stays."""
        return self.leaves_s - self.arrives_s


def made_up_trace(guests: int, hours: float, source: random.Random) -> tuple[Guest, ...]:
    """Return guests that arrive over some hours, in the order of their arrival.

    Most are small and live for minutes; a few live for days and hold most of what is held. Four
    times as many come at noon as at midnight. How long a guest lives goes with its size in part,
    as in clouds that have published theirs.
    """
    arrivals: list[float] = []
    while len(arrivals) < guests:
        arrives_s = source.random() * hours * _HOUR_S
        busy = 1.0 - 0.6 * math.cos(2 * math.pi * arrives_s / _DAY_S)
        if source.random() * 1.6 < busy:
            arrivals.append(arrives_s)
    arrivals.sort()
    sizes = [(cpu, gib) for cpu, gib, _often in _SIZES]
    often = [weight for _cpu, _gib, weight in _SIZES]
    found: list[Guest] = []
    for number, arrives_s in enumerate(arrivals):
        ((cpu, gib),) = source.choices(sizes, often)
        weights = [weight * (1 + cpu / 8 * at) for at, (_h, _d, weight) in enumerate(_LIVES)]
        ((usual_h, spread, _often),) = source.choices(_LIVES, weights)
        lives_s = max(60.0, usual_h * _HOUR_S * source.lognormvariate(0.0, spread))
        demand = Demand((cpu, gib * 1_024))
        found.append(
            Guest(ConsumerId(f"guest-{number:06}"), arrives_s, arrives_s + lives_s, demand)
        )
    return tuple(found)


def write_trace(path: Path, guests: Iterable[Guest]) -> None:
    """Write guests as CSV: `guest,arrives_s,leaves_s,cpu,memory_mib`."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for guest in guests:
            cpu, memory_mib = guest.demand.amounts
            writer.writerow(
                (guest.id, f"{guest.arrives_s:.3f}", f"{guest.leaves_s:.3f}", cpu, memory_mib)
            )


def read_trace(path: Path) -> tuple[Guest, ...]:
    """Read guests as `write_trace` writes them, in the order of their arrival.

    Raises:
        InvalidInput: a column is missing, or cells are not what they should be; all are named.
        OSError: the file cannot be read.
    """
    faults: list[Fault] = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in FIELDS if name not in (reader.fieldnames or ())]
        rows = [] if missing else [{name: row[name] or "" for name in FIELDS} for row in reader]
    faults.extend(
        Fault(f"{path.name}.{name}", "missing", "there is no such column") for name in missing
    )
    found: list[Guest] = []
    for line, row in enumerate(rows, start=2):
        values = [_number(row[name], f"{path.name}:{line}.{name}", faults) for name in FIELDS[1:]]
        arrives_s, leaves_s, cpu, memory_mib = values
        if leaves_s <= arrives_s:
            text = f"leaves at {leaves_s:g}, not after it arrives at {arrives_s:g}"
            faults.append(Fault(f"{path.name}:{line}.leaves_s", "order", text))
        demand = Demand((int(cpu), int(memory_mib)))
        found.append(Guest(ConsumerId(row["guest"]), arrives_s, leaves_s, demand))
    faults.extend(
        Fault(f"{path.name}[{name}]", "duplicate", "there is another guest of this name")
        for name, count in Counter(guest.id for guest in found).items()
        if count > 1
    )
    if faults:
        raise InvalidInput(tuple(faults))
    return tuple(sorted(found, key=lambda guest: (guest.arrives_s, guest.id)))


def _number(text: str, path: str, faults: list[Fault]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e15:
        faults.append(Fault(path, "number", f"{text!r} is not a number, 0 or more"))
        return 0.0
    return value
