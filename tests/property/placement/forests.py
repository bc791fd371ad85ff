"""Random small forests of providers, requests on them, and a reference that tries everything."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, TypeVar

import attrs
from hypothesis import strategies as st

from computekit.ids import AggregateId, ProviderId
from computekit.model import (
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import Candidate, ProviderUse
from tests.property.dice import DICE, Dice, subsets

T = TypeVar("T")

CLASSES = (ResourceClass("VCPU"), ResourceClass("DISK_GB"), ResourceClass("CUSTOM_X"))
SHARES = Trait("MISC_SHARES_VIA_AGGREGATE")
TRAITS = tuple(Trait(f"CUSTOM_T{n}") for n in range(3))
AGGREGATES = tuple(AggregateId(f"agg{n}") for n in range(3))

Forest = tuple[ProviderUse, ...]
Chosen = Sequence[tuple[tuple[RequestGroup, tuple[tuple[ResourceClass, int], ...]], ProviderUse]]


SETS_OF_CLASSES = (*subsets(CLASSES, 0, 3), *(8 * subsets(CLASSES, 3, 3)))  # so that some fit
SETS_OF_TRAITS = subsets(TRAITS, 0, 2)
ANY_OF_TRAITS = subsets(TRAITS, 1, 2)
ANY_OF_AGGREGATES = subsets(AGGREGATES, 1, 2)


def inventory(dice: Dice) -> tuple[Inventory, int]:
    """Return an inventory, and what is used of it."""
    found = Inventory(
        total=dice.pick(range(1, 9)),
        reserved=dice.pick((0, 0, 1)),
        min_unit=dice.pick((1, 1, 1, 2)),
        max_unit=dice.pick((9, 9, 3, 2)),
        step_size=dice.pick((1, 1, 1, 2)),
        allocation_ratio=dice.pick((1.0, 1.0, 1.5, 0.5)),
    )
    return found, dice.pick((0, 0, 0, 1, found.capacity))


INVENTORIES = DICE.map(inventory)


def draw_use(draw: st.DrawFn, dice: Dice, at: int, parent: ProviderUse | None) -> ProviderUse:
    shares = dice.once_in(4)
    held = {name: draw(INVENTORIES) for name in sorted(dice.pick(SETS_OF_CLASSES))}
    traits = dice.pick(SETS_OF_TRAITS)
    most = 2 if shares or parent is None else 1
    provider = Provider(
        ProviderId(f"p{at}"),
        f"name{dice.pick(range(10))}-{at}",
        None if parent is None else parent.provider.id,
        FrozenMap({name: found for name, (found, _used) in held.items()}),
        traits | {SHARES} if shares else traits,
        dice.pick(subsets(AGGREGATES, int(shares), most)),
    )
    root = provider.id if parent is None else parent.root
    used = FrozenMap({name: used for name, (_inventory, used) in held.items() if used})
    return ProviderUse(provider, root, used)


@st.composite
def forests(draw: st.DrawFn, *, most: int = 6) -> Forest:
    """Draw trees, some of whose providers share."""
    found: list[ProviderUse] = []
    for at in range(most - draw(DICE).pick(range(most))):
        dice = draw(DICE)
        parent = dice.pick((None, *found))
        if found and dice.once_in(4):
            # A copy of one that is there already: what symmetry is about.
            model = dice.pick(found)
            provider = attrs.evolve(model.provider, id=ProviderId(f"p{at}"), name=f"copy-{at}")
            root = provider.id if provider.parent is None else model.root
            found.append(attrs.evolve(model, provider=provider, root=root))
            continue
        found.append(draw_use(draw, dice, at, parent))
    return tuple(found)


def any_of(dice: Dice, sets: Sequence[frozenset[T]]) -> frozenset[frozenset[T]]:
    """Return one of the sets in a set, or mostly none."""
    return dice.pick((frozenset(), frozenset(), frozenset(), frozenset({dice.pick(sets)})))


def draw_group(draw: st.DrawFn, forest: Forest, suffix: str, *, bare: bool) -> RequestGroup:
    dice, more = draw(DICE), draw(DICE)
    names = dice.pick(subsets(CLASSES, 1, 2))
    amounts = {name: dice.pick(range(1, 4)) for name in sorted(names)}
    tree = dice.pick(forest).provider.id
    return RequestGroup(
        suffix,
        FrozenMap({} if bare else amounts),
        any_of(more, ANY_OF_TRAITS),
        more.pick_some(TRAITS, 6),
        any_of(more, ANY_OF_AGGREGATES),
        more.pick_some(AGGREGATES, 6),
        tree if dice.once_in(10) else None,
    )


@st.composite
def requests(draw: st.DrawFn, forest: Forest) -> PlacementRequest:
    """Draw a request that makes sense on such a forest."""
    dice = draw(DICE)
    suffixes = [f"_{n}" for n in range(dice.pick((0, 0, 1, 2, 2, 3)))]
    subtrees: list[frozenset[str]] = []
    related = dice.pick((False, True))
    if suffixes and related:
        named = subsets(suffixes, min(2, len(suffixes)), len(suffixes))
        subtrees = [dice.pick(named) for _named in range(dice.pick((1, 2)))]
    groups: list[RequestGroup] = []
    unsuffixed = ("",) if not suffixes or dice.pick((True, False)) else ()
    for suffix in (*unsuffixed, *suffixes):
        bare = dice.once_in(3) and any(suffix in named for named in subtrees)
        groups.append(draw_group(draw, forest, suffix, bare=bare))
    if not any(group.resources for group in groups):
        groups[0] = attrs.evolve(groups[0], resources=FrozenMap({CLASSES[0]: 1}))
    policies: tuple[Literal["none", "isolate"], ...] = ("none", "none", "isolate")
    return PlacementRequest(
        tuple(groups),
        dice.pick(policies),
        dice.pick_some(TRAITS, 8),
        dice.pick_some(TRAITS, 8),
        tuple(subtrees),
    )


@attrs.frozen
class Answer:
    """One way that the reference finds, from one anchor."""

    anchor: ProviderId
    allocation: FrozenMap[ProviderId, FrozenMap[ResourceClass, int]]
    mappings: FrozenMap[str, frozenset[ProviderId]]


def answers(forest: Forest, request: PlacementRequest) -> list[Answer]:
    """Return every way to serve `request`, by trying every assignment from every anchor."""
    needs = [
        (group, amounts)
        for group in request.groups
        for amounts in (
            [tuple(group.resources.items())]
            if group.suffix
            else [(item,) for item in group.resources.items()]
        )
    ]
    uses = {use.provider.id: use for use in forest}
    found: list[Answer] = []
    for anchor in sorted(use.root for use in forest if use.root == use.provider.id):
        root = uses[anchor].provider
        if not request.root_required <= root.traits or request.root_forbidden & root.traits:
            continue
        near = [use for use in forest if use.root == anchor or _shares_with(use, anchor, forest)]
        able = [
            [use for use in near if _may(uses, anchor, *need, use) and _enough(uses, [(need, use)])]
            for need in needs
        ]
        for picks in product(*able):
            chosen = list(zip(needs, picks, strict=True))
            if _holds(uses, request, chosen):
                found.append(_answer(anchor, chosen))
    return found


def _shares_with(use: ProviderUse, anchor: ProviderId, forest: Forest) -> bool:
    return SHARES in use.provider.traits and any(
        use.provider.aggregates & other.provider.aggregates
        for other in forest
        if other.root == anchor
    )


def _holds(
    uses: Mapping[ProviderId, ProviderUse], request: PlacementRequest, chosen: Chosen
) -> bool:
    return (
        _together(request, chosen)
        and _enough(uses, chosen)
        and _apart_and_near(uses, request, chosen)
    )


def _may(
    uses: Mapping[ProviderId, ProviderUse],
    anchor: ProviderId,
    group: RequestGroup,
    amounts: tuple[tuple[ResourceClass, int], ...],
    use: ProviderUse,
) -> bool:
    takes, provider = bool(amounts), use.provider
    if group.forbidden & provider.traits:
        return False
    if group.suffix and not all(any_of & provider.traits for any_of in group.required):
        return False
    if group.suffix and not (takes or group.required or group.member_of):
        return False
    own, root = provider.aggregates, uses[anchor].provider.aggregates
    shown = (own, root) if not group.suffix and use.root == anchor else (own,)
    if not any(all(any_of & one for any_of in group.member_of) for one in shown):
        return False
    if group.not_member_of & (own if group.suffix else own | root):
        return False
    if group.in_tree is None or not takes:
        return True
    there = group.in_tree in uses and use.root == uses[group.in_tree].root
    return there and (bool(group.suffix) or use.root == anchor)


def _together(request: PlacementRequest, chosen: Chosen) -> bool:
    for group in request.groups:
        serving = [use for (of, _amounts), use in chosen if of is group]
        having = frozenset[Trait]().union(*(use.provider.traits for use in serving))
        if not group.suffix and not all(any_of & having for any_of in group.required):
            return False
    return True


def _enough(uses: Mapping[ProviderId, ProviderUse], chosen: Chosen) -> bool:
    asked: dict[tuple[ProviderId, ResourceClass], list[int]] = {}
    for (_group, amounts), use in chosen:
        for name, amount in amounts:
            asked.setdefault((use.provider.id, name), []).append(amount)
    for (provider, name), parts in asked.items():
        use = uses[provider]
        inventory = use.provider.inventories.get(name)
        if inventory is None or any(inventory.broken_rule(part) for part in parts):
            return False
        if sum(parts) > inventory.max_unit:
            return False
        if use.used.get(name, 0) + sum(parts) > inventory.capacity:
            return False
    return True


def _apart_and_near(
    uses: Mapping[ProviderId, ProviderUse], request: PlacementRequest, chosen: Chosen
) -> bool:
    by_suffix = {of.suffix: use for (of, _amounts), use in chosen if of.suffix}
    alone = [use.provider.id for use in by_suffix.values()]
    if request.group_policy == "isolate" and len(set(alone)) < len(alone):
        return False
    return all(
        any(
            all(top in _path(uses, by_suffix[other]) for other in named)
            for top in (by_suffix[suffix].provider.id for suffix in named)
        )
        for named in request.same_subtree
    )


def _path(uses: Mapping[ProviderId, ProviderUse], use: ProviderUse) -> set[ProviderId]:
    found = {use.provider.id}
    while use.provider.parent is not None:
        use = uses[use.provider.parent]
        found.add(use.provider.id)
    return found


def _answer(anchor: ProviderId, chosen: Chosen) -> Answer:
    allocation: dict[ProviderId, dict[ResourceClass, int]] = {}
    mappings: dict[str, set[ProviderId]] = {}
    for (group, amounts), use in chosen:
        mappings.setdefault(group.suffix, set()).add(use.provider.id)
        for name, amount in amounts:
            of = allocation.setdefault(use.provider.id, {})
            of[name] = of.get(name, 0) + amount
    return Answer(
        anchor,
        FrozenMap({provider: FrozenMap(of) for provider, of in allocation.items()}),
        FrozenMap({suffix: frozenset(serving) for suffix, serving in mappings.items()}),
    )


def plain(candidate: Candidate) -> Answer:
    """Return a candidate as the reference has it."""
    mappings = {suffix: frozenset(serving) for suffix, serving in candidate.mappings.items()}
    return Answer(candidate.root, candidate.allocation, FrozenMap(mappings))


def look(forest: Forest, request: PlacementRequest, answer: Answer) -> tuple[object, ...]:
    """Return what ways have in common that differ only in what is alike, or less."""
    uses = {use.provider.id: use for use in forest}

    def kind(provider: ProviderId) -> str:
        use: ProviderUse | None = uses[provider]
        path: list[object] = []
        while use is not None:
            p = use.provider
            own = (sorted(p.inventories.items()), sorted(use.used.items()), sorted(p.traits))
            path.append((own, sorted(p.aggregates)))
            use = None if p.parent is None else uses[p.parent]
        return str(path)

    of_groups = {
        group.suffix: attrs.evolve(group, suffix=group.suffix[:1]) for group in request.groups
    }
    serving = sorted(
        (_spelled(of_groups[suffix]), sorted(map(kind, found)))
        for suffix, found in answer.mappings.items()
    )
    given = sorted((kind(p), sorted(of.items())) for p, of in answer.allocation.items())
    return str(serving), str(given)


def _spelled(group: RequestGroup) -> str:
    parts = (
        sorted(group.resources.items()),
        sorted(map(sorted, group.required)),
        sorted(group.forbidden),
        sorted(map(sorted, group.member_of)),
        sorted(group.not_member_of),
    )
    return f"{group.suffix} {parts} {group.in_tree}"
