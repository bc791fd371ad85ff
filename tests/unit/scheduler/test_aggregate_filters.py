"""Nova's filters on the metadata of aggregates."""

import pytest

from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler import (
    AggregateImagePropertiesIsolation,
    AggregateInstanceExtraSpecsFilter,
    AggregateIoOpsFilter,
    AggregateMultiTenancyIsolation,
    AggregateNumInstancesFilter,
    AggregateTypeAffinityFilter,
    HostRule,
    Malformed,
    OverlayRule,
    Policy,
    Request,
    Scheduler,
    Unplaced,
    check_rebuild,
)
from tests.unit.scheduler.fleet import flat, index
from tests.unit.scheduler.intents import aggregate, asking, passing


def fleet() -> FleetIndex:
    """Return hosts `a`..`d`: `b` in one aggregate, `c` in two, `d` in none that matters."""
    found = index(*(flat(name) for name in "abcd"))
    found.put_aggregates(
        [
            aggregate(
                1,
                "b",
                "c",
                ssd="true",
                cpus="4",
                instance_type="small, big",
                filter_tenant_id="p1, p2",
                hw_video_model="vga,qxl",
                hw_architecture="x86_64",
            ),
            aggregate(2, "c", ssd="false", filter_tenant_id_more="p3", instance_type="tiny"),
            aggregate(3, "d", other="x"),
        ]
    )
    for name, count in zip("abcd", (60, 3, 8, 50), strict=True):
        found.set_figures(HostName(name), {"instances": count, "io_ops": count})
    return found


SPECS = AggregateInstanceExtraSpecsFilter()
IMAGES = AggregateImagePropertiesIsolation()


@pytest.mark.parametrize(
    ("rule", "asked", "hosts"),
    [
        (SPECS, asking(), "abcd"),
        (SPECS, asking(no_flavor=True), "abcd"),
        (SPECS, asking({"ssd": "true"}), "bc"),
        (SPECS, asking({"ssd": "false"}), "c"),
        (SPECS, asking({"aggregate_instance_extra_specs:ssd": "<or> false <or> no"}), "c"),
        (SPECS, asking({"aggregate_instance_extra_specs:cpus": ">= 4", "ssd": "s!= x"}), "bc"),
        (SPECS, asking({"cpus": ">= 5"}), ""),
        (SPECS, asking({"cpus": ">= four"}), ""),
        (SPECS, asking({"hw:ssd": "never", "capabilities:ssd": "never"}), "abcd"),
        (SPECS, asking({"unknown": "true"}), ""),
        (IMAGES, asking(), "abcd"),
        (IMAGES, asking(image={}), "abcd"),
        (IMAGES, asking(image={"hw_video_model": "qxl"}), "abcd"),
        (IMAGES, asking(image={"hw_video_model": "virtio"}), "ad"),
        (IMAGES, asking(image={"hw_architecture": "AMD64"}), "abcd"),
        (IMAGES, asking(image={"hw_video_model": ""}), "abcd"),
        (
            AggregateImagePropertiesIsolation("hw"),
            asking(image={"hw_video_model": "virtio"}),
            "abcd",
        ),
        (
            AggregateImagePropertiesIsolation("hw", "_"),
            asking(image={"hw_video_model": "virtio", "ssd": "x"}),
            "ad",
        ),
        (AggregateMultiTenancyIsolation(), asking(project="p1"), "abcd"),
        (AggregateMultiTenancyIsolation(), asking(project="p3"), "acd"),
        (AggregateMultiTenancyIsolation(), asking(project="p"), "ad"),
        (AggregateMultiTenancyIsolation(), asking(), "ad"),
        (AggregateTypeAffinityFilter(), asking(), "abcd"),
        (AggregateTypeAffinityFilter(), asking(flavor="tiny"), "acd"),
        (AggregateTypeAffinityFilter(), asking(flavor="huge"), "ad"),
        (AggregateTypeAffinityFilter(), asking(no_flavor=True), "abcd"),
        (AggregateNumInstancesFilter(), asking(), "bc"),
        (AggregateNumInstancesFilter(4), asking(), "b"),
        (AggregateIoOpsFilter(), asking(), "b"),
        (AggregateIoOpsFilter(51), asking(), "bcd"),
    ],
)
def test_who_passes(rule: HostRule | OverlayRule, asked: Request, hosts: str) -> None:
    assert passing(fleet(), rule, asked) == hosts


@pytest.mark.parametrize(
    ("bounds", "hosts", "there"),
    [
        (("9",), "abcd", "8, bound 9"),
        (("9", "8"), "ab", "8, bound 8"),
        (("9", "many"), "abcd", "8, bound 50 ('many' is no whole number)"),
        ((), "abcd", "8, bound 50"),
    ],
)
def test_the_least_bound_of_the_aggregates_holds(
    bounds: tuple[str, ...], hosts: str, there: str
) -> None:
    found = index(*(flat(name) for name in "abcd"))
    for name in "cd":
        found.set_figures(HostName(name), {"instances": 8})
    found.put_aggregates(
        aggregate(number, "c", "d", max_instances_per_host=bound)
        for number, bound in enumerate(bounds)
    )
    rule = AggregateNumInstancesFilter()
    assert passing(found, rule, asking()) == hosts
    (predicate,) = rule.predicates(asking())
    assert predicate.there(found, 2) == there


def test_a_change_of_an_aggregate_is_seen_by_the_next_decision() -> None:
    found = fleet()
    scheduler = Scheduler(found, Policy(rules=(SPECS,)))

    def hosts() -> str:
        candidates = scheduler.place(asking({"ssd": "true"})).candidates()
        return "".join(sorted(candidate.host for candidate in candidates))

    assert hosts() == "bc"
    found.put_aggregates([aggregate(4, "d", ssd="true")])
    assert hosts() == "bcd"
    found.remove_aggregates([aggregate(1).uuid])
    assert hosts() == "d"
    found.put([flat("e")])
    found.put_aggregates([aggregate(5, "e", "new", ssd="true")])
    assert hosts() == "de"
    found.put([flat("new")])
    assert hosts() == "denew"


def test_what_cannot_be_read_says_so_and_leaves_others_alone() -> None:
    decision = Scheduler(fleet(), Policy(rules=(SPECS,))).place(asking({"ssd": "<or>"}))
    assert isinstance(decision, Unplaced)
    assert decision.summary == "none of 4 hosts fits: 4 fail aggregate ssd <or>"
    explanation = decision.explain()
    assert explanation.near_misses[0].failing[0].there == "<or> needs something after it"
    assert explanation.remedies[0].text == "do without extra spec ssd: then a fits"
    assert isinstance(SPECS.predicates(asking({"ssd": "<or>"}))[0], Malformed)


def test_a_refusal_says_what_the_aggregates_say() -> None:
    decision = Scheduler(fleet(), Policy(rules=(AggregateMultiTenancyIsolation(),))).place(
        asking(project="p9")
    )
    report = decision.explain().host(HostName("c"))  # type: ignore[union-attr]  # not past
    assert report is not None
    assert [(v.asked, v.there) for v in report.failing] == [("project p9", "only for p1, p2, p3")]


def test_a_rebuild_asks_the_rules_about_images_only() -> None:
    policy = Policy(rules=(IMAGES, SPECS))
    asked = asking({"ssd": "no"}, {"hw_video_model": "virtio"})
    found = fleet()
    found.set_status(HostName("a"), disabled="fan", up=False)
    assert check_rebuild(found, asked, policy, HostName("a")).fits
    refused = check_rebuild(found, asked, policy, HostName("b"))
    (verdict,) = refused.failing
    assert (verdict.rule, verdict.there) == ("aggregate hw_video_model", "qxl, vga")


def test_projects_share_what_their_requests_have_in_common() -> None:
    found = fleet()
    scheduler = Scheduler(found, Policy(rules=(AggregateMultiTenancyIsolation(),)), shapes=1)
    for project, hosts in (("p1", "abcd"), ("p9", "ad"), ("p3", "acd"), ("p1", "abcd")):
        candidates = scheduler.place(asking(project=project)).candidates()
        assert "".join(sorted(candidate.host for candidate in candidates)) == hosts
    found.remove_aggregates([aggregate(number).uuid for number in (1, 2)])
    candidates = scheduler.place(asking(project="p9")).candidates()
    assert len(tuple(candidates)) == 4
