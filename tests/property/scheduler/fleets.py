"""Random small fleets and requests, and a reference that tries everything."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeVar

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

T = TypeVar("T")

CLASSES = (VCPU, MEMORY_MB, DISK_GB, ResourceClass("CUSTOM_VF"))
TRAITS = tuple(Trait(f"CUSTOM_T{i}") for i in range(3))
AGGREGATES = tuple(AggregateId(f"agg{i}") for i in range(2))
NAMES = tuple(HostName(f"h{i}") for i in range(4))


@attrs.frozen
class FleetHost:
    """A host and its providers, the root first."""

    host: Host
    uses: tuple[ProviderUse, ...]


def facts(name: HostName, arch: str = "x86_64") -> HostFacts:
    return HostFacts(
        name=name,
        arch=arch,
        cpus=8,
        memory_mib=Mib(8192),
        disk_gib=Gib(100),
        cells=(),
        hypervisor="fake",
        hypervisor_version=1_000_000,
        library_version=0,
        virt_type="kvm",
        machine_types=frozenset({"q35"}),
        uefi=True,
    )


@st.composite
def inventories(draw: st.DrawFn) -> tuple[Inventory, int]:
    total = draw(st.integers(2, 12))
    low = draw(st.sampled_from((1, 1, 1, 1, 1, 2)))
    inventory = Inventory(
        total=total,
        reserved=draw(st.sampled_from((0, 0, 1, 2))),
        min_unit=low,
        max_unit=draw(st.sampled_from((12, 12, 12, 3, 4))),
        step_size=draw(st.sampled_from((1, 1, 1, 1, 1, 2, 3))),
        allocation_ratio=draw(st.sampled_from((1.0, 1.0, 1.5, 2.0))),
    )
    return inventory, draw(st.sampled_from((0, 0, 1, 2, 5)))


@st.composite
def trees(draw: st.DrawFn, name: HostName, most: int = 4) -> tuple[ProviderUse, ...]:
    uses: list[ProviderUse] = []
    root = ProviderId(f"{name}-p0")
    for number in range(draw(st.integers(1, most))):
        parent = draw(st.sampled_from(uses)).provider.id if uses else None
        of_class = draw(
            st.dictionaries(st.sampled_from(CLASSES), inventories(), min_size=2, max_size=4)
        )
        provider = Provider(
            id=ProviderId(f"{name}-p{number}"),
            name=f"{name}-p{number}",
            parent=parent,
            inventories=FrozenMap({c: inventory for c, (inventory, _used) in of_class.items()}),
            traits=draw(st.frozensets(st.sampled_from(TRAITS), max_size=3)),
            aggregates=draw(st.frozensets(st.sampled_from(AGGREGATES), max_size=1)),
        )
        used = FrozenMap({c: used for c, (_inventory, used) in of_class.items()})
        uses.append(ProviderUse(provider, root, used))
    return tuple(uses)


@st.composite
def hosts(draw: st.DrawFn, name: HostName, most: int = 4) -> FleetHost:
    host = Host(
        name=name,
        provider=ProviderId(f"{name}-p0"),
        facts=facts(name),
        zone=draw(st.sampled_from((None, "a", "a", "b"))),
        disabled=draw(st.sampled_from((None, None, None, None, None, "broken"))),
        up=draw(st.sampled_from((True, True, True, True, True, False))),
    )
    return FleetHost(host, draw(trees(name, most)))


@st.composite
def fleets(draw: st.DrawFn, most: int = 4) -> tuple[FleetHost, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    return tuple(draw(hosts(name, most)) for name in names)


def index_of(fleet: Sequence[FleetHost]) -> FleetIndex:
    index = FleetIndex()
    index.put((of.host, of.uses) for of in fleet)
    return index


@st.composite
def groups(draw: st.DrawFn, suffix: str, *, empty: bool = False) -> RequestGroup:
    amounts = st.dictionaries(st.sampled_from(CLASSES), st.integers(1, 4), min_size=1, max_size=2)
    trait_sets = st.frozensets(st.sampled_from(TRAITS), min_size=1, max_size=2)
    aggregate_sets = st.frozensets(st.sampled_from(AGGREGATES), min_size=1, max_size=2)
    trees_of = [ProviderId(f"{name}-p{number}") for name in NAMES for number in (0, 1)]
    return RequestGroup(
        suffix=suffix,
        resources=FrozenMap({} if empty else draw(amounts)),
        required=draw(st.frozensets(trait_sets, max_size=1)) if draw(_rarely()) else frozenset(),
        forbidden=draw(_few(TRAITS)),
        member_of=draw(st.frozensets(aggregate_sets, max_size=1))
        if draw(_rarely())
        else frozenset(),
        not_member_of=draw(_few(AGGREGATES)),
        in_tree=draw(st.sampled_from(trees_of)) if draw(_hardly()) else None,
    )


def _rarely() -> st.SearchStrategy[bool]:
    return st.sampled_from((False, False, False, True))


def _hardly() -> st.SearchStrategy[bool]:
    return st.integers(0, 11).map(lambda number: number == 11)


def _few(things: Sequence[T]) -> st.SearchStrategy[frozenset[T]]:
    some = st.sampled_from(things).map(lambda thing: frozenset({thing}))
    none: frozenset[T] = frozenset()
    return _hardly().flatmap(lambda hit: some if hit else st.just(none))


@st.composite
def requests(draw: st.DrawFn, suffixed: int = 3) -> Request:
    suffixes = [f"_{number}" for number in range(draw(st.integers(0, suffixed)))]
    found = [draw(groups("")) for _ in range(draw(st.integers(0 if suffixes else 1, 1)))]
    subtrees: tuple[frozenset[str], ...] = ()
    if len(suffixes) > 1 and draw(st.booleans()):
        subtrees = (draw(st.frozensets(st.sampled_from(suffixes), min_size=2)),)
    for suffix in suffixes:
        bare = bool(found) and any(suffix in s for s in subtrees) and draw(_rarely())
        found.append(draw(groups(suffix, empty=bare)))
    policy = draw(st.sampled_from(("none", "isolate"))) if len(suffixes) > 1 else None
    return Request(
        PlacementRequest(
            groups=tuple(found),
            group_policy=policy,  # type: ignore[arg-type]  # drawn from its two values
            root_required=draw(_few(TRAITS)),
            root_forbidden=draw(_few(TRAITS)),
            same_subtree=subtrees,
        ),
        PlacementIntent(zone=draw(st.sampled_from((None, None, None, "a")))),
        SchedulingRun(
            ignored_hosts=draw(_few(NAMES)),
            host=draw(st.sampled_from(NAMES)) if draw(_hardly()) else None,
        ),
    )


def takes(of: FleetHost, request: Request) -> bool:
    """Return whether a host can take a request, by trying every assignment of providers."""
    host, run, placement = of.host, request.run, request.placement
    root = of.uses[0].provider
    if host.disabled is not None or not host.up or host.name in run.ignored_hosts:
        return False
    if run.host not in (None, host.name) or request.intent.zone not in (None, host.zone):
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
