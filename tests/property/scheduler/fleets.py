"""Random small fleets and requests, and a reference that tries everything."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Literal

import attrs
from hypothesis import strategies as st

from computekit.ids import AggregateId, HostName, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    HostFacts,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler import Host, PlacementIntent, Request, SchedulingRun
from computekit.units import Gib, Mib
from tests.property.dice import DICE, Dice, subsets

CLASSES = (VCPU, MEMORY_MB, DISK_GB, ResourceClass("CUSTOM_VF"))
TRAITS = tuple(Trait(f"CUSTOM_T{i}") for i in range(3))
AGGREGATES = tuple(AggregateId(f"agg{i}") for i in range(2))
NAMES = tuple(HostName(f"h{i}") for i in range(4))


@attrs.frozen
class FleetHost:
    """A host and its providers, the root first."""

    host: Host
    uses: tuple[ProviderUse, ...]


def facts(name: HostName, machine_types: tuple[str, ...] = ("q35",)) -> HostFacts:
    return HostFacts(
        name=name,
        arch="x86_64",
        cpus=8,
        memory_mib=Mib(8192),
        disk_gib=Gib(100),
        cells=(),
        hypervisor="fake",
        hypervisor_version=1_000_000,
        library_version=0,
        virt_type="kvm",
        machine_types=frozenset(machine_types),
        uefi=True,
    )


SETS_OF_CLASSES = subsets(CLASSES, 2, 4)
SETS_OF_TRAITS = subsets(TRAITS, 0, 3)
ANY_OF_TRAITS = tuple(frozenset({some}) for some in subsets(TRAITS, 1, 2))
SETS_OF_AGGREGATES = subsets(AGGREGATES, 0, 1)
ANY_OF_AGGREGATES = tuple(frozenset({some}) for some in subsets(AGGREGATES, 1, 2))
PROVIDERS = tuple(ProviderId(f"{name}-p{number}") for name in NAMES for number in (0, 1))


def inventory(dice: Dice) -> tuple[Inventory, int]:
    """Return an inventory, and what is used of it."""
    return Inventory(
        total=dice.pick(range(2, 13)),
        reserved=dice.pick((0, 0, 1, 2)),
        min_unit=dice.pick((1, 1, 1, 1, 1, 2)),
        max_unit=dice.pick((12, 12, 12, 3, 4)),
        step_size=dice.pick((1, 1, 1, 1, 1, 2, 3)),
        allocation_ratio=dice.pick((1.0, 1.0, 1.5, 2.0)),
    ), dice.pick((0, 0, 1, 2, 5))


INVENTORIES = DICE.map(inventory)


def draw_tree(draw: st.DrawFn, name: HostName, most: int) -> tuple[ProviderUse, ...]:
    uses: list[ProviderUse] = []
    root = ProviderId(f"{name}-p0")
    for number in range(1 + draw(DICE).pick(range(most))):
        dice = draw(DICE)
        parent = dice.pick(uses).provider.id if uses else None
        of_class = {c: draw(INVENTORIES) for c in sorted(dice.pick(SETS_OF_CLASSES))}
        provider = Provider(
            id=ProviderId(f"{name}-p{number}"),
            name=f"{name}-p{number}",
            parent=parent,
            inventories=FrozenMap({c: inventory for c, (inventory, _used) in of_class.items()}),
            traits=dice.pick(SETS_OF_TRAITS),
            aggregates=dice.pick(SETS_OF_AGGREGATES),
        )
        used = FrozenMap({c: used for c, (_inventory, used) in of_class.items()})
        uses.append(ProviderUse(provider, root, used))
    return tuple(uses)


def draw_host(draw: st.DrawFn, name: HostName, most: int = 4) -> FleetHost:
    dice = draw(DICE)
    host = Host(
        name=name,
        provider=ProviderId(f"{name}-p0"),
        facts=facts(name, dice.pick((("q35",), ("q35", "pc"), ("pc",), ("q35",)))),
        zone=dice.pick((None, "a", "a", "b")),
        disabled=dice.pick((None, None, None, None, None, "broken")),
        up=dice.pick((True, True, True, True, True, False)),
    )
    return FleetHost(host, draw_tree(draw, name, most))


@st.composite
def trees(draw: st.DrawFn, name: HostName, most: int = 4) -> tuple[ProviderUse, ...]:
    return draw_tree(draw, name, most)


@st.composite
def hosts(draw: st.DrawFn) -> FleetHost:
    return draw_host(draw, draw(DICE).pick(NAMES))


@st.composite
def fleets(draw: st.DrawFn, most: int = 4) -> tuple[FleetHost, ...]:
    dice = draw(DICE)
    names = list(NAMES)
    chosen: list[HostName] = []
    for _host in range(dice.pick((1, 2, 3, 4, 2, 3, 0))):
        chosen.append(dice.pick(names))
        names.remove(chosen[-1])
    return tuple(draw_host(draw, name, most) for name in chosen)


def index_of(fleet: Sequence[FleetHost]) -> FleetIndex:
    index = FleetIndex()
    index.put((of.host, of.uses) for of in fleet)
    return index


def draw_group(draw: st.DrawFn, suffix: str, *, empty: bool = False) -> RequestGroup:
    dice, more = draw(DICE), draw(DICE)
    classes = dice.pick(subsets(CLASSES, 1, 2))
    return RequestGroup(
        suffix=suffix,
        resources=FrozenMap({} if empty else {c: dice.pick(range(1, 5)) for c in sorted(classes)}),
        required=dice.pick((frozenset(), frozenset(), frozenset(), dice.pick(ANY_OF_TRAITS))),
        forbidden=dice.pick_some(TRAITS, 12),
        member_of=more.pick((frozenset(), frozenset(), frozenset(), more.pick(ANY_OF_AGGREGATES))),
        not_member_of=more.pick_some(AGGREGATES, 12),
        in_tree=next(iter(more.pick_some(PROVIDERS, 12)), None),
    )


@st.composite
def requests(draw: st.DrawFn, suffixed: int = 3) -> Request:
    dice, more = draw(DICE), draw(DICE)
    suffixes = [f"_{number}" for number in range(dice.pick(range(suffixed + 1)))]
    plain = not suffixes or dice.pick((True, False))
    subtrees: tuple[frozenset[str], ...] = ()
    if len(suffixes) > 1 and dice.pick((False, True)):
        subtrees = (dice.pick(subsets(suffixes, 2, len(suffixes))),)
    found = [draw_group(draw, "")] if plain else []
    for suffix in suffixes:
        bare = dice.pick((False, False, False, True))
        bare = bare and plain and any(suffix in named for named in subtrees)
        found.append(draw_group(draw, suffix, empty=bare))
    policies: tuple[Literal["none", "isolate"], ...] = ("none", "isolate")
    return Request(
        PlacementRequest(
            groups=tuple(found),
            group_policy=dice.pick(policies) if len(suffixes) > 1 else None,
            root_required=more.pick_some(TRAITS, 12),
            root_forbidden=more.pick_some(TRAITS, 12),
            same_subtree=subtrees,
        ),
        PlacementIntent(zone=more.pick((None, None, None, "a"))),
        SchedulingRun(
            ignored_hosts=more.pick_some(NAMES, 12),
            host=next(iter(more.pick_some(NAMES, 12)), None),
        ),
        more.pick((None, None, None, "q35", "pc", "q35")),
    )


def takes(of: FleetHost, request: Request) -> bool:
    """Return whether a host can take a request, by trying every assignment of providers."""
    host, run, placement = of.host, request.run, request.placement
    root = of.uses[0].provider
    if host.disabled is not None or not host.up or host.name in run.ignored_hosts:
        return False
    if run.host not in (None, host.name) or request.intent.zone not in (None, host.zone):
        return False
    if request.machine_type not in (None, *host.facts.machine_types):
        return False
    if not placement.root_required <= root.traits or placement.root_forbidden & root.traits:
        return False
    return any(holds(of, placement, chosen) for chosen in assignments(of, placement))


Chosen = dict[str, tuple[tuple[ProviderUse, FrozenMap[ResourceClass, int]], ...]]


def assignments(of: FleetHost, placement: PlacementRequest) -> Iterator[Chosen]:
    slots: list[tuple[str, FrozenMap[ResourceClass, int]]] = []
    for group in placement.groups:
        if group.suffix:
            slots.append((group.suffix, group.resources))
        else:
            slots.extend(("", FrozenMap({c: n})) for c, n in group.resources.items())
    for uses in product(of.uses, repeat=len(slots)):
        chosen: Chosen = {}
        for use, (suffix, resources) in zip(uses, slots, strict=True):
            chosen[suffix] = (*chosen.get(suffix, ()), (use, resources))
        yield chosen


def holds(of: FleetHost, placement: PlacementRequest, chosen: Chosen) -> bool:
    return (
        all(_group_holds(of, group, chosen[group.suffix]) for group in placement.groups)
        and _amounts_hold(chosen)
        and _apart(placement, chosen)
        and all(_one_subtree(of, named, chosen) for named in placement.same_subtree)
    )


def _group_holds(
    of: FleetHost,
    group: RequestGroup,
    picks: tuple[tuple[ProviderUse, FrozenMap[ResourceClass, int]], ...],
) -> bool:
    traits: frozenset[Trait] = frozenset()
    for use, resources in picks:
        provider = use.provider
        traits |= provider.traits
        member = provider.aggregates
        if not group.suffix:
            member |= of.uses[0].provider.aggregates
        if provider.traits & group.forbidden or member & group.not_member_of:
            return False
        if any(not any_of & member for any_of in group.member_of):
            return False
        for name, amount in resources.items():
            inventory = provider.inventories.get(name)
            if inventory is None or inventory.broken_rule(amount):
                return False
    if group.in_tree is not None and group.in_tree not in {use.provider.id for use in of.uses}:
        return False
    return all(any_of & traits for any_of in group.required)


def _amounts_hold(chosen: Chosen) -> bool:
    total: dict[tuple[ProviderId, ResourceClass], int] = {}
    uses = {use.provider.id: use for picks in chosen.values() for use, _resources in picks}
    for picks in chosen.values():
        for use, resources in picks:
            for name, amount in resources.items():
                key = (use.provider.id, name)
                total[key] = total.get(key, 0) + amount
    for (provider, name), amount in total.items():
        use = uses[provider]
        inventory = use.provider.inventories[name]
        if amount > inventory.max_unit or amount + use.used.get(name, 0) > inventory.capacity:
            return False
    return True


def _apart(placement: PlacementRequest, chosen: Chosen) -> bool:
    if placement.group_policy != "isolate":
        return True
    used = [picks[0][0].provider.id for suffix, picks in chosen.items() if suffix]
    return len(used) == len(set(used))


def _one_subtree(of: FleetHost, named: frozenset[str], chosen: Chosen) -> bool:
    parents = {use.provider.id: use.provider.parent for use in of.uses}
    members = {chosen[suffix][0][0].provider.id for suffix in named}

    def above(provider: ProviderId) -> set[ProviderId]:
        found: set[ProviderId] = set()
        at: ProviderId | None = provider
        while at is not None:
            found.add(at)
            at = parents[at]
        return found

    return any(all(top in above(member) for member in members) for top in members)
