"""Random topologies, questions and writes for the comparison of two Placement servers."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeVar

import attrs

from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId, new_uuid
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement import PlacementService, Reshaped

__all__ = ["SHARING", "Topology", "Write", "question", "topology", "writes"]

T = TypeVar("T")

VF, GADGET = ResourceClass("SRIOV_NET_VF"), ResourceClass("CUSTOM_GADGET")
CLASSES = (VCPU, MEMORY_MB, DISK_GB, VF, GADGET)
SHARING = Trait("MISC_SHARES_VIA_AGGREGATE")
TRAITS = tuple(map(Trait, ("HW_CPU_X86_AVX2", "HW_NUMA_ROOT", "CUSTOM_RED", "CUSTOM_BLUE")))
SUFFIXES = ("1", "_A", "_B-b")


@attrs.frozen
class Topology:
    """What both servers hold at the beginning of a case.

    Attributes:
        providers: parents before their children.
        allocations: of consumers.
    """

    providers: tuple[Provider, ...]
    allocations: tuple[Allocation, ...]

    @property
    def aggregates(self) -> tuple[AggregateId, ...]:
        """All that some provider is in."""
        return tuple(sorted({a for p in self.providers for a in p.aggregates}))


@attrs.frozen
class Write:
    """A call that changes something.

    Attributes:
        words: what it is, for people.
        call: makes it.
        consumers: whom it names.
    """

    words: str
    call: Callable[[PlacementService], object]
    consumers: tuple[ConsumerId, ...] = ()


def _some(source: random.Random, things: Sequence[T], chance: float) -> list[T]:
    return [thing for thing in things if source.random() < chance]


def _inventory(source: random.Random) -> Inventory:
    total = source.choice([1, 4, 8, 16, 32])
    return Inventory(
        total=total,
        reserved=source.choice([0, 0, 0, 1]),
        min_unit=source.choice([1, 1, 1, 1, 2]),
        max_unit=source.choice([total, total, max(2, total // 2)]),
        step_size=source.choice([1, 1, 1, 2]),
        allocation_ratio=source.choice([1.0, 1.0, 1.5, 4.0]),
    )


def topology(source: random.Random) -> Topology:
    """Return a few trees, some of which may share themselves, and what is held of them."""
    racks = [AggregateId(new_uuid(source)) for _ in range(source.randint(1, 3))]
    providers: list[Provider] = []
    for number in range(source.randint(1, 5)):
        tree: list[ProviderId] = []
        for part in range(source.choice([1, 1, 2, 3, 5])):
            provider = ProviderId(new_uuid(source))
            providers.append(
                Provider(
                    provider,
                    f"t{number}-{part}-{provider}",
                    source.choice(tree) if tree else None,
                    FrozenMap({n: _inventory(source) for n in _some(source, CLASSES, 0.7)}),
                    frozenset(_some(source, TRAITS, 0.35)),
                    frozenset(_some(source, racks, 0.3)),
                )
            )
            tree.append(provider)
    for _ in range(source.choice([0, 0, 1, 2])):
        pool = ProviderId(new_uuid(source))
        stock = FrozenMap({DISK_GB: Inventory(16), **({VF: Inventory(2)} if racks[1:] else {})})
        traits = frozenset({SHARING, *_some(source, TRAITS, 0.3)})
        rack = frozenset({source.choice(racks)})
        providers.append(Provider(pool, f"pool-{pool}", None, stock, traits, rack))
    with_stock = [p for p in providers if p.inventories]
    held = [_allocation(source, [p]) for p in _some(source, with_stock, 0.4)]
    return Topology(tuple(providers), tuple(a for a in held if a.resources))


def _allocation(
    source: random.Random, among: Sequence[Provider], consumer: Consumer | None = None
) -> Allocation:
    wants = {
        p.id: FrozenMap(
            {n: source.choice([1, 2, 2, 4]) for n in _some(source, tuple(p.inventories), 0.6)}
        )
        for p in source.sample(list(among), min(len(among), source.randint(1, 2)))
    }
    who = consumer or Consumer(
        ConsumerId(new_uuid(source)),
        ProjectId(source.choice(["p1", "p2"])),
        UserId("u"),
        source.choice(["INSTANCE", "MIGRATION", None]),
    )
    return Allocation(who, FrozenMap({p: amounts for p, amounts in wants.items() if amounts}))


def question(source: random.Random, known: Topology) -> PlacementRequest:
    """Return a request that some tree may serve."""
    suffixes = _some(source, SUFFIXES, 0.35)
    groups = [_group(source, known, "")] if not suffixes or source.random() < 0.6 else []
    groups += [_group(source, known, suffix) for suffix in suffixes]
    policy: Literal["none", "isolate"] | None = None
    if len(suffixes) > 1 or source.random() < 0.1:
        policy = source.choice(["none", "isolate"])
    subtrees: tuple[frozenset[str], ...] = ()
    if len(suffixes) > 1 and source.random() < 0.5:
        subtrees = (frozenset(source.sample(suffixes, 2)),)
        if source.random() < 0.4:
            bare = source.choice(sorted(subtrees[0]))
            groups = [
                attrs.evolve(group, resources=Resources()) if group.suffix == bare else group
                for group in groups
            ]
    root = _some(source, TRAITS, 0.08)
    return PlacementRequest(
        tuple(groups),
        policy,
        frozenset(root[:1]),
        frozenset(root[1:2]),
        subtrees,
    )


def _group(source: random.Random, known: Topology, suffix: str) -> RequestGroup:
    names = source.sample(CLASSES, source.choice([1, 1, 2, 3] if not suffix else [1, 1, 2]))
    traits = _some(source, TRAITS, 0.12)
    required = [frozenset({trait}) for trait in traits[:1]]
    if source.random() < 0.15:
        required.append(frozenset(source.sample(TRAITS, 2)))
    racks = known.aggregates
    member_of: list[frozenset[AggregateId]] = []
    if racks and source.random() < 0.12:
        member_of.append(frozenset(source.sample(racks, source.randint(1, len(racks)))))
    forbidden = frozenset(source.sample(racks, 1)) if racks and source.random() < 0.06 else None
    tree = source.choice(known.providers).id if source.random() < 0.08 else None
    return RequestGroup(
        suffix,
        Resources({name: source.choice([1, 1, 2, 3]) for name in names}),
        frozenset(required),
        frozenset(traits[1:2]),
        frozenset(member_of),
        forbidden or frozenset(),
        tree,
    )


def writes(source: random.Random, known: Topology, service: PlacementService) -> Iterator[Write]:
    """Yield writes without end; each is made up from what `service` holds when it is asked for."""
    everyone = [a.consumer.id for a in known.allocations]
    kinds = (_parts, _parts, _claims, _claims, _claims, _row, _release, _reshape)
    while True:
        write = source.choice(kinds)(source, known, service, everyone)
        everyone += [one for one in write.consumers if one not in everyone]
        yield write


def _generation(source: random.Random, real: int) -> int:
    return real if source.random() < 0.9 else real + source.choice([-1, 1])


def _parts(
    source: random.Random, known: Topology, service: PlacementService, _: list[ConsumerId]
) -> Write:
    row = source.choice(known.providers)
    now = service.provider(row.id).provider
    at = max(0, _generation(source, now.generation))
    kind = source.choice(["inventories", "traits", "aggregates"])
    if kind == "traits":
        traits = frozenset(_some(source, TRAITS, 0.4))
        return Write(f"traits of {row.name}", lambda s: s.set_traits(row.id, at, traits))
    if kind == "aggregates":
        racks = frozenset(_some(source, known.aggregates, 0.5))
        return Write(f"aggregates of {row.name}", lambda s: s.set_aggregates(row.id, at, racks))
    stock = FrozenMap({n: _inventory(source) for n in _some(source, CLASSES, 0.6)})
    words = f"inventories of {row.name}: {stock}"
    return Write(words, lambda s: s.set_inventories(row.id, at, stock))


def _consumer(
    source: random.Random, service: PlacementService, everyone: list[ConsumerId]
) -> Consumer | None:
    if not everyone or source.random() < 0.4:
        return None
    one = source.choice(everyone)
    held = service.allocation(one)
    if held is None:
        return Consumer(one, ProjectId("p1"), UserId("u"), "INSTANCE")
    generation = max(0, _generation(source, held.consumer.generation))
    return attrs.evolve(held.consumer, generation=generation)


def _claims(
    source: random.Random,
    known: Topology,
    service: PlacementService,
    everyone: list[ConsumerId],
) -> Write:
    made: dict[ConsumerId, Allocation] = {}
    kind = source.choice(["INSTANCE", "MIGRATION"])
    for _ in range(source.choice([1, 1, 1, 2, 3])):
        one = _allocation(source, known.providers, _consumer(source, service, everyone))
        typed = attrs.evolve(one.consumer, type=kind)  # all say one, or none does
        if source.random() < 0.1:
            one = Allocation(typed)
        made[typed.id] = attrs.evolve(one, consumer=typed)
    claims = tuple(made.values())
    return Write(f"claim {claims}", lambda s: s.claim(*claims), tuple(made))


def _release(
    source: random.Random, known: Topology, service: PlacementService, everyone: list[ConsumerId]
) -> Write:
    one = source.choice(everyone) if everyone else ConsumerId(new_uuid(source))
    return Write(f"release {one}", lambda s: s.release(one), (one,))


def _row(
    source: random.Random, known: Topology, service: PlacementService, _: list[ConsumerId]
) -> Write:
    row, other = source.choice(known.providers), source.choice(known.providers)
    now = service.provider(row.id).provider
    if source.random() < 0.5:
        parent = other.id if source.random() < 0.7 else None
        words = f"move {row.name} below {other.name if parent else 'nothing'}"
        return Write(words, lambda s: s.update_provider(row.id, now.name, parent))
    name = source.choice([now.name, f"new-{now.name[:60]}", other.name])
    return Write(
        f"rename {row.name} to {name}", lambda s: s.update_provider(row.id, name, now.parent)
    )


def _reshape(
    source: random.Random,
    known: Topology,
    service: PlacementService,
    everyone: list[ConsumerId],
) -> Write:
    """Move one class with all that is held of it to another provider, rightly or not."""
    one, other = source.sample(list(known.providers), 2) if known.providers[1:] else (None, None)
    if one is None or other is None:
        return _release(source, known, service, everyone)
    here, there = service.provider(one.id).provider, service.provider(other.id).provider
    movable = tuple(here.inventories)
    if not movable:
        return _parts(source, known, service, everyone)
    name = source.choice(movable)
    moved = {
        one.id: Reshaped(
            max(0, _generation(source, here.generation)), here.inventories.without(name)
        ),
        other.id: Reshaped(
            there.generation, there.inventories.replace(name, here.inventories[name])
        ),
    }
    after: list[Allocation] = []
    for part in service.allocations(one.id) if source.random() < 0.8 else ():
        whole = service.allocation(part.consumer.id)
        assert whole is not None
        amount = whole.resources[one.id].get(name)
        if amount is None:
            continue
        left = {p: dict(amounts) for p, amounts in whole.resources.items()}
        del left[one.id][name]
        there_now = left.setdefault(other.id, {})
        there_now[name] = there_now.get(name, 0) + amount
        kept = {p: FrozenMap(amounts) for p, amounts in left.items() if amounts}
        typed = attrs.evolve(whole.consumer, type=whole.consumer.type or "INSTANCE")
        after.append(Allocation(typed, FrozenMap(kept)))
    return Write(
        f"reshape {name} from {one.name} to {other.name}: {moved} {after}",
        lambda s: s.reshape(moved, after),
        tuple(a.consumer.id for a in after),
    )
