"""What a weigher counts for on the hosts of an aggregate: its multiplier there (Nova, weighers).

The metadata of aggregates may have a weigher's option. Of several values the least holds; if one
of them is no number, what is configured does.
"""

import math
from typing import Protocol, runtime_checkable

from computekit.placement import FleetIndex, Rows, Values
from computekit.scheduler.blocks import FloatArray

__all__ = ["HasOption", "multiplier_of", "multipliers"]


@runtime_checkable
class HasOption(Protocol):
    """A weigher whose multiplier aggregates may set."""

    @property
    def option(self) -> str:
        """The key of their metadata; "" if they may not."""
        ...


def multiplier_of(values: Values, configured: float) -> tuple[float, str]:
    """Return what holds where aggregates say this, and a note if it cannot be read."""
    found: list[float] = []
    for value in sorted(values):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            return configured, f"{value[:40]!r} is no number"
        found.append(number)
    return min(found, default=configured), ""


def multipliers(
    fleet: FleetIndex, rows: Rows, option: str, configured: float, sign: float = 1.0
) -> FloatArray | None:
    """Return what a weigher counts for on each row; None if no aggregate says anything.

    Args:
        fleet: the hosts.
        rows: which of them.
        option: the key of the metadata.
        configured: what holds where nothing is said, or nothing that can be read.
        sign: -1.0 for a weigher of whose option the negative counts.
    """
    if not option or option not in fleet.aggregates.keys:
        return None
    return fleet.metadata(option).numbers(
        (option, configured, sign),
        lambda values: sign * multiplier_of(values, sign * configured)[0],
        rows,
    )
