"""What happens to a host's units: one pure function of what is and what is to be."""

from collections.abc import Iterable, Iterator
from enum import Enum

import attrs

from computekit.errors import NotFound, StateConflict
from computekit.ids import ConsumerId
from computekit.model import FrozenMap
from computekit.pci.state import HoldingStage, KeptUnit, PciState, UnitHolding, UnitStanding
from computekit.pci.unit import DeviceId, UnitKey

__all__ = [
    "AllocateUnits",
    "ClaimUnits",
    "DeviceEffect",
    "DevicesWiped",
    "EffectKind",
    "FreeUnits",
    "HandOverUnits",
    "PciEvent",
    "PciTransition",
    "pci_transition",
]


@attrs.frozen
class ClaimUnits:
    """Somebody takes units: all of them, or none.

    Attributes:
        consumer: who.
        units: by what they were asked for as.
    """

    consumer: ConsumerId
    units: FrozenMap[str, UnitKey]


@attrs.frozen
class AllocateUnits:
    """A guest gets what was claimed for it."""

    consumer: ConsumerId


@attrs.frozen
class FreeUnits:
    """Somebody gives back units.

    Attributes:
        consumer: who.
        units: which; None: everything. A group goes back whole.
    """

    consumer: ConsumerId
    units: frozenset[UnitKey] | None = None


@attrs.frozen
class HandOverUnits:
    """What one consumer holds becomes another's: an instance's a migration's, and back."""

    consumer: ConsumerId
    to: ConsumerId


@attrs.frozen
class DevicesWiped:
    """Devices for one use are as new."""

    devices: frozenset[DeviceId]


PciEvent = ClaimUnits | AllocateUnits | FreeUnits | HandOverUnits | DevicesWiped


class EffectKind(Enum):
    """What has to be done besides remembering the new state."""

    BURN = "burn"
    """Keep in the ledger that the devices are used, before a guest sees them."""

    PREPARE = "prepare"
    """Make the devices ready for a guest, before it starts."""

    RELEASE = "release"
    """Undo that, after it has ended."""

    PUBLISH = "publish"
    """What the providers of the host say has changed."""


@attrs.frozen
class DeviceEffect:
    """One thing to do; doing it again changes nothing.

    Attributes:
        kind: what.
        units: with which units, by key.
    """

    kind: EffectKind
    units: tuple[UnitKey, ...]


@attrs.frozen
class PciTransition:
    """What an event leads to.

    Attributes:
        state: afterwards.
        effects: in the order of doing.
    """

    state: PciState
    effects: tuple[DeviceEffect, ...] = ()


def pci_transition(state: PciState, event: PciEvent) -> PciTransition:
    """Return what an event leads to. An event that has happened already changes nothing.

    Raises:
        NotFound: there is no such unit.
        StateConflict: a unit is somebody's, or cannot be had; nothing of the event happens.
    """
    if isinstance(event, ClaimUnits):
        return _claim(state, event)
    if isinstance(event, AllocateUnits):
        return _allocate(state, event)
    if isinstance(event, FreeUnits):
        return _free(state, event)
    if isinstance(event, HandOverUnits):
        return _hand_over(state, event)
    return _wiped(state, event)


def _claim(state: PciState, event: ClaimUnits) -> PciTransition:
    held = {kept.unit.key for kept in state.held_by(event.consumer)}
    changed: dict[UnitKey, KeptUnit] = {}
    for request, key in event.units.items():
        kept = _unit(state, key)
        if key in held:
            continue
        _check_free(state, kept)
        for other in (*(it.unit for it in state.held), *(it.unit for it in changed.values())):
            if other.clashes(kept.unit):
                raise StateConflict(f"PCI unit {key}", f"excluded by {other.key}", "it free")
        changed[key] = attrs.evolve(kept, holding=UnitHolding(event.consumer, request))
    burned = frozenset(
        member.id
        for kept in changed.values()
        if kept.unit.one_time_use
        for member in kept.unit.members
        if member.one_time_use
    )
    after = attrs.evolve(state.replacing(changed), dirty=state.dirty | burned)
    used = [key for key, kept in changed.items() if kept.unit.one_time_use]
    return PciTransition(
        after,
        (*_effect(EffectKind.BURN, used), *_effect(EffectKind.PUBLISH, used)),
    )


def _check_free(state: PciState, kept: KeptUnit) -> None:
    subject = f"PCI unit {kept.unit.key}"
    if kept.holding is not None:
        raise StateConflict(subject, f"held by {kept.holding.consumer}", "nobody to hold it")
    if kept.standing is not UnitStanding.OFFERED:
        raise StateConflict(subject, kept.standing.value, "it offered")
    if state.is_dirty(kept.unit):
        raise StateConflict(subject, "dirty", "it wiped")


def _allocate(state: PciState, event: AllocateUnits) -> PciTransition:
    changed: dict[UnitKey, KeptUnit] = {}
    for kept in state.held_by(event.consumer):
        if kept.holding is not None and kept.holding.stage is HoldingStage.CLAIMED:
            holding = attrs.evolve(kept.holding, stage=HoldingStage.ALLOCATED)
            changed[kept.unit.key] = attrs.evolve(kept, holding=holding)
    return PciTransition(state.replacing(changed), tuple(_effect(EffectKind.PREPARE, changed)))


def _free(state: PciState, event: FreeUnits) -> PciTransition:
    changed: dict[UnitKey, KeptUnit] = {}
    released: list[UnitKey] = []
    for kept in state.held_by(event.consumer):
        if event.units is not None and kept.unit.key not in event.units:
            continue
        if kept.holding is not None and kept.holding.stage is HoldingStage.ALLOCATED:
            released.append(kept.unit.key)
        changed[kept.unit.key] = attrs.evolve(kept, holding=None)
    shrinks = [key for key, kept in changed.items() if kept.standing is not UnitStanding.OFFERED]
    return PciTransition(
        state.replacing(changed),
        (*_effect(EffectKind.RELEASE, released), *_effect(EffectKind.PUBLISH, shrinks)),
    )


def _hand_over(state: PciState, event: HandOverUnits) -> PciTransition:
    changed = {
        kept.unit.key: attrs.evolve(kept, holding=attrs.evolve(kept.holding, consumer=event.to))
        for kept in state.held_by(event.consumer)
        if kept.holding is not None
    }
    return PciTransition(state.replacing(changed))


def _wiped(state: PciState, event: DevicesWiped) -> PciTransition:
    gone = event.devices & state.dirty
    for kept in state.held:
        if any(member.id in gone for member in kept.unit.members):
            owner = kept.holding.consumer if kept.holding else "nobody"
            raise StateConflict(f"PCI unit {kept.unit.key}", f"held by {owner}", "it free")
    after = attrs.evolve(state, dirty=state.dirty - gone)
    clean = [
        kept.unit.key
        for kept in state.units
        if state.is_dirty(kept.unit) and not after.is_dirty(kept.unit)
    ]
    return PciTransition(after, tuple(_effect(EffectKind.PUBLISH, clean)))


def _unit(state: PciState, key: UnitKey) -> KeptUnit:
    kept = state.by_key.get(key)
    if kept is None:
        raise NotFound("PCI unit", key)
    return kept


def _effect(kind: EffectKind, units: Iterable[UnitKey]) -> Iterator[DeviceEffect]:
    keys = tuple(sorted(units))
    if keys:
        yield DeviceEffect(kind, keys)
