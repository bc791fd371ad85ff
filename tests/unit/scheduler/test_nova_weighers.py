"""Nova's weighers: multipliers that aggregates set, and those that look at the request."""

import attrs
import pytest

from computekit.ids import ConsumerId, HostName, InstanceId, ProjectId, ServerGroupId
from computekit.model import (
    HOST_LEVEL,
    MEMORY_MB,
    FrozenMap,
    GroupPolicyName,
    ServerGroup,
    TopologyLevels,
    parse_group_rules,
)
from computekit.placement import FleetIndex
from computekit.scheduler import (
    NOVA_WEIGHERS,
    CrossCellWeigher,
    FigureWeigher,
    FreeWeigher,
    ImagePropertiesWeigher,
    Normalised,
    OverlayWeigher,
    PlacementIntent,
    Policy,
    RamWeigher,
    Request,
    Scheduler,
    SchedulingRun,
    SoftAffinityWeigher,
    SoftAntiAffinityWeigher,
    image_property_figure,
)
from computekit.scheduler.multipliers import multiplier_of
from tests.unit.scheduler.fleet import flat, index
from tests.unit.scheduler.intents import aggregate, asking

MEMORY = (0, 30_000, 60_000)


def fleet() -> FleetIndex:
    """Return hosts `a`..`c`, ever fuller, with ever fewer failed builds."""
    found = index(*(flat(name, memory=used) for name, used in zip("abc", MEMORY, strict=True)))
    for name, failed in zip("abc", (4, 2, 0), strict=True):
        found.set_figures(HostName(name), {"failed_builds": failed})
    return found


def ranked(fleet: FleetIndex, policy: Policy, asked: Request) -> list[tuple[str, float]]:
    candidates = Scheduler(fleet, policy).place(asked).candidates()
    return [(candidate.host, round(candidate.score, 6)) for candidate in candidates]


RAM = NOVA_WEIGHERS["RAMWeigher"]
FAILURES = NOVA_WEIGHERS["BuildFailureWeigher"]


@pytest.mark.parametrize(
    ("values", "multiplier", "note"),
    [
        ((), 2.0, ""),
        (("3",), 3.0, ""),
        (("3", " -1.5 "), -1.5, ""),
        (("3", "much"), 2.0, "'much' is no number"),
        (("nan",), 2.0, "'nan' is no number"),
        (("1e999",), 2.0, "'1e999' is no number"),
        (("",), 2.0, "'' is no number"),
    ],
)
def test_the_least_multiplier_of_the_aggregates_holds(
    values: tuple[str, ...], multiplier: float, note: str
) -> None:
    assert multiplier_of(frozenset(values), 2.0) == (multiplier, note)


def test_an_aggregate_sets_what_a_weigher_counts_for_on_its_hosts() -> None:
    found, policy = fleet(), Policy(Normalised((RAM,)))
    scheduler = Scheduler(found, policy)
    before = ranked(found, policy, asking())
    assert [host for host, _score in before] == ["a", "b", "c"]
    found.put_aggregates(
        [
            aggregate(1, "b", ram_weight_multiplier="3"),
            aggregate(2, "b", "c", ram_weight_multiplier="4"),
        ]
    )
    after = {
        candidate.host: candidate.score for candidate in scheduler.place(asking()).candidates()
    }
    shares = {host: (65_536 - used) / 65_536 for host, used in zip("abc", MEMORY, strict=True)}
    assert after == pytest.approx({"b": 3 * shares["b"], "a": 1.0, "c": 4 * shares["c"]})
    assert list(after) == ["b", "a", "c"]


def test_of_failed_builds_the_aggregate_writes_the_negative() -> None:
    found, policy = fleet(), Policy(Normalised((FAILURES,)))
    assert ranked(found, policy, asking())[0] == ("c", 0.0)
    found.put_aggregates([aggregate(1, "a", build_failure_weight_multiplier="-5")])
    assert ranked(found, policy, asking())[0] == ("a", 5.0)


def test_one_that_counts_for_nothing_may_count_in_an_aggregate() -> None:
    found = fleet()
    found.set_figures(HostName("b"), {"instances": 9})
    policy = Policy(Normalised((NOVA_WEIGHERS["NumInstancesWeigher"],)))
    assert ranked(found, policy, asking()) == [("a", 0.0), ("b", 0.0), ("c", 0.0)]
    found.put_aggregates([aggregate(1, "b", num_instances_weight_multiplier="2")])
    assert ranked(found, policy, asking())[0] == ("b", 2.0)


def test_free_and_figure_weighers_without_an_option_are_left_alone() -> None:
    found = fleet()
    found.put_aggregates([aggregate(1, "a", **{"": "5", "x": "5"})])
    for weigher in (FreeWeigher("w", MEMORY_MB), FigureWeigher("w", "instances")):
        assert weigher.multipliers(found, slice(None)) is None


@pytest.mark.parametrize(
    ("policy", "weigher", "order"),
    [
        ("soft-affinity", SoftAffinityWeigher(), "bca"),
        ("soft-affinity", SoftAntiAffinityWeigher(), "abc"),
        ("soft-affinity", SoftAffinityWeigher(0.0), "abc"),
        ("soft-anti-affinity", SoftAntiAffinityWeigher(), "acb"),
        ("soft-anti-affinity", SoftAffinityWeigher(), "abc"),
        ("anti-affinity", SoftAntiAffinityWeigher(), "a"),
    ],
)
def test_soft_rules_of_a_group_count_its_members_on_each_host(
    policy: GroupPolicyName, weigher: OverlayWeigher, order: str
) -> None:
    found, group = fleet(), ServerGroupId("g")
    rules = parse_group_rules(policy, {}, TopologyLevels())
    found.groups.put(ServerGroup(group, "g", ProjectId("p"), rules))
    for member, host in (("i1", "b"), ("i2", "b"), ("i3", "c"), ("me", "c"), ("i4", "gone")):
        found.groups.move(ConsumerId(member), {group: {HOST_LEVEL: frozenset({host})}})
    asked = attrs.evolve(
        asking(),
        intent=PlacementIntent(group=group),
        run=SchedulingRun(instance=InstanceId("me")),
    )
    by = Policy(Normalised(()), overlay_weighers=(weigher,))
    assert "".join(host for host, _score in ranked(found, by, asked)) == order
    none = attrs.evolve(asked, intent=PlacementIntent())
    assert len(ranked(found, by, none)) == len(MEMORY)
    unknown = attrs.evolve(asked, intent=PlacementIntent(group=ServerGroupId("deleted")))
    assert weigher.weights(unknown, found) == {}


def moved_from(host: str) -> Request:
    run = SchedulingRun(
        instance=InstanceId("i"),
        hosts_of=FrozenMap({InstanceId("i"): frozenset({HostName(host)})}),
    )
    return attrs.evolve(asking(), run=run)


def test_a_move_stays_in_its_cell_if_it_can() -> None:
    found = fleet()
    found.put_aggregates([aggregate(1, "a", "b", cell="1"), aggregate(2, "c", cell="2")])
    policy = Policy(Normalised((RAM,)), overlay_weighers=(CrossCellWeigher(10.0),))
    assert [host for host, _ in ranked(found, policy, moved_from("c"))] == ["c", "a", "b"]
    assert [host for host, _ in ranked(found, policy, moved_from("b"))] == ["a", "b", "c"]
    assert [host for host, _ in ranked(found, policy, asking())] == ["a", "b", "c"]
    found.put_aggregates([aggregate(3, "c", cross_cell_move_weight_multiplier="0")])
    assert [host for host, _ in ranked(found, policy, moved_from("c"))] == ["a", "b", "c"]


@pytest.mark.parametrize("weighing", [(RamWeigher(0.0),), Normalised(())])
def test_hosts_with_like_images_are_preferred(
    weighing: tuple[RamWeigher, ...] | Normalised,
) -> None:
    found = fleet()
    windows = image_property_figure("os_type", "windows")
    bus = image_property_figure("hw_disk_bus", "scsi")
    found.set_figures(HostName("b"), {windows: 2})
    found.set_figures(HostName("c"), {windows: 1, bus: 2})
    asked = asking(image={"os_type": "windows", "hw_disk_bus": "scsi"})

    def best(weigher: OverlayWeigher) -> str:
        return ranked(found, Policy(weighing, overlay_weighers=(weigher,)), asked)[0][0]

    assert best(ImagePropertiesWeigher(1.0)) == "c"
    assert best(ImagePropertiesWeigher(-1.0)) == "a"
    assert best(ImagePropertiesWeigher(1.0, FrozenMap({"os_type": 1.0}))) == "b"
    assert best(ImagePropertiesWeigher()) == "a"
    found.put_aggregates([aggregate(1, "b", image_props_weight_multiplier="5")])
    assert best(ImagePropertiesWeigher()) == "b"
