"""Devices for one use: which have been used, and by whom they are made as new.

What a ledger says outlives the configuration, the providers in Placement, the name of a host and
the slot that a card sits in: only a wipe makes a used device clean.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Protocol

import attrs

from computekit.errors import NotFound, StateConflict
from computekit.ids import ConsumerId, ProviderId
from computekit.pci.unit import DeviceId, moves
from computekit.units import Seconds
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = [
    "Burn",
    "BurnLedger",
    "BurnState",
    "MemoryBurns",
    "ReservePolicy",
    "accept_wiped",
    "burn_devices",
    "finish_cleaning",
    "lease_dirty",
    "mark_published",
    "mark_started",
    "not_clean",
    "restore_device",
    "retire_device",
]


class BurnState(Enum):
    """Where a device for one use is between two guests."""

    CLEAN = "clean"
    """It has been used and wiped."""

    DIRTY = "dirty"
    """A guest has it, or had it."""

    CLEANING = "cleaning"
    """Somebody is wiping it; if their time is over, somebody else may."""

    RETIRED = "retired"
    """It could not be wiped, or is worn out: nobody gets it, nobody wipes it."""


@attrs.frozen
class Burn:
    """What is remembered of one device.

    Attributes:
        root: the provider of the host that it is in, which keeps its uuid if its name changes;
            None: the device is called the same in every host.
        device: what it is called whatever slot it sits in.
        state: where it is between two guests.
        consumer: who had it last.
        started: whether a guest may have written to it; else a wipe can be cheap.
        published: whether Placement reserves it since; if it no longer does, somebody has wiped it.
        uses: how often it was given away.
        reason: why it is retired.
        cleaner: who is wiping it.
        until_s: until when, in seconds since the Unix epoch.
    """

    root: ProviderId | None
    device: DeviceId
    state: BurnState
    consumer: ConsumerId
    started: bool = False
    published: bool = False
    uses: int = 1
    reason: str = ""
    cleaner: str | None = None
    until_s: Seconds | None = None


class BurnLedger(Protocol):
    """The rows of devices for one use."""

    def burns(self, root: ProviderId | None = None) -> tuple[Burn, ...]:
        """Return what is remembered, of all hosts or of one, by host and device.

        What is called the same in every host is among those of each.
        """
        ...

    def put_burn(self, tx: Tx, burn: Burn) -> None:
        """Remember this of its device, in place of what was remembered."""
        ...


class MemoryBurns:
    """A `BurnLedger` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._rows: MemoryTable[tuple[str, DeviceId], Burn] = MemoryTable()

    def burns(self, root: ProviderId | None = None) -> tuple[Burn, ...]:
        """Return what is remembered, of all hosts or of one, by host and device.

        What is called the same in every host is among those of each.
        """
        with self._store.lock:
            rows = self._rows.rows
            return tuple(rows[key] for key in sorted(rows) if root is None or key[0] in {"", root})

    def put_burn(self, tx: Tx, burn: Burn) -> None:
        """Remember this of its device, in place of what was remembered."""
        self._rows.put(self._store.transaction(tx), (burn.root or "", burn.device), burn)


def burn_devices(
    tx: Tx, ledger: BurnLedger, root: ProviderId, devices: Iterable[DeviceId], consumer: ConsumerId
) -> None:
    """Remember that somebody has devices, before a guest sees them.

    Raises:
        StateConflict: one is not clean, and not theirs already.
    """
    known = {burn.device: burn for burn in ledger.burns(root)}
    for device in sorted(devices):
        old = known.get(device)
        if old is None:
            scope = None if moves(device) else root
            ledger.put_burn(tx, Burn(scope, device, BurnState.DIRTY, consumer))
            continue
        if old.state is BurnState.DIRTY and old.consumer == consumer:
            continue
        _expect(old, BurnState.CLEAN)
        new = attrs.evolve(
            old, state=BurnState.DIRTY, consumer=consumer, started=False, uses=old.uses + 1
        )
        new = attrs.evolve(new, published=False)
        ledger.put_burn(tx, new)


def mark_started(tx: Tx, ledger: BurnLedger, root: ProviderId, consumer: ConsumerId) -> None:
    """Remember that a guest with somebody's devices is about to run."""
    for burn in ledger.burns(root):
        if burn.consumer == consumer and burn.state is BurnState.DIRTY and not burn.started:
            ledger.put_burn(tx, attrs.evolve(burn, started=True))


def mark_published(
    tx: Tx, ledger: BurnLedger, root: ProviderId, devices: frozenset[DeviceId]
) -> None:
    """Remember that Placement reserves devices."""
    for burn in ledger.burns(root):
        if burn.device in devices and burn.state is not BurnState.CLEAN and not burn.published:
            ledger.put_burn(tx, attrs.evolve(burn, published=True))


def accept_wiped(
    tx: Tx, ledger: BurnLedger, root: ProviderId, devices: frozenset[DeviceId]
) -> None:
    """Remember that somebody else has wiped devices."""
    for burn in ledger.burns(root):
        if burn.device in devices and burn.state is BurnState.DIRTY:
            clean = attrs.evolve(burn, state=BurnState.CLEAN, started=False, published=False)
            ledger.put_burn(tx, clean)


def lease_dirty(
    tx: Tx,
    ledger: BurnLedger,
    root: ProviderId,
    idle: frozenset[DeviceId],
    cleaner: str,
    now_s: Seconds,
    until_s: Seconds,
) -> Burn | None:
    """Give a cleaner the next device to wipe; None: there is none.

    Args:
        tx: the transaction.
        ledger: of the host's devices.
        root: the provider of the host that the cleaner works on.
        idle: devices that are there and that nobody holds.
        cleaner: who wipes.
        now_s: seconds since the Unix epoch.
        until_s: when somebody else may take over.
    """
    for burn in ledger.burns(root):
        over = burn.until_s is None or burn.until_s <= now_s
        waits = burn.state is BurnState.DIRTY or (burn.state is BurnState.CLEANING and over)
        if waits and burn.device in idle:
            leased = attrs.evolve(burn, state=BurnState.CLEANING, cleaner=cleaner, until_s=until_s)
            ledger.put_burn(tx, leased)
            return leased
    return None


def finish_cleaning(tx: Tx, ledger: BurnLedger, burn: Burn) -> None:
    """Remember that a device is as new.

    Args:
        tx: the transaction.
        ledger: of the host's devices.
        burn: as `lease_dirty` gave it; again with the same changes nothing.

    Raises:
        NotFound: nothing is remembered of it.
        StateConflict: somebody else has taken over meanwhile.
    """
    now = _of(ledger, burn)
    done = attrs.evolve(burn, state=BurnState.CLEAN, cleaner=None, until_s=None, started=False)
    done = attrs.evolve(done, published=False)
    if now == done:
        return
    _expect_lease(now, burn)
    ledger.put_burn(tx, done)


def retire_device(tx: Tx, ledger: BurnLedger, burn: Burn, reason: str) -> None:
    """Remember that a device could not be wiped: it is given to nobody, and wiped no more.

    Raises:
        NotFound: nothing is remembered of it.
        StateConflict: somebody else has taken over meanwhile.
    """
    now = _of(ledger, burn)
    done = attrs.evolve(burn, state=BurnState.RETIRED, reason=reason, cleaner=None, until_s=None)
    if now == done:
        return
    _expect_lease(now, burn)
    ledger.put_burn(tx, done)


def restore_device(tx: Tx, ledger: BurnLedger, root: ProviderId, device: DeviceId) -> None:
    """Let a retired device be wiped again: somebody has looked at it.

    Raises:
        NotFound: nothing is remembered of it.
        StateConflict: it is not retired.
    """
    now = _find(ledger, root, device)
    if now.state is BurnState.DIRTY:
        return
    _expect(now, BurnState.RETIRED)
    ledger.put_burn(tx, attrs.evolve(now, state=BurnState.DIRTY, reason=""))


def not_clean(burns: Iterable[Burn]) -> frozenset[DeviceId]:
    """Return the devices that nobody gets: what a state of the host calls dirty."""
    return frozenset(burn.device for burn in burns if burn.state is not BurnState.CLEAN)


class ReservePolicy(Enum):
    """When what cannot be given away at once is reserved: devices, and whole machines alike."""

    NEVER = "never"
    WHILE_USED = "while-used"
    UNTIL_CLEANED = "until-cleaned"

    def reserved(self, total: int, used: int, dirty: int) -> int:
        """Return how many units to reserve.

        Args:
            total: all there are.
            used: that somebody has.
            dirty: that have been used and not been cleaned, those in use among them.
        """
        if self is ReservePolicy.NEVER:
            return 0
        if self is ReservePolicy.WHILE_USED:
            return min(total, used)
        return min(total, max(used, dirty))


def _of(ledger: BurnLedger, burn: Burn) -> Burn:
    return _find(ledger, burn.root, burn.device)


def _find(ledger: BurnLedger, root: ProviderId | None, device: DeviceId) -> Burn:
    for burn in ledger.burns(root):
        if burn.device == device:
            return burn
    raise NotFound("used device", device)


def _expect(burn: Burn, state: BurnState) -> None:
    if burn.state is not state:
        raise StateConflict(f"device {burn.device}", burn.state.value, state.value)


def _expect_lease(now: Burn, burn: Burn) -> None:
    if (now.state, now.cleaner, now.until_s) != (BurnState.CLEANING, burn.cleaner, burn.until_s):
        by = now.state.value if now.cleaner is None else f"cleaned by {now.cleaner}"
        raise StateConflict(f"device {burn.device}", by, f"cleaned by {burn.cleaner}")
