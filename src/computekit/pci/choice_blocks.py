"""Wants that rules tie together, and which such blocks are alike."""

from collections.abc import Sequence

import attrs

from computekit.pci.locality import Affinity, AffinityKey
from computekit.pci.request import DeviceWant

__all__ = ["Block", "blocks_of"]


@attrs.frozen
class Block:
    """Wants that must be judged together.

    Attributes:
        wants: equal ones beside each other where the rules allow it.
        rules: what must be shared, what must not, and by the wants at which positions.
        same_as_before: of each want whether it could trade places with the one before it.
        shape: equal for blocks that could trade all their units.
    """

    wants: tuple[DeviceWant, ...]
    rules: tuple[tuple[AffinityKey | None, AffinityKey | None, tuple[int, ...]], ...]
    same_as_before: tuple[bool, ...]
    shape: tuple[object, ...]


def blocks_of(wants: Sequence[DeviceWant], rules: Sequence[Affinity]) -> tuple[Block, ...]:
    """Return the wants in blocks, those of equal shape beside each other."""
    names = {want.name: want for want in wants}
    home = {name: name for name in names}

    def root(name: str) -> str:
        while home[name] != name:
            name = home[name]
        return name

    for rule in rules:
        for name in rule.wants[1:]:
            home[root(name)] = root(rule.wants[0])
    together: dict[str, list[DeviceWant]] = {}
    for want in wants:
        together.setdefault(root(want.name), []).append(want)
    blocks = [_block(some, rules) for some in together.values()]
    first: dict[tuple[object, ...], int] = {}
    for at, block in enumerate(blocks):
        first.setdefault(block.shape, at)
    return tuple(sorted(blocks, key=lambda block: first[block.shape]))


def _block(wants: Sequence[DeviceWant], rules: Sequence[Affinity]) -> Block:
    def asked(want: DeviceWant) -> tuple[object, ...]:
        ruled = tuple(at for at, rule in enumerate(rules) if want.name in rule.wants)
        return (attrs.evolve(want, name=""), ruled)

    kinds: dict[tuple[object, ...], list[DeviceWant]] = {}
    for want in wants:
        kinds.setdefault(asked(want), []).append(want)
    ordered = tuple(want for same in kinds.values() for want in same)
    position = {want.name: at for at, want in enumerate(ordered)}
    own = tuple(
        (rule.match, rule.distinct, tuple(sorted(position[name] for name in rule.wants)))
        for rule in rules
        if rule.wants and rule.wants[0] in position
    )
    same = tuple(
        at > 0 and asked(ordered[at]) == asked(ordered[at - 1]) for at in range(len(ordered))
    )
    shape = (tuple(attrs.evolve(want, name="") for want in ordered), own)
    return Block(ordered, own, same, shape)
