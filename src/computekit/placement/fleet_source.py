"""Where an index that follows something reads."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from computekit.placement.index import FleetIndex

__all__ = ["FleetSource"]


class FleetSource(Protocol):
    """Where an index that follows something reads what has changed."""

    def bring(self, index: "FleetIndex") -> None:
        """Write into `index` what has changed since the last call; everything the first time."""
        ...
