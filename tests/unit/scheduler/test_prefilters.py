"""Request filters: what each adds, merged once, told, and never the cause of another's failure."""

import itertools

import attrs
import pytest

from computekit.guest import GuestFeature
from computekit.ids import AggregateId, FlavorId, HostName, ImageId, ProjectId
from computekit.model import VCPU, Aggregate, Flavor, FrozenMap, Image, RequestGroup, Trait
from computekit.placement import FleetIndex
from computekit.scheduler import (
    PREFILTERS,
    AcceleratorPrefilter,
    ComputeStatusPrefilter,
    FeaturePrefilter,
    FilterContext,
    ImageMetadataPrefilter,
    ImageTypePrefilter,
    IsolatedAggregatesPrefilter,
    OwnerPrefilter,
    Placed,
    PlacementIntent,
    Policy,
    Prefilter,
    RemoteManagedPortsPrefilter,
    Request,
    RequestDelta,
    RoutedNetworksPrefilter,
    Scheduler,
    SegmentAggregates,
    TenantAggregatesPrefilter,
    Unplaced,
    prefiltered,
)
from computekit.scheduler.request_delta import merged
from computekit.units import Bytes, Mib
from tests.unit.scheduler.fleet import SSD, flat, index, request

FLAVOR = Flavor(FlavorId("f"), "f", 1, Mib(64))
IMAGE = Image(ImageId("i"), "i", "qcow2", Bytes(1), Bytes(1), "")
P = ProjectId("p")


def intent(
    specs: dict[str, str] | None = None,
    properties: dict[str, str] | None = None,
    disk_format: str = "qcow2",
) -> PlacementIntent:
    return PlacementIntent(
        project=P,
        flavor=attrs.evolve(FLAVOR, extra_specs=FrozenMap(specs or {})),
        image=attrs.evolve(IMAGE, disk_format=disk_format, properties=FrozenMap(properties or {})),
    )


def aggregate(number: int, *hosts: str, **metadata: str) -> Aggregate:
    return Aggregate(
        number,
        AggregateId(f"u{number}"),
        f"g{number}",
        FrozenMap({key.replace("__", ":"): text for key, text in metadata.items()}),
        frozenset(map(HostName, hosts)),
    )


def traits(*names: str) -> frozenset[Trait]:
    return frozenset(map(Trait, names))


def sets(*uuids: str) -> frozenset[frozenset[AggregateId]]:
    return frozenset({frozenset(map(AggregateId, uuids))}) if uuids else frozenset()


@pytest.mark.parametrize(
    ("prefilter", "asked", "required"),
    [
        (ImageTypePrefilter(), intent(), {"COMPUTE_IMAGE_TYPE_QCOW2"}),
        (ImageTypePrefilter(), PlacementIntent(), set()),
        (
            ImageMetadataPrefilter(),
            intent(properties={"hw_disk_bus": "virtio", "hw_vif_model": "e1000"}),
            {"COMPUTE_STORAGE_BUS_VIRTIO", "COMPUTE_NET_VIF_MODEL_E1000"},
        ),
        (
            ImageMetadataPrefilter(),
            intent(properties={"hw_vif_model": "lan9118", "hw_architecture": "x86_64"}),
            {"COMPUTE_NET_VIF_MODEL_LAN9118", "HW_ARCH_X86_64"},
        ),
        (AcceleratorPrefilter(), intent({"accel:device_profile": "x"}), {"COMPUTE_ACCELERATORS"}),
        (AcceleratorPrefilter(), intent(), set()),
        (
            FeaturePrefilter("packed", frozenset({GuestFeature.PACKED_VIRTQUEUE})),
            intent({"hw:virtio_packed_ring": "yes", "hw:tpm_version": "2.0"}),
            {"COMPUTE_NET_VIRTIO_PACKED"},
        ),
        (OwnerPrefilter(), intent(), {"OWNER_NOVA"}),
        (RemoteManagedPortsPrefilter(), intent(), set()),
    ],
)
def test_traits_that_are_required(
    prefilter: Prefilter, asked: PlacementIntent, required: set[str]
) -> None:
    found = prefilter.delta(asked, FilterContext())
    assert found == RequestDelta(prefilter.name, required=traits(*required))


def test_a_trait_that_there_is_not_costs_only_itself() -> None:
    asked = intent(properties={"hw_disk_bus": "floppy\x00net", "hw_cdrom_bus": "sata"})
    found = ImageMetadataPrefilter().delta(asked, FilterContext())
    assert found.required == {"COMPUTE_STORAGE_BUS_SATA"}
    assert len(found.notes) == 1
    (note,) = ImageTypePrefilter().delta(intent(disk_format="odd"), FilterContext()).notes
    assert note == "there is no trait COMPUTE_IMAGE_TYPE_ODD"


def test_an_image_on_a_volume_is_no_matter_of_the_host() -> None:
    context = FilterContext(root_on_volume=True)
    assert ImageTypePrefilter().delta(intent(), context) == RequestDelta("image type")


def test_a_status_of_others_is_obeyed() -> None:
    found = ComputeStatusPrefilter().delta(intent(), FilterContext())
    assert found.forbidden == {"COMPUTE_STATUS_DISABLED"}


def test_ports_managed_from_afar() -> None:
    context = FilterContext(remote_managed_ports=True)
    found = RemoteManagedPortsPrefilter().delta(intent(), context)
    assert found.required == {"COMPUTE_REMOTE_MANAGED_PORTS"}


@pytest.mark.parametrize("needed", [False, True])
def test_aggregates_of_a_project(needed: bool) -> None:
    mine = aggregate(1, filter_tenant_id="p")
    too = aggregate(2, filter_tenant_id_2="p")
    other = aggregate(3, filter_tenant_id="q")
    asked, by = intent(), TenantAggregatesPrefilter(needed)
    found = by.delta(asked, FilterContext((mine, too, other)))
    assert found.any_of == sets("u1", "u2")
    none = by.delta(asked, FilterContext((other,)))
    assert (none.refusal is not None) is needed
    assert none.any_of == frozenset()


def test_aggregates_for_traits_are_for_who_requires_them_all() -> None:
    fast = aggregate(1, trait__CUSTOM_SSD="required")
    both = aggregate(2, trait__CUSTOM_SSD="required", trait__CUSTOM_X="required", ssd="true")
    plain = aggregate(3, ssd="true", trait__CUSTOM_Y="forbidden")
    known = (fast, both, plain)
    by = IsolatedAggregatesPrefilter()
    assert by.delta(intent(), FilterContext(known)).none_of == {"u1", "u2"}
    assert by.delta(intent(), FilterContext(known, frozenset({SSD}))).none_of == {"u2"}


def test_each_network_is_to_be_had_on_one_of_its_segments() -> None:
    here, there = frozenset({AggregateId("s1")}), frozenset({AggregateId("s2"), AggregateId("s3")})
    networks = (
        SegmentAggregates("a", here),
        SegmentAggregates("flat"),
        SegmentAggregates("b", there),
    )
    by = RoutedNetworksPrefilter()
    assert by.delta(intent(), FilterContext(networks=networks)).any_of == {here, there}
    lost = (*networks, SegmentAggregates("c", None))
    refused = by.delta(intent(), FilterContext(networks=lost))
    assert refused.refusal == "the segments of c could not be found out"


def test_what_contradicts_itself_is_refused_with_its_faults() -> None:
    by = FeaturePrefilter("TPM", frozenset({GuestFeature.TPM_2_0}))
    found = by.delta(intent({"hw:tpm_version": "9"}), FilterContext())
    assert found.refusal is not None
    assert "hw:tpm_version" in found.refusal


def fleet() -> FleetIndex:
    found = index(flat("a", traits=(SSD,)), flat("b", memory=100), flat("c", memory=200))
    found.put_aggregates(
        [
            aggregate(1, "a", trait__CUSTOM_SSD="required"),
            aggregate(2, "b", filter_tenant_id="p"),
        ]
    )
    return found


def asked(**more: str) -> Request:
    return attrs.evolve(request(), intent=attrs.evolve(intent(), zone=more.get("zone")))


@pytest.mark.parametrize(
    ("prefilters", "host"),
    [
        ((), "a"),
        ((IsolatedAggregatesPrefilter(),), "b"),
        ((TenantAggregatesPrefilter(),), "b"),
        ((ImageTypePrefilter(),), None),
        ((ComputeStatusPrefilter(),), "a"),
    ],
)
def test_a_policy_applies_its_own(prefilters: tuple[Prefilter, ...], host: str | None) -> None:
    decision = Scheduler(fleet(), Policy(prefilters=prefilters)).place(asked())
    assert (decision.host if isinstance(decision, Placed) else None) == host


def test_an_aggregate_that_changes_counts_at_once() -> None:
    found = fleet()
    scheduler = Scheduler(found, Policy(prefilters=(TenantAggregatesPrefilter(),)))
    decision = scheduler.place(asked())
    assert isinstance(decision, Placed)
    assert decision.host == "b"
    found.put_aggregates([aggregate(2, "c", filter_tenant_id="p")])
    decision = scheduler.place(asked())
    assert isinstance(decision, Placed)
    assert decision.host == "c"


def test_whose_they_are_is_told() -> None:
    by = (ImageTypePrefilter(), TenantAggregatesPrefilter(), IsolatedAggregatesPrefilter())
    decision = Scheduler(fleet(), Policy(prefilters=by)).place(asked())
    assert isinstance(decision, Unplaced)
    rules = {(report.rule, report.asked) for report in decision.explain().rules}
    assert ("image type", "asks COMPUTE_IMAGE_TYPE_QCOW2") in rules
    assert ("tenant aggregates", "in u2") in rules
    assert ("isolated aggregates", "not in u1") in rules
    assert "trait COMPUTE_IMAGE_TYPE_QCOW2" in decision.summary


def test_a_refusal_is_a_rule_that_nobody_passes_and_can_be_done_without() -> None:
    none = Policy(prefilters=(TenantAggregatesPrefilter(needed=True),))
    found = index(flat("a"))
    decision = Scheduler(found, none).place(asked())
    assert isinstance(decision, Unplaced)
    assert "tenant aggregates no aggregate is for project p" in decision.summary
    remedies = decision.explain().remedies
    assert any("tenant aggregates" in remedy.text for remedy in remedies)


def test_they_are_applied_once() -> None:
    policy = Policy(prefilters=(ImageTypePrefilter(),))
    once = prefiltered(asked(), policy, fleet())
    assert prefiltered(once, policy, fleet()) is once
    assert prefiltered(asked(), Policy(), fleet()) == asked()


def test_their_order_does_not_matter() -> None:
    found = fleet()
    few = (PREFILTERS[0], PREFILTERS[1], PREFILTERS[2], PREFILTERS[3])
    placements = {
        prefiltered(asked(), Policy(prefilters=order), found).placement
        for order in itertools.permutations(few)
    }
    assert len(placements) == 1


def test_groups_are_added_once_and_never_over_what_is_asked() -> None:
    asked_for = request().placement
    extra = RequestGroup("_port", {VCPU: 1})
    other = RequestGroup("", {VCPU: 9})
    deltas = (RequestDelta("a", groups=(extra, other)), RequestDelta("b", groups=(extra,)))
    found = merged(asked_for, deltas)
    assert found.groups == (*asked_for.groups, extra)
    assert merged(asked_for, reversed(deltas)) == found
