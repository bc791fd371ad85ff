"""A device for one use: dirty once somebody had it, until somebody has wiped it."""

import json
from pathlib import Path

import attrs
import pytest

from computekit.errors import HostNotReady, PermissionRefused, StateConflict
from computekit.ids import ConsumerId
from computekit.model import FrozenMap, ProviderTree
from computekit.pci import (
    BurnState,
    ClaimUnits,
    CleaningShift,
    DeviceId,
    DevicesWiped,
    EffectKind,
    FakeCleaner,
    FreeUnits,
    HostDevices,
    MemoryBurns,
    PciAddress,
    PciHost,
    PciPlan,
    PciState,
    ReservePolicy,
    UnitKey,
    accept_wiped,
    burn_devices,
    mark_published,
    not_clean,
    parse_pci_config,
    pci_transition,
    plan_devices,
    read_sysfs,
    wiped_elsewhere,
)
from computekit.testing import ManualClock
from computekit.units import Seconds
from computekit.work import MemoryStore
from tests.unit.pci.fixture import unpack

HOST = PciHost.named("h1")
ME, OTHER = ConsumerId("i-1"), ConsumerId("i-2")
GROUP = UnitKey("group/g0")
USED = DeviceId("address/0000:81:00.1")
SPECS = [
    {"address": "0000:01:00.1", "group_name": "g0", "group_type": "t"},
    {"address": "0000:81:00.1", "group_name": "g0", "group_type": "t", "one_time_use": "yes"},
]


@pytest.fixture
def devices(tmp_path: Path) -> HostDevices:
    return read_sysfs(unpack(tmp_path))


def start(
    devices: HostDevices,
    state: PciState | None = None,
    specs: list[dict[str, str]] = SPECS,
    view: ProviderTree | None = None,
) -> PciPlan:
    config = parse_pci_config(json.dumps({"device_spec": specs}), syntax="json")
    return plan_devices(config, devices, HOST, state or PciState(), view=view)


def reserved(plan: PciPlan) -> list[int]:
    return [stock.reserved for it in plan.tree for stock in it.inventories.values()]


def used(state: PciState) -> PciState:
    taken = pci_transition(state, ClaimUnits(ME, FrozenMap({"r": GROUP}))).state
    return pci_transition(taken, FreeUnits(ME)).state


def test_a_group_with_such_a_member_is_reserved_until_it_is_wiped(devices: HostDevices) -> None:
    plan = start(devices)
    assert "HW_PCI_ONE_TIME_USE" in plan.state.units[0].unit.traits
    assert reserved(plan) == [0]

    claimed = pci_transition(plan.state, ClaimUnits(ME, FrozenMap({"r": GROUP})))
    assert [effect.kind for effect in claimed.effects] == [EffectKind.BURN, EffectKind.PUBLISH]
    assert reserved(start(devices, claimed.state)) == [1]
    with pytest.raises(StateConflict):
        pci_transition(claimed.state, DevicesWiped(frozenset({USED})))

    free = pci_transition(claimed.state, FreeUnits(ME)).state
    assert reserved(start(devices, free)) == [1]
    assert not free.free
    with pytest.raises(StateConflict) as error:
        pci_transition(free, ClaimUnits(OTHER, FrozenMap({"r": GROUP})))
    assert "dirty" in error.value.message
    wiped = pci_transition(free, DevicesWiped(frozenset({USED})))
    assert [effect.kind for effect in wiped.effects] == [EffectKind.PUBLISH]
    assert reserved(start(devices, wiped.state)) == [0]


def test_no_edit_makes_it_clean(devices: HostDevices) -> None:
    state = used(start(devices).state)

    removed = start(devices, state, [])
    assert reserved(start(devices, removed.state)) == [1]
    plain = start(
        devices, removed.state, [{k: v for k, v in it.items() if k[0] != "o"} for it in SPECS]
    )
    assert not plain.state.free
    retyped = start(devices, state, [it | {"group_type": "u"} for it in SPECS])
    assert reserved(retyped) == [1]
    renamed = plan_devices(
        parse_pci_config(json.dumps({"device_spec": SPECS}), syntax="json"),
        devices,
        attrs.evolve(HOST, name="other"),
        state,
    )
    assert reserved(renamed) == [1]


def test_a_card_in_another_slot_is_as_dirty(devices: HostDevices) -> None:
    def with_card(bus: int) -> HostDevices:
        card = attrs.evolve(
            devices.by_address[PciAddress(0, 1, 0, 0)],
            address=PciAddress(0, bus, 0, 0),
            card_serial="S1",
            max_vfs=0,
        )
        return HostDevices.of((card,), ())

    def specs(bus: int) -> list[dict[str, str]]:
        return [{"address": f"0000:{bus:02x}:00.0", "one_time_use": "yes"}]

    first = start(with_card(5), None, specs(5))
    taken = pci_transition(
        first.state, ClaimUnits(ME, FrozenMap({"r": UnitKey("0000:05:00.0")}))
    ).state
    free = pci_transition(taken, FreeUnits(ME)).state

    assert reserved(start(with_card(6), free, specs(6))) == [1]


def test_what_placement_reserves_stays_reserved(devices: HostDevices) -> None:
    dirty = start(devices, used(start(devices).state))

    forgotten = start(devices, PciState(), view=dirty.tree)

    assert reserved(forgotten) == [1]
    assert "H24" in {it.code for it in forgotten.findings}
    assert forgotten.writes == ()


def test_a_cleaner_that_knows_placement_only_is_believed(devices: HostDevices) -> None:
    store = MemoryStore()
    ledger = MemoryBurns(store)
    state = used(start(devices).state)
    store.write(lambda tx: burn_devices(tx, ledger, HOST.root, state.dirty, ME))
    clean = start(devices).tree

    # Nobody has told Placement yet: its zero means nothing.
    assert wiped_elsewhere(state, ledger.burns(), clean) == frozenset()
    store.write(lambda tx: mark_published(tx, ledger, HOST.root, state.dirty))
    assert wiped_elsewhere(state, ledger.burns(), start(devices, state).tree) == frozenset()
    wiped = wiped_elsewhere(state, ledger.burns(), clean)
    assert wiped == {USED}
    store.write(lambda tx: accept_wiped(tx, ledger, HOST.root, wiped))
    assert not_clean(ledger.burns()) == frozenset()


def shift(cleaner: FakeCleaner) -> tuple[CleaningShift, ManualClock]:
    store, clock = MemoryStore(), ManualClock()
    ledger = MemoryBurns(store)
    store.write(lambda tx: burn_devices(tx, ledger, HOST.root, (USED,), ME))
    return CleaningShift("c", HOST.root, ledger, store, cleaner, clock, Seconds(5)), clock


def test_a_shift_wipes_what_is_idle() -> None:
    work, _clock = shift(FakeCleaner())

    assert work.clean_next(frozenset()) is None
    burn = work.clean_next(frozenset({USED}))
    assert burn is not None
    assert work.clean_next(frozenset({USED})) is None
    assert [it.state for it in work.ledger.burns()] == [BurnState.CLEAN]


def test_what_cannot_be_wiped_is_retired_and_what_can_later_is_tried_again() -> None:
    error = PermissionRefused("/dev/vfio/9", "no")
    work, _clock = shift(FakeCleaner({USED: error}))
    work.clean_next(frozenset({USED}))
    (burn,) = work.ledger.burns()
    assert (burn.state, burn.reason) == (BurnState.RETIRED, error.message)

    cleaner = FakeCleaner({USED: HostNotReady("h1", "busy")})
    work, clock = shift(cleaner)
    with pytest.raises(HostNotReady):
        work.clean_next(frozenset({USED}))
    assert [it.state for it in work.ledger.burns()] == [BurnState.CLEANING]
    cleaner.broken.clear()
    assert work.clean_next(frozenset({USED})) is None
    clock.advance(Seconds(10))
    assert work.clean_next(frozenset({USED})) is not None
    assert cleaner.cleaned == [USED]


def test_the_policies_of_reserves() -> None:
    cases = ((0, 0), (1, 1), (0, 1))  # used, dirty

    assert [ReservePolicy.NEVER.reserved(1, *it) for it in cases] == [0, 0, 0]
    assert [ReservePolicy.WHILE_USED.reserved(1, *it) for it in cases] == [0, 1, 0]
    assert [ReservePolicy.UNTIL_CLEANED.reserved(1, *it) for it in cases] == [0, 1, 1]
