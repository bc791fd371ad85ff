"""Whether a request fits on one provider tree, and how: exact, lazy, without symmetric repeats.

Semantics: Placement API, allocation candidates (microversion 1.39), without sharing providers.
"""

from collections.abc import Iterator, Sequence
from operator import attrgetter

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    FrozenMap,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement.ports import ProviderUse

__all__ = ["Fit", "check_request", "fits", "no_fit"]


@attrs.frozen
class Fit:
    """One way to put a request on a tree.

    Attributes:
        allocation: amounts by provider, ready to be claimed.
        mappings: which providers serve each group, by suffix.
    """

    allocation: FrozenMap[ProviderId, Resources]
    mappings: FrozenMap[str, tuple[ProviderId, ...]]


def check_request(request: PlacementRequest) -> None:
    """Raise `InvalidInput` with everything that no tree could ever be judged by."""
    faults: list[Fault] = []
    suffixes = [group.suffix for group in request.groups]
    subtrees: frozenset[str] = frozenset().union(*request.same_subtree)
    faults.extend(
        Fault("groups", "duplicate", f"several groups have the suffix {suffix!r}")
        for suffix in sorted({s for s in suffixes if suffixes.count(s) > 1})
    )
    if not any(group.resources for group in request.groups):
        faults.append(Fault("groups", "missing", "at least one group must ask for resources"))
    for group in request.groups:
        path = f"groups[{group.suffix}]"
        if not group.resources and group.suffix not in subtrees:
            text = "a group without resources must be named in a same_subtree"
            faults.append(Fault(path, "missing", text))
        for resource_class, amount in group.resources.items():
            if amount < 1:
                at = f"{path}.resources[{resource_class}]"
                faults.append(Fault(at, "too_small", f"{amount} asked for; at least 1 is needed"))
    if sum(1 for suffix in suffixes if suffix) > 1 and request.group_policy is None:
        faults.append(
            Fault("group_policy", "missing", "two or more suffixed groups need none or isolate")
        )
    for suffix in sorted(subtrees - set(suffixes) | subtrees & {""}):
        text = f"there is no group with the suffix {suffix!r}" if suffix else "needs a suffix"
        faults.append(Fault("same_subtree", "unknown_group", text))
    if faults:
        raise InvalidInput(tuple(faults))


def fits(tree: Sequence[ProviderUse], request: PlacementRequest) -> Iterator[Fit]:
    """Return the ways to put `request` on `tree` (root first), one by one.

    Ways that differ only by which of several alike providers serve which of several alike groups
    are given once. Their order is the same for the same input.
    """
    root = tree[0].provider
    if not request.root_required <= root.traits or request.root_forbidden & root.traits:
        return iter(())
    return _Search(tree, request).run()


def no_fit(tree: Sequence[ProviderUse], request: PlacementRequest) -> str:
    """Return why `fits` finds nothing: the groups that no provider can serve even alone."""
    root = tree[0].provider
    if missing := request.root_required - root.traits:
        return "the root lacks " + ", ".join(sorted(missing))
    if present := request.root_forbidden & root.traits:
        return "the root has " + ", ".join(sorted(present))
    search = _Search(tree, request)
    alone = [text for need in search.needs if (text := search.unmet(need))]
    if alone:
        return "; ".join(alone)
    return "each group fits on some provider, but not all together"


@attrs.frozen(eq=False)
class _Need:
    """Amounts that one provider must give: a suffixed group, or one class of the unsuffixed."""

    group: RequestGroup
    amounts: tuple[tuple[ResourceClass, int], ...]
    subtrees: tuple[int, ...]

    @property
    def alike(self) -> tuple[object, ...]:
        """Equal for needs that may change places."""
        group = self.group
        kind = (group.required, group.forbidden, group.member_of, group.not_member_of)
        return (bool(group.suffix), self.amounts, kind, group.in_tree, self.subtrees)


class _Node:
    """A provider in the order of the search."""

    __slots__ = ("free", "id", "likeness", "parents", "use")

    def __init__(self, use: ProviderUse, parents: tuple[int, ...], likeness: int) -> None:
        self.use = use
        self.id = use.provider.id
        self.parents = parents  # the node itself last
        self.likeness = likeness
        self.free = {
            name: inventory.capacity - use.used.get(name, 0)
            for name, inventory in use.provider.inventories.items()
        }


class _Search:
    def __init__(self, tree: Sequence[ProviderUse], request: PlacementRequest) -> None:
        self._request = request
        self._nodes = _ordered(tree, request)
        self._ids = {node.id for node in self._nodes}
        self._isolate = request.group_policy == "isolate"
        self.needs = tuple(self._all_needs())
        self._options = [
            [at for at, node in enumerate(self._nodes) if self._may(node, need)]
            for need in self.needs
        ]
        # Needs that may change places are filled in ascending order of providers only.
        self._twin: list[int | None] = []
        for position, need in enumerate(self.needs):
            same = [p for p in range(position) if self.needs[p].alike == need.alike]
            self._twin.append(same[-1] if same and need.group.suffix else None)
        self._chosen: list[int] = [-1] * len(self.needs)
        self._taken: list[dict[ResourceClass, int]] = [{} for _ in self._nodes]
        self._touched: list[int] = [0] * len(self._nodes)

    def _all_needs(self) -> Iterator[_Need]:
        for group in sorted(self._request.groups, key=attrgetter("suffix")):
            subtrees = tuple(
                at for at, named in enumerate(self._request.same_subtree) if group.suffix in named
            )
            amounts = sorted(group.resources.items())
            if group.suffix:
                yield _Need(group, tuple(amounts), subtrees)
            else:
                yield from (_Need(group, (amount,), ()) for amount in amounts)

    def _may(self, node: _Node, need: _Need) -> bool:
        """Return whether `node` could serve `need` if nothing else were asked of the tree."""
        return not self._obstacle(node, need)

    def _obstacle(self, node: _Node, need: _Need) -> str:
        group, provider = need.group, node.use.provider
        for name, amount in need.amounts:
            inventory = provider.inventories.get(name)
            if inventory is None:
                return "lacks inventory"
            if inventory.broken_rule(amount) or amount > node.free[name]:
                return "has too little"
        if group.suffix and any(not any_of & provider.traits for any_of in group.required):
            return "lacks a trait"
        if group.forbidden & provider.traits:
            return "has a forbidden trait"
        member = provider.aggregates
        if not group.suffix:
            member |= self._nodes[0].use.provider.aggregates
        if group.not_member_of & member or any(not any_of & member for any_of in group.member_of):
            return "is in the wrong aggregates"
        if group.in_tree is not None and group.in_tree not in self._ids:
            return "is in another tree"
        return ""

    def unmet(self, need: _Need) -> str:
        """Return why no provider serves `need` even alone, or "" if one does."""
        found = [self._obstacle(node, need) for node in self._nodes]
        if not all(found):
            return ""
        asked = ", ".join(f"{amount} {name}" for name, amount in need.amounts) or "its traits"
        where = f"group {need.group.suffix}" if need.group.suffix else "the unsuffixed group"
        # The providers that came furthest say most.
        order = ("is in another tree", "lacks inventory", "has too little", "lacks a trait")
        best = max(found, key=lambda text: order.index(text) if text in order else len(order))
        return f"{where}: no provider can give {asked} (the nearest {best})"

    def run(self) -> Iterator[Fit]:
        if all(self._options):
            yield from self._fill(len(self.needs))

    def _fill(self, left: int) -> Iterator[Fit]:
        if not left:
            if self._traits_met():
                yield self._fit()
            return
        found = self._tightest()
        if found is None:
            return
        position, options = found
        seen: set[tuple[int, ...]] = set()
        for at in options:
            key = self._key(at)
            if key in seen:
                continue
            seen.add(key)
            self._put(position, at, 1)
            if self._subtrees_hold(position):
                yield from self._fill(left - 1)
            self._put(position, at, -1)

    def _tightest(self) -> tuple[int, list[int]] | None:
        """Return the open need with the fewest providers left, or None if one has none."""
        best: tuple[int, list[int]] | None = None
        open_options: dict[int, list[int]] = {}
        for position, options in enumerate(self._options):
            twin = self._twin[position]
            if self._chosen[position] >= 0:
                continue
            lowest = 0 if twin is None else self._chosen[twin]
            now = [at for at in options if at >= lowest and self._room(at, self.needs[position])]
            if not now:
                return None
            open_options[position] = now
            waits = twin is not None and self._chosen[twin] < 0
            if not waits and (best is None or len(now) < len(best[1])):
                best = position, now
        return best if self._enough(open_options) else None

    def _enough(self, options: dict[int, list[int]]) -> bool:
        """Return whether the open needs could all be served as far as counting them can tell.

        Without this, more needs than providers would be refused only after trying every order.
        """
        classes = {name for position in options for name, _amount in self.needs[position].amounts}
        for name in classes:
            asked = {
                position: amount
                for position in options
                for of, amount in self.needs[position].amounts
                if of == name
            }
            if len(asked) > 1:
                least = min(asked.values())
                slots = {
                    at: (self._nodes[at].free[name] - self._taken[at].get(name, 0)) // least
                    for position in asked
                    for at in options[position]
                }
                if not _matched({position: options[position] for position in asked}, slots):
                    return False
        suffixed = {p: found for p, found in options.items() if self.needs[p].group.suffix}
        if not self._isolate or len(suffixed) < 2:
            return True
        return _matched(suffixed, {at: 1 for found in suffixed.values() for at in found})

    def _room(self, at: int, need: _Need) -> bool:
        if self._isolate and need.group.suffix and self._holds_suffixed(at):
            return False
        node, taken = self._nodes[at], self._taken[at]
        if not taken:
            return True
        for name, amount in need.amounts:
            before = taken.get(name, 0)
            if before and (
                before + amount > node.free[name]
                or before + amount > node.use.provider.inventories[name].max_unit
            ):
                return False
        return True

    def _holds_suffixed(self, at: int) -> bool:
        return any(
            chosen == at and need.group.suffix
            for chosen, need in zip(self._chosen, self.needs, strict=True)
        )

    def _put(self, position: int, at: int, sign: int) -> None:
        self._chosen[position] = at if sign > 0 else -1
        taken = self._taken[at]
        for name, amount in self.needs[position].amounts:
            taken[name] = taken.get(name, 0) + sign * amount
        for parent in self._nodes[at].parents:
            self._touched[parent] += sign

    def _key(self, at: int) -> tuple[int, ...]:
        """Return what is equal for providers that the rest of the search cannot tell apart."""
        touched = self._touched
        return tuple(
            parent if touched[parent] else -1 - self._nodes[parent].likeness
            for parent in self._nodes[at].parents
        )

    def _subtrees_hold(self, position: int) -> bool:
        for number in self.needs[position].subtrees:
            chosen = [
                at
                for at, need in zip(self._chosen, self.needs, strict=True)
                if number in need.subtrees
            ]
            if -1 in chosen:
                continue
            common = set.intersection(*(set(self._nodes[at].parents) for at in chosen))
            if not common & set(chosen):
                return False
        return True

    def _traits_met(self) -> bool:
        for group in self._request.groups:
            if group.suffix or not group.required:
                continue
            having: frozenset[Trait] = frozenset().union(
                *(
                    self._nodes[at].use.provider.traits
                    for at, need in zip(self._chosen, self.needs, strict=True)
                    if not need.group.suffix
                )
            )
            if any(not any_of & having for any_of in group.required):
                return False
        return True

    def _fit(self) -> Fit:
        amounts: dict[ProviderId, dict[ResourceClass, int]] = {}
        mappings: dict[str, dict[ProviderId, None]] = {}
        for at, need in zip(self._chosen, self.needs, strict=True):
            provider = self._nodes[at].id
            mappings.setdefault(need.group.suffix, {})[provider] = None
            for name, amount in need.amounts:
                of = amounts.setdefault(provider, {})
                of[name] = of.get(name, 0) + amount
        return Fit(
            FrozenMap({provider: FrozenMap(of) for provider, of in amounts.items()}),
            FrozenMap({suffix: tuple(found) for suffix, found in mappings.items()}),
        )


def _matched(options: dict[int, list[int]], slots: dict[int, int]) -> bool:
    """Return whether every key of `options` can have a slot of one of its values at once."""
    held: dict[int, list[int]] = {at: [] for at in slots}

    def seat(key: int, seen: set[int]) -> bool:
        for at in options[key]:
            if at in seen:
                continue
            seen.add(at)
            if len(held[at]) < slots[at]:
                held[at].append(key)
                return True
            for other in held[at]:
                if seat(other, seen):
                    held[at].remove(other)
                    held[at].append(key)
                    return True
        return False

    return all(seat(key, set()) for key in options)


def _ordered(tree: Sequence[ProviderUse], request: PlacementRequest) -> list[_Node]:
    """Return the providers depth first, alike siblings in a row, each with its likeness.

    Two providers have the same likeness if the request cannot tell their whole subtrees apart.
    """
    groups = request.groups
    classes = sorted({name for group in groups for name in group.resources})
    traits = frozenset[Trait]().union(*(group.forbidden.union(*group.required) for group in groups))
    aggregates = frozenset[AggregateId]().union(
        *(group.not_member_of.union(*group.member_of) for group in groups)
    )

    def own(use: ProviderUse) -> tuple[object, ...]:
        provider = use.provider
        amounts: list[object] = []
        for name in classes:
            of = provider.inventories.get(name)
            if of is not None:
                free = of.capacity - use.used.get(name, 0)
                amounts.append((name, free, of.min_unit, of.max_unit, of.step_size))
        return (tuple(amounts), provider.traits & traits, provider.aggregates & aggregates)

    children: dict[ProviderId | None, list[ProviderUse]] = {}
    for use in tree:
        children.setdefault(use.provider.parent, []).append(use)
    numbers: dict[object, int] = {}
    likeness: dict[ProviderId, int] = {}
    for use in reversed(tree):
        provider = use.provider
        below = sorted(likeness[child.provider.id] for child in children.get(provider.id, ()))
        what = (own(use), tuple(below))
        likeness[provider.id] = numbers.setdefault(what, len(numbers))
    nodes: list[_Node] = []

    def visit(use: ProviderUse, parents: tuple[int, ...]) -> None:
        path = (*parents, len(nodes))
        nodes.append(_Node(use, path, likeness[use.provider.id]))
        below = children.get(use.provider.id, ())
        for child in sorted(below, key=lambda c: (likeness[c.provider.id], c.provider.name)):
            visit(child, path)

    visit(tree[0], ())
    return nodes
