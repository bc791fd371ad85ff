"""What has to be written to make a stored provider tree equal to a wanted one."""

from collections.abc import Iterable

import attrs

from computekit.ids import ProviderId
from computekit.model import Provider, ProviderTree, ResourceClass

__all__ = ["TreePlan", "depths", "plan_tree"]


@attrs.frozen
class TreePlan:
    """The difference between a stored tree and a wanted one.

    Attributes:
        tree: the wanted tree, by depth and name, with the generations that it will have.
        created: providers that are new, parents first.
        changed: providers that differ, as (before, after), parents first.
        removed: providers that go, children first.
        lost: inventories that go; none of them may be in use.
    """

    tree: ProviderTree
    created: tuple[Provider, ...]
    changed: tuple[tuple[Provider, Provider], ...]
    removed: tuple[Provider, ...]
    lost: tuple[tuple[ProviderId, ResourceClass], ...]

    @property
    def written(self) -> tuple[ProviderId, ...]:
        """The providers whose rows are written or removed."""
        return (
            *(provider.id for provider in self.created),
            *(provider.id for provider, _ in self.changed),
            *(provider.id for provider in self.removed),
        )


def depths(providers: Iterable[Provider]) -> dict[ProviderId, int]:
    """Return how many ancestors each provider has; parents come before their children."""
    found: dict[ProviderId, int] = {}
    for provider in providers:
        found[provider.id] = 0 if provider.parent is None else found[provider.parent] + 1
    return found


def plan_tree(stored: tuple[Provider, ...], wanted: ProviderTree) -> TreePlan:
    """Compare a tree as stored, parents first (empty if there is none), with the wanted one.

    A new provider has generation 0. One whose inventories, traits or aggregates differ goes up by
    one; a new name or parent alone does not raise it (Placement API).
    """
    depth = depths(wanted)
    ordered = sorted(wanted, key=lambda p: (depth[p.id], p.name))
    before = {provider.id: provider for provider in stored}
    after = {p.id: _with_generation(before.get(p.id), p) for p in ordered}
    removed = tuple(p for p in reversed(stored) if p.id not in after)
    changed = tuple(
        (before[p.id], p) for p in after.values() if p.id in before and before[p.id] != p
    )
    return TreePlan(
        tree=ProviderTree(tuple(after.values())),
        created=tuple(p for p in after.values() if p.id not in before),
        changed=changed,
        removed=removed,
        lost=(
            *((p.id, name) for p in removed for name in sorted(p.inventories)),
            *(
                (p.id, n)
                for p, q in changed
                for n in sorted(p.inventories.keys() - q.inventories.keys())
            ),
        ),
    )


def _with_generation(old: Provider | None, new: Provider) -> Provider:
    if old is None:
        return attrs.evolve(new, generation=0)
    same = (
        old.inventories == new.inventories
        and old.traits == new.traits
        and old.aggregates == new.aggregates
    )
    return attrs.evolve(new, generation=old.generation if same else old.generation + 1)
