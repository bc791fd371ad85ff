"""The fleet in columns."""

import numpy as np
import pytest

from computekit.errors import NotFound
from computekit.ids import AggregateId, HostName, ProviderId
from computekit.model import DISK_GB, MEMORY_MB, VCPU, FrozenMap, Inventory, ResourceClass, Trait
from computekit.placement import FleetIndex
from tests.unit.scheduler.fleet import SSD, flat, host, index, numa, use

ALL = slice(None)


def free(fleet: FleetIndex, name: str, of: ResourceClass = VCPU) -> int:
    row = fleet.row(HostName(name))
    assert row is not None
    return int(fleet.resources[of].free.value[row])


def test_rows_are_in_the_order_of_names_whoever_came_first() -> None:
    fleet = index(flat("c", vcpu=3), flat("a", vcpu=1))
    fleet.put([flat("b", vcpu=2)])
    assert list(fleet.names) == ["a", "b", "c"]
    assert [free(fleet, name) for name in "abc"] == [15, 14, 13]
    fleet.remove([HostName("b"), HostName("nobody")])
    assert list(fleet.names) == ["a", "c"]
    assert [free(fleet, name) for name in "ac"] == [15, 13]
    assert fleet.home(ProviderId("b-root")) is None


def test_a_view_gives_back_what_was_put() -> None:
    fleet = index(flat("a", vcpu=3, zone="z", disabled="x", up=False, traits=(SSD,)))
    view = fleet.view(0)
    assert view.name == "a"
    assert (view.up, view.disabled) == (False, "x")
    assert view.labels == {
        "machine_types": "q35",
        "zone": "z",
        "arch": "x86_64",
        "hypervisor": "fake",
        "virt_type": "kvm",
        "guests": "x86_64/kvm/hvm x86_64/qemu/hvm",
    }
    assert view.figures == {"hypervisor_version": 1_000_000}
    assert view.metadata == {}
    assert view.capacity == {VCPU: 16, MEMORY_MB: 65_536, DISK_GB: 500}
    assert view.free[VCPU] == 13
    assert view.traits == {SSD}
    (provider,) = view.providers
    assert provider.provider.id == "a-root"
    assert provider.used[VCPU] == 3


def test_a_tree_has_the_sum_and_the_largest_piece() -> None:
    fleet = index(numa("a", 1, 5), flat("b"))
    vcpu = fleet.resources[VCPU]
    assert vcpu.capacity.value.tolist() == [16, 16]
    assert vcpu.free.value.tolist() == [10, 16]
    assert vcpu.largest is not None
    assert vcpu.largest.tolist() == [7, 16]
    assert fleet.nested.tolist() == [True, False]
    assert fleet.resources[DISK_GB].largest is None
    assert [u.provider.id for u in fleet.tree(0)] == ["a-root", "a-cell0", "a-cell1"]


def test_what_one_provider_gave_too_much_of_does_not_lessen_another() -> None:
    root, full, empty = numa("a", 0, 0)[1]
    used = FrozenMap({VCPU: 12})
    over = type(full)(full.provider, full.root, used)
    fleet = index((host("a"), (root, over, empty)))
    assert free(fleet, "a") == 8


def test_one_over_committed_provider_is_below_zero() -> None:
    assert free(index(flat("a", vcpu=20)), "a") == -4


def test_claims_and_releases_are_counted_on_flat_and_nested_hosts() -> None:
    fleet = index(numa("a", 1, 5), flat("b", vcpu=2))
    before = fleet.epoch
    taken = {
        ProviderId("a-cell0"): FrozenMap({VCPU: 4}),
        ProviderId("a-root"): FrozenMap({DISK_GB: 100}),
    }
    fleet.apply_claim(taken)
    fleet.apply_claim({ProviderId("b-root"): FrozenMap({VCPU: 1, DISK_GB: 1})})
    assert (free(fleet, "a"), free(fleet, "a", DISK_GB), free(fleet, "b")) == (6, 400, 13)
    largest = fleet.resources[VCPU].largest
    assert largest is not None
    assert largest.tolist() == [3, 13]
    assert fleet.epoch > before
    fleet.apply_release(taken)
    assert (free(fleet, "a"), free(fleet, "a", DISK_GB)) == (10, 500)


def test_a_claim_on_an_unknown_provider_counts_nothing() -> None:
    fleet = index(flat("a"))
    with pytest.raises(NotFound):
        fleet.apply_claim(
            {
                ProviderId("a-root"): FrozenMap({VCPU: 1}),
                ProviderId("nobody"): FrozenMap({VCPU: 1}),
            }
        )
    assert free(fleet, "a") == 16


def test_a_host_that_is_not_there_cannot_be_changed() -> None:
    fleet = index(flat("a"))
    with pytest.raises(NotFound):
        fleet.set_status(HostName("b"), disabled=None, up=True)
    with pytest.raises(NotFound):
        fleet.put_host(host("b"))
    with pytest.raises(NotFound):
        fleet.put_tree(HostName("b"), ())


def test_a_host_without_providers_has_nothing_and_keeps_its_root() -> None:
    fleet = index((host("a"), ()), flat("b"))
    assert free(fleet, "a") == 0
    assert fleet.resources[VCPU].units[0].rules == frozenset()
    assert fleet.home(ProviderId("a-root")) == "a"
    fleet.put_tree(HostName("a"), flat("a")[1])
    assert free(fleet, "a") == 16
    assert fleet.home(ProviderId("a-root")) == "a"


def test_a_tree_that_loses_its_children_is_flat_again() -> None:
    fleet = index(numa("a", 1, 5))
    fleet.put_tree(HostName("a"), [use("a-root", {VCPU: 4}, traits=(SSD,))])
    assert not fleet.nested[0]
    assert free(fleet, "a") == 4
    assert free(fleet, "a", MEMORY_MB) == 0
    assert fleet.home(ProviderId("a-cell0")) is None
    assert fleet.root_traits.of(0) == {SSD}


def test_units_that_differ_within_a_tree_are_kept_apart() -> None:
    fine, coarse = Inventory(8), Inventory(8, min_unit=4, step_size=4)
    tree = (
        use("a-root", {}),
        use("a-1", {VCPU: fine}, root="a-root"),
        use("a-2", {VCPU: coarse}, root="a-root"),
    )
    units = index((host("a"), tree)).resources[VCPU].units[0]
    assert units.rules == {(1, fine.max_unit, 1), (4, fine.max_unit, 4)}
    assert not units.single
    assert units.allow((3, 4))


def test_a_ratio_beyond_all_numbers_is_much_and_not_an_error() -> None:
    vast = Inventory(2**31 - 1, allocation_ratio=3.4e38)
    fleet = index((host("a"), (use("a-root", {VCPU: vast}),)))
    assert free(fleet, "a") > 2**31


def test_whole_columns_make_the_same_index_as_hosts_one_by_one() -> None:
    names = [HostName(name) for name in ("a", "b", "c")]
    bulk = FleetIndex.from_columns(
        names,
        {
            VCPU: Inventory(16),
            MEMORY_MB: (np.array([65_536] * 3), Inventory(1)),
            DISK_GB: Inventory(500),
        },
        providers=[ProviderId(f"{name}-root") for name in names],
        used={VCPU: [1, 2, 3], MEMORY_MB: 7},
        traits={SSD: [True, False, True]},
        aggregates={AggregateId("g"): [False, True, False]},
        labels={"zone": ["z", None, "z"], "arch": ["x86_64"] * 3},
    )
    one_by_one = index(
        flat("a", vcpu=1, memory=7, zone="z", traits=(SSD,)),
        flat("b", vcpu=2, memory=7),
        flat("c", vcpu=3, memory=7, zone="z", traits=(SSD,)),
    )
    for row in range(3):
        left, right = bulk.view(row), one_by_one.view(row)
        assert (left.name, left.free, left.capacity) == (right.name, right.free, right.capacity)
        assert (left.traits, left.up, left.disabled) == (right.traits, True, None)
        assert left.labels.get("zone") == right.labels.get("zone")
    assert bulk.root_aggregates.vector(AggregateId("g"), ALL).tolist() == [False, True, False]
    bulk.apply_claim({ProviderId("b-root"): FrozenMap({VCPU: 1})})
    assert free(bulk, "b") == 13


def test_whole_columns_must_agree() -> None:
    with pytest.raises(ValueError, match="ascending"):
        FleetIndex.from_columns([HostName("b"), HostName("a")], {})
    with pytest.raises(ValueError, match="ascending"):
        FleetIndex.from_columns([HostName("a"), HostName("a")], {})
    with pytest.raises(ValueError, match="one provider"):
        FleetIndex.from_columns([HostName("a")], {}, providers=[])
    with pytest.raises(ValueError, match=r"shape|broadcast"):
        FleetIndex.from_columns([HostName("a")], {VCPU: ([1, 2], Inventory(1))})


@pytest.mark.parametrize("rows", [1, 63, 64, 1000])
def test_traits_are_found_whether_they_are_rare_or_common(rows: int) -> None:
    rare, common = Trait("CUSTOM_RARE"), Trait("CUSTOM_COMMON")
    held = {rare: set(range(0, rows, 100)), common: set(range(0, rows, 2))}
    fleet = index(
        *(flat(f"h{at:04}", traits=tuple(t for t in held if at in held[t])) for at in range(rows))
    )
    for trait, having in held.items():
        wanted = [at in having for at in range(rows)]
        assert fleet.root_traits.vector(trait, ALL).tolist() == wanted
        assert fleet.root_traits.vector(trait, np.arange(0, rows, 7)).tolist() == wanted[::7]
        assert [fleet.root_traits.has(trait, at) for at in range(rows)] == wanted
    fleet.put_tree(HostName("h0000"), flat("h0000")[1])
    assert fleet.root_traits.of(0) == frozenset()
    assert not fleet.root_traits.vector(rare, ALL)[0]


def test_what_changed_is_known_row_by_row_until_it_is_too_much() -> None:
    fleet = index(flat("a"), flat("b"))
    version, layout = fleet.version, fleet.layout
    fleet.set_status(HostName("b"), disabled=None, up=False)
    changed = fleet.changed_since(version)
    assert changed is not None
    assert changed.tolist() == [1]
    for _again in range(70_000):
        fleet.apply_claim({ProviderId("a-root"): FrozenMap({VCPU: 0})})
    assert fleet.changed_since(version) is None
    last = fleet.changed_since(fleet.version - 5)
    assert last is not None
    assert last.tolist() == [0] * 5
    assert fleet.layout == layout
    fleet.put([flat("c")])
    assert fleet.layout > layout


def test_an_index_that_follows_nothing_stays_as_it_is() -> None:
    fleet = index(flat("a"))
    epoch = fleet.epoch
    fleet.refresh()
    assert fleet.epoch == epoch
