"""How a provider tree looks."""

from collections.abc import Iterable, Sequence

from computekit.display import Tree
from computekit.ids import ProviderId
from computekit.placement.ports import ProviderUse

__all__ = ["tree_view"]


def tree_view(uses: Sequence[ProviderUse]) -> Tree:
    """Return a provider tree, the root first in `uses`, with what is used of each provider."""
    children: dict[ProviderId | None, list[ProviderUse]] = {}
    for use in uses:
        children.setdefault(use.provider.parent, []).append(use)

    def below(use: ProviderUse) -> Tree:
        found = children.get(use.provider.id, ())
        return Tree(use.provider.name, tuple(_notes(use)), tuple(below(child) for child in found))

    return below(uses[0])


def _notes(use: ProviderUse) -> Iterable[str]:
    provider = use.provider
    for name, inventory in sorted(provider.inventories.items()):
        text = f"{name}: {use.used.get(name, 0)} of {inventory.capacity} used"
        if inventory.reserved:
            text += f", {inventory.reserved} reserved"
        if inventory.allocation_ratio != 1:
            text += f", {inventory.total} x {inventory.allocation_ratio:g}"
        yield text
    if provider.traits:
        yield "traits: " + ", ".join(sorted(provider.traits))
    if provider.aggregates:
        yield "aggregates: " + ", ".join(sorted(provider.aggregates))
