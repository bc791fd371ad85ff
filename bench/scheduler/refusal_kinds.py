"""Requests that no host of a fleet takes, one kind for each rule that can say no."""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import attrs

from computekit.ids import (
    AggregateId,
    ConsumerId,
    FlavorId,
    HostName,
    ImageId,
    InstanceId,
    ProjectId,
    ProviderId,
    ServerGroupId,
)
from computekit.model import (
    DISK_GB,
    HOST_LEVEL,
    MEMORY_MB,
    VCPU,
    Aggregate,
    Flavor,
    FrozenMap,
    HostFacts,
    Image,
    Inventory,
    PlacementRequest,
    PlacementRule,
    Provider,
    RequestGroup,
    ResourceClass,
    RuleKind,
    ServerGroup,
    Trait,
)
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler import (
    FILTERS,
    Host,
    HostFilter,
    IsolatedHostsFilter,
    MetricsFilter,
    PlacementIntent,
    Policy,
    Request,
    RequestDelta,
    SchedulingRun,
)
from computekit.topology import GuestNode, GuestTopology, HostNode, HostTopology, PageStock
from computekit.units import Bytes, Gib, Kib, Mib

__all__ = ["HELPLESS", "KINDS", "Case", "Kind"]

SSD, GPU = Trait("CUSTOM_SSD"), Trait("CUSTOM_GPU")
CARD = ResourceClass("CUSTOM_CARD")
GROUP = ServerGroupId("5c4a6f0e-3a53-4bd5-9c8c-0a6e5a3d9a11")
PLAIN, FREELY, ANYWHERE = Policy(), SchedulingRun(), PlacementIntent()
Classes: TypeAlias = Mapping[ResourceClass, Inventory | int]
TOTALS: Classes = MappingProxyType({VCPU: 16, MEMORY_MB: 65_536, DISK_GB: 500})


@attrs.frozen(eq=False)
class Case:
    """A request, what it is asked of, and by which policy; nothing of it is shared.

    Attributes:
        fleet: of a few hosts.
        request: that none of them takes.
        policy: by which it is decided.
    """

    fleet: FleetIndex
    request: Request
    policy: Policy = PLAIN


Kind: TypeAlias = Callable[[random.Random], Case]


def use(
    name: str, totals: Classes, used: Mapping[ResourceClass, int], root: str, *traits: Trait
) -> ProviderUse:
    inventories = {n: t if isinstance(t, Inventory) else Inventory(t) for n, t in totals.items()}
    parent = None if name == root else ProviderId(root)
    provider = Provider(ProviderId(name), name, parent, FrozenMap(inventories), frozenset(traits))
    return ProviderUse(provider, ProviderId(root), FrozenMap(used))


def fleet(
    source: random.Random,
    *,
    totals: Classes = TOTALS,
    used: Callable[[], Mapping[ResourceClass, int]] = dict,
    traits: tuple[Trait, ...] = (),
    cells: int = 0,
    change: Callable[[Host], Host] = lambda host: host,
) -> FleetIndex:
    """Return two to nine hosts; with cells, each has so many providers below it."""
    found = FleetIndex()
    for at in range(source.randint(2, 9)):
        name = f"h{at}"
        facts = HostFacts(
            name=HostName(name),
            arch="x86_64",
            cpus=16,
            memory_mib=Mib(65_536),
            disk_gib=Gib(500),
            cells=(),
            hypervisor="QEMU",
            hypervisor_version=8_000_000,
            library_version=0,
            virt_type="kvm",
            machine_types=frozenset({"q35"}),
            uefi=True,
            address=f"10.0.{at}.1",
        )
        zone = source.choice(("az1", "az2", None))
        host = change(Host(HostName(name), ProviderId(name), facts, zone))
        if not cells:
            uses = [use(name, totals, used(), name, *traits)]
        else:
            uses = [use(name, {DISK_GB: 500}, {}, name, *traits)]
            uses += [use(f"{name}.{c}", totals, used(), name) for c in range(cells)]
        found.put([(host, uses)])
    return found


def request(
    resources: Mapping[ResourceClass, int] | None = None,
    *,
    group: RequestGroup | None = None,
    run: SchedulingRun = FREELY,
    intent: PlacementIntent = ANYWHERE,
) -> Request:
    """Return a request for a little, or for what is given."""
    plain = group or RequestGroup(resources=FrozenMap(resources or {VCPU: 2, MEMORY_MB: 2_048}))
    return Request(PlacementRequest((plain,)), intent, run)


def flavor(**specs: str) -> Flavor:
    extra_specs = {key.replace("__", ":"): text for key, text in specs.items()}
    return Flavor(FlavorId("f"), "small", 2, Mib(2_048), extra_specs=FrozenMap(extra_specs))


def image(**properties: str) -> Image:
    found = FrozenMap(properties)
    return Image(ImageId("i"), "image", "raw", Bytes(1), Bytes(1), "", properties=found)


def policy(*names: str) -> Policy:
    return Policy(rules=tuple(FILTERS[name] for name in names))


def grouped(found: FleetIndex, **metadata: str) -> FleetIndex:
    """Return a fleet all of whose hosts are in one aggregate."""
    hosts = frozenset(found.names)
    found.put_aggregates((Aggregate(1, AggregateId("u1"), "n1", FrozenMap(metadata), hosts),))
    return found


def amount(source: random.Random) -> Case:
    def used() -> dict[ResourceClass, int]:
        return {VCPU: source.randint(10, 16), MEMORY_MB: 1_024 * source.randint(40, 64)}

    asked = {VCPU: source.randint(7, 16), MEMORY_MB: 1_024 * source.randint(25, 70)}
    return Case(fleet(source, used=used), request(asked))


def both_ways(source: random.Random) -> Case:
    """Return more than a host has at all, while it is full."""
    return Case(fleet(source, used=lambda: {VCPU: 16}), request({VCPU: source.randint(17, 40)}))


def units(source: random.Random) -> Case:
    stock = Inventory(16, min_unit=source.choice((1, 2)), max_unit=8, step_size=2)
    totals = {**TOTALS, VCPU: stock}
    return Case(fleet(source, totals=totals), request({VCPU: source.choice((1, 3, 5, 9, 12))}))


def groups(source: random.Random) -> Case:
    asked = [source.randint(6, 9) for _ in range(3)]
    parts = [RequestGroup(f"_{at}", FrozenMap({VCPU: n})) for at, n in enumerate(asked)]
    return Case(fleet(source), Request(PlacementRequest(parts, "none")))


def pieces(source: random.Random) -> Case:
    found = fleet(source, cells=2, used=lambda: {VCPU: source.randint(9, 12)})
    return Case(found, request({VCPU: source.randint(8, 12)}))


def together(source: random.Random) -> Case:
    asked = [5, 5, source.randint(5, 7)]
    parts = [RequestGroup(f"_{at}", FrozenMap({VCPU: n})) for at, n in enumerate(asked)]
    found = fleet(source, cells=2, totals={VCPU: 8}, used=lambda: {VCPU: source.randint(0, 1)})
    return Case(found, Request(PlacementRequest(parts, "none")))


def branch(source: random.Random) -> Case:
    found = fleet(source, cells=2, totals={VCPU: 8}, traits=())
    for name in tuple(found.names):
        row = found.row(name)
        assert row is not None
        card = use(f"{name}.card", {CARD: 1}, {}, name)
        found.put_tree(name, (*found.tree(row), card))
    parts = (RequestGroup("_1", FrozenMap({VCPU: 1})), RequestGroup("_2", FrozenMap({CARD: 1})))
    return Case(
        found, Request(PlacementRequest(parts, "none", same_subtree=(frozenset({"_1", "_2"}),)))
    )


def isolate(source: random.Random) -> Case:
    parts = [RequestGroup(f"_{at}", FrozenMap({VCPU: 1})) for at in range(source.randint(2, 3))]
    return Case(fleet(source), Request(PlacementRequest(parts, "isolate")))


def named(source: random.Random) -> Case:
    found = fleet(source)
    host = source.choice(found.names)
    row = found.row(host)
    assert row is not None
    found.put_tree(host, (use(host, TOTALS, {VCPU: 15}, host),))
    return Case(found, request(run=SchedulingRun(host=host)))


def ignored(source: random.Random) -> Case:
    found = fleet(source)
    return Case(found, request(run=SchedulingRun(frozenset(found.names))))


def figures(name: str, rule: str) -> Kind:
    def kind(source: random.Random) -> Case:
        found = fleet(source)
        for host in found.names:
            found.set_figures(host, {name: source.randint(50, 60)})
        return Case(found, request(), policy(rule))

    return kind


def bounds(name: str, rule: str) -> Kind:
    def kind(source: random.Random) -> Case:
        found = grouped(fleet(source), **{f"max_{name}_per_host": str(source.randint(1, 4))})
        for host in found.names:
            found.set_figures(host, {name: source.randint(4, 9)})
        return Case(found, request(), policy(rule))

    return kind


def members(rule: PlacementRule) -> Kind:
    def kind(source: random.Random) -> Case:
        found = fleet(source)
        found.groups.put(ServerGroup(GROUP, "g", ProjectId("p"), (rule,)))
        where = found.names if rule.kind is RuleKind.SPREAD else (HostName("elsewhere"),)
        for at, host in enumerate(where):
            found.groups.move(ConsumerId(f"m{at}"), {GROUP: {HOST_LEVEL: frozenset({host})}})
        return Case(found, request(intent=PlacementIntent(group=GROUP)))

    return kind


def nodes(*free: int) -> Kind:
    """Return a kind whose guest wants three pinned CPUs on one node; so many are free on each."""

    def kind(source: random.Random) -> Case:
        found = fleet(source)
        for host in found.names:
            cells = tuple(
                HostNode(
                    id=at,
                    dedicated=frozenset(range(4 * at, 4 * at + 4)),
                    shared=frozenset(),
                    pinned=frozenset(range(4 * at, 4 * at + 4 - source.randint(0, most))),
                    memory_mib=Mib(8_192),
                    pages=(PageStock(Kib(4), 1 << 21),),
                )
                for at, most in enumerate(free)
            )
            found.put_cells(host, HostTopology(cells))
        guest = GuestTopology((GuestNode(Mib(1_024), frozenset(range(3))),))
        return Case(found, attrs.evolve(request({VCPU: 3, MEMORY_MB: 1_024}), topology=guest))

    return kind


def devices(source: random.Random) -> Case:
    found = fleet(source)
    for host in found.names:
        found.set_figures(host, {"free_pci_devices": source.randint(0, 1)})
    intent = PlacementIntent(flavor=flavor(pci_passthrough__alias="gpu:2"))
    return Case(found, request(intent=intent), policy("PciPassthroughFilter"))


def several(source: random.Random) -> Case:
    """Return a refusal of several rules at once, others on each host."""
    found = fleet(
        source,
        used=lambda: {VCPU: source.randint(9, 16)},
        change=lambda host: attrs.evolve(
            host,
            up=source.random() < 0.5,
            disabled=source.choice((None, "fan")),
            zone=source.choice(("az1", "az2")),
        ),
    )
    group = RequestGroup(resources=FrozenMap({VCPU: 8}), required=frozenset({frozenset({SSD})}))
    return Case(found, request(group=group, intent=PlacementIntent(zone="az1")))


def of_status(change: Callable[[Host], Host]) -> Kind:
    return lambda source: Case(fleet(source, change=change), request())


def of_group(group: RequestGroup) -> Kind:
    """Return a kind whose unsuffixed group asks for something that no provider has."""
    asked = attrs.evolve(group, resources=FrozenMap({VCPU: 1}))
    return lambda source: Case(fleet(source, traits=(GPU,)), request(group=asked))


def of_root(placement: PlacementRequest) -> Kind:
    asked = attrs.evolve(placement, groups=request().placement.groups)
    return lambda source: Case(fleet(source, traits=(GPU,)), Request(asked))


def of_intent(intent: PlacementIntent, *names: str) -> Kind:
    return lambda source: Case(fleet(source), request(intent=intent), policy(*names))


def of_metadata(name: str, metadata: Mapping[str, str], intent: PlacementIntent) -> Kind:
    return lambda source: Case(
        grouped(fleet(source), **metadata), request(intent=intent), policy(name)
    )


def of_delta(delta: RequestDelta) -> Kind:
    return lambda source: Case(grouped(fleet(source)), attrs.evolve(request(), deltas=(delta,)))


def of_aggregate(source: random.Random) -> Case:
    found = FleetIndex()
    plain = fleet(source)
    for host in plain.names:
        row = plain.row(host)
        assert row is not None
        (root,) = plain.tree(row)
        provider = attrs.evolve(root.provider, aggregates=frozenset({AggregateId("bad")}))
        facts = HostFacts(
            host, "x86_64", 1, Mib(1), Gib(1), (), "QEMU", 1, 0, "kvm", frozenset(), uefi=True
        )
        uses = (attrs.evolve(root, provider=provider),)
        found.put([(Host(host, root.provider.id, facts), uses)])
    group = RequestGroup(
        resources=FrozenMap({VCPU: 1}), not_member_of=frozenset({AggregateId("bad")})
    )
    return Case(found, request(group=group))


def hinted(**hints: str) -> FrozenMap[str, tuple[str, ...]]:
    return FrozenMap({name: (text,) for name, text in hints.items()})


def beside(source: random.Random) -> Case:
    return Case(
        fleet(source),
        request(intent=PlacementIntent(hints=hinted(same_host="gone"))),
        policy("SameHostFilter"),
    )


def away(source: random.Random) -> Case:
    found = fleet(source)
    run = SchedulingRun(hosts_of=FrozenMap({InstanceId("vm"): frozenset(found.names)}))
    asked = request(run=run, intent=PlacementIntent(hints=hinted(different_host="vm")))
    return Case(found, asked, policy("DifferentHostFilter"))


def unreported(source: random.Random) -> Case:
    wanted = frozenset(source.sample(("load", "watts", "heat"), source.randint(1, 3)))
    return Case(fleet(source), request(), Policy(rules=(MetricsFilter(wanted),)))


def isolated(source: random.Random) -> Case:
    rule = IsolatedHostsFilter(frozenset({ImageId("i")}), frozenset())
    return Case(
        fleet(source), request(intent=PlacementIntent(image=image())), Policy(rules=(rule,))
    )


def plain_function(source: random.Random) -> Case:
    rule = HostFilter("licence", lambda _host: "no licence")
    return Case(fleet(source), request(), Policy(filters=(rule,)))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "disabled": of_status(lambda host: attrs.evolve(host, disabled="fan")),
        "down": of_status(lambda host: attrs.evolve(host, up=False)),
        "zone": of_intent(PlacementIntent(zone="az9")),
        "machine type": lambda s: Case(fleet(s), attrs.evolve(request(), machine_type="pc")),
        "amount": amount,
        "more than there is": both_ways,
        "no such class": lambda s: Case(fleet(s), request({VCPU: 1, CARD: 1})),
        "units": units,
        "groups": groups,
        "pieces": pieces,
        "together": together,
        "branch": branch,
        "isolate": isolate,
        "trait": of_group(RequestGroup(required=frozenset({frozenset({SSD})}))),
        "any trait": of_group(
            RequestGroup(required=frozenset({frozenset({SSD, Trait("CUSTOM_NVME")})}))
        ),
        "forbidden trait": of_group(RequestGroup(forbidden=frozenset({GPU}))),
        "trait of the host": of_root(PlacementRequest((), root_required=frozenset({SSD}))),
        "forbidden of the host": of_root(PlacementRequest((), root_forbidden=frozenset({GPU}))),
        "aggregate": of_group(
            RequestGroup(member_of=frozenset({frozenset({AggregateId("other")})}))
        ),
        "forbidden aggregate": of_aggregate,
        "tree": of_group(RequestGroup(in_tree=ProviderId("nowhere"))),
        "named host": named,
        "ignored hosts": ignored,
        "several rules": several,
        "instances": figures("instances", "NumInstancesFilter"),
        "io ops": figures("io_ops", "IoOpsFilter"),
        "metrics": unreported,
        "devices": devices,
        "aggregate instances": bounds("instances", "AggregateNumInstancesFilter"),
        "aggregate io ops": bounds("io_ops", "AggregateIoOpsFilter"),
        "aggregate extra specs": of_metadata(
            "AggregateInstanceExtraSpecsFilter",
            {"ssd": "no"},
            PlacementIntent(flavor=flavor(ssd="yes")),
        ),
        "malformed extra spec": of_metadata(
            "AggregateInstanceExtraSpecsFilter",
            {"n": "1"},
            PlacementIntent(flavor=flavor(n="<or>")),
        ),
        "aggregate image properties": of_metadata(
            "AggregateImagePropertiesIsolation",
            {"os": "linux"},
            PlacementIntent(image=image(os="windows")),
        ),
        "projects": of_metadata(
            "AggregateMultiTenancyIsolation",
            {"filter_tenant_id": "a,b"},
            PlacementIntent(project=ProjectId("c")),
        ),
        "flavors": of_metadata(
            "AggregateTypeAffinityFilter",
            {"instance_type": "large"},
            PlacementIntent(flavor=flavor()),
        ),
        "capability": of_intent(
            PlacementIntent(flavor=flavor(capabilities__hypervisor_version=">= 9000000")),
            "ComputeCapabilitiesFilter",
        ),
        "kind of guest": of_intent(
            PlacementIntent(image=image(hw_architecture="ppc64le")), "ImagePropertiesFilter"
        ),
        "hypervisor version": of_intent(
            PlacementIntent(image=image(img_hv_requested_version=">9")), "ImagePropertiesFilter"
        ),
        "query": of_intent(
            PlacementIntent(hints=hinted(query='["=", "$host", "h99"]')), "JsonFilter"
        ),
        "malformed query": of_intent(PlacementIntent(hints=hinted(query="nonsense")), "JsonFilter"),
        "same host": beside,
        "different host": away,
        "network": of_intent(
            PlacementIntent(hints=hinted(build_near_host_ip="10.9.9.9")), "SimpleCIDRAffinityFilter"
        ),
        "apart": members(PlacementRule(RuleKind.SPREAD, HOST_LEVEL)),
        "at most two": members(PlacementRule(RuleKind.SPREAD, HOST_LEVEL, max_per_domain=1)),
        "with the others": members(PlacementRule(RuleKind.TOGETHER, HOST_LEVEL)),
        "zone of volumes": lambda s: Case(
            fleet(s), request(run=SchedulingRun(zones=frozenset({"az9"})))
        ),
        "refused by a request filter": of_delta(RequestDelta("mine", refusal="not today")),
        "aggregates of a request filter": of_delta(
            RequestDelta("mine", any_of=frozenset({frozenset({AggregateId("other")})}))
        ),
        "kept out by a request filter": of_delta(
            RequestDelta("mine", none_of=frozenset({AggregateId("u1")}))
        ),
        "NUMA nodes": nodes(1, 1),
        "NUMA fit": nodes(2, 2, 2),
    }
)
"""Refusals that some change cures."""

HELPLESS: Mapping[str, Kind] = MappingProxyType(
    {
        "isolated hosts": isolated,
        "plain function": plain_function,
        "only one class": lambda source: Case(fleet(source), request({CARD: 1})),
        "project unknown": of_metadata(
            "AggregateMultiTenancyIsolation", {"filter_tenant_id": "a"}, PlacementIntent()
        ),
    }
)
"""Refusals that no change on the list cures."""
