"""The books of compute resources: providers, inventories, who holds what; and claims on them."""

from computekit.placement.memory import MemoryPlacement
from computekit.placement.ports import (
    PROVIDER_CHANGED,
    CounterClaim,
    PlacementReader,
    PlacementWriter,
    ProviderUse,
)

__all__ = [
    "PROVIDER_CHANGED",
    "CounterClaim",
    "MemoryPlacement",
    "PlacementReader",
    "PlacementWriter",
    "ProviderUse",
]
