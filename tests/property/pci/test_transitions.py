"""Whatever happens in whatever order: a device is one guest's, or nobody's."""

from collections import Counter

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from computekit.errors import NotFound, StateConflict
from computekit.ids import ConsumerId
from computekit.model import FrozenMap
from computekit.pci import (
    AllocateUnits,
    ClaimUnits,
    DevicesWiped,
    DeviceUnit,
    EffectKind,
    FreeUnits,
    HandOverUnits,
    PciEvent,
    PciState,
    UnitKey,
    pci_transition,
)
from tests.property.dice import DICE, Dice
from tests.property.pci.boards import board, fresh

WHO = tuple(ConsumerId(name) for name in ("i-1", "i-2", "m-1"))


def once(units: tuple[DeviceUnit, ...], dice: Dice) -> tuple[DeviceUnit, ...]:
    """Return the units, some of their members for one use."""
    return tuple(
        attrs.evolve(
            unit,
            members=tuple(
                attrs.evolve(member, one_time_use=dice.once_in(3)) for member in unit.members
            ),
        )
        for unit in units
    )


def some_units(state: PciState, dice: Dice) -> FrozenMap[str, UnitKey]:
    keys = [kept.unit.key for kept in state.units]
    chosen = {dice.pick(keys) for _ in range(1 + dice.pick((0, 1)))}
    return FrozenMap({f"r-{at}": key for at, key in enumerate(sorted(chosen))})


def check(state: PciState) -> None:
    owners = Counter(address for kept in state.held for address in kept.unit.addresses)
    assert set(owners.values()) <= {1}
    for kept in state.held:
        for member in kept.unit.members:
            assert member.device.physical_function not in owners


class Host(RuleBasedStateMachine):
    """A host and whoever comes, against a plain record of who has which unit."""

    def __init__(self) -> None:
        super().__init__()
        self.state = PciState()
        self.owner: dict[UnitKey, ConsumerId] = {}
        self.used: set[str] = set()

    @rule(first=DICE, second=DICE)
    def begin(self, first: Dice, second: Dice) -> None:
        if not self.state.units:
            self.state = fresh(once(board(first), second))

    @rule(dice=DICE)
    def claim(self, dice: Dice) -> None:
        if not self.state.units:
            return
        who, units = dice.pick(WHO), some_units(self.state, dice)
        wanted = [self.state.by_key[key].unit for key in units.values()]
        fits = all(self._may_have(who, unit) for unit in wanted) and not any(
            it.clashes(other) for at, it in enumerate(wanted) for other in wanted[at + 1 :]
        )
        before = self.state
        try:
            done = pci_transition(self.state, ClaimUnits(who, units))
        except StateConflict:
            assert not fits
            assert self.state == before
            return
        assert fits
        self.state = done.state
        for unit in wanted:
            fresh_ = unit.key not in self.owner
            self.owner[unit.key] = who
            if fresh_:
                self.used |= {it.id for it in unit.members if it.one_time_use}
        burnt = {key for it in done.effects if it.kind is EffectKind.BURN for key in it.units}
        assert all(self.state.is_dirty(self.state.by_key[key].unit) for key in burnt)

    def _may_have(self, who: ConsumerId, unit: DeviceUnit) -> bool:
        if self.owner.get(unit.key) == who:
            return True
        others = [self.state.by_key[key].unit for key in self.owner]
        dirty = any(member.id in self.used for member in unit.members)
        return not dirty and not any(other.clashes(unit) for other in others)

    @rule(who=st.sampled_from(WHO))
    def allocate(self, who: ConsumerId) -> None:
        self._same_twice(AllocateUnits(who))

    @rule(who=st.sampled_from(WHO))
    def free(self, who: ConsumerId) -> None:
        self._same_twice(FreeUnits(who))
        self.owner = {key: whose for key, whose in self.owner.items() if whose != who}

    @rule(who=st.sampled_from(WHO), to=st.sampled_from(WHO))
    def hand_over(self, who: ConsumerId, to: ConsumerId) -> None:
        self._same_twice(HandOverUnits(who, to))
        self.owner = {key: to if whose == who else whose for key, whose in self.owner.items()}

    @rule()
    def wipe(self) -> None:
        held = {member.id for kept in self.state.held for member in kept.unit.members}
        self._same_twice(DevicesWiped(frozenset(self.state.dirty - held)))
        self.used &= held

    def _same_twice(self, event: PciEvent) -> None:
        self.state = pci_transition(self.state, event).state
        again = pci_transition(self.state, event)
        assert again.state == self.state
        assert not again.effects

    @invariant()
    def the_record_is_right(self) -> None:
        check(self.state)
        held = {kept.unit.key: kept.holding.consumer for kept in self.state.held if kept.holding}
        assert held == self.owner
        assert self.state.dirty == self.used


TestHost = Host.TestCase


@given(DICE, DICE)
def test_what_is_given_back_is_as_before(first: Dice, second: Dice) -> None:
    state = fresh(board(first))
    units = some_units(state, second)
    try:
        taken = pci_transition(state, ClaimUnits(WHO[0], units)).state
    except StateConflict:
        return

    assert taken != state
    assert pci_transition(taken, FreeUnits(WHO[0])).state == state
    used = pci_transition(taken, AllocateUnits(WHO[0])).state
    assert pci_transition(used, FreeUnits(WHO[0])).state == state


@settings(max_examples=20)
@given(DICE)
def test_what_is_not_there_is_not_given(dice: Dice) -> None:
    state = fresh(board(dice))
    try:
        pci_transition(state, ClaimUnits(WHO[0], FrozenMap({"r": UnitKey("x")})))
    except NotFound:
        return
    raise AssertionError("nobody has such a unit")
