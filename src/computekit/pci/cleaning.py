"""Wiping used devices: one after the other, each whole or retired."""

from typing import Protocol

import attrs

from computekit.clock import Clock, Deadline
from computekit.errors import ComputekitError
from computekit.ids import ProviderId
from computekit.pci.burn import (
    Burn,
    BurnLedger,
    finish_cleaning,
    lease_dirty,
    retire_device,
)
from computekit.pci.unit import DeviceId
from computekit.units import Seconds
from computekit.work import Store

__all__ = ["Cleaner", "CleaningShift", "FakeCleaner"]


class Cleaner(Protocol):
    """Whoever can make a used device as new."""

    def clean(self, burn: Burn, deadline: Deadline) -> None:
        """Wipe a device. It may have been wiped before, whole or in part.

        Raises:
            ComputekitError: it cannot be made as new; it is then given to nobody.
            DeadlineExceeded: it takes too long; somebody tries again, if the error is retryable.
        """
        ...


class FakeCleaner:
    """A cleaner of devices that are not there.

    Args:
        broken: devices that cannot be wiped, with the errors that say so.
    """

    def __init__(self, broken: dict[DeviceId, ComputekitError] | None = None) -> None:
        self.broken: dict[DeviceId, ComputekitError] = broken or {}
        self.cleaned: list[DeviceId] = []

    def clean(self, burn: Burn, deadline: Deadline) -> None:
        """Wipe a device."""
        deadline.check(f"wiping {burn.device}")
        if burn.device in self.broken:
            raise self.broken[burn.device]
        self.cleaned.append(burn.device)


@attrs.frozen
class CleaningShift:
    """A cleaner at work on a host.

    Attributes:
        name: of the cleaner, unlike that of any other.
        root: the provider of the host that it works on.
        ledger: of the host's devices.
        store: that the ledger writes in.
        cleaner: that does it.
        clock: of leases and deadlines.
        timeout_s: of one device; after twice as much somebody else may take over.
    """

    name: str
    root: ProviderId
    ledger: BurnLedger
    store: Store
    cleaner: Cleaner
    clock: Clock
    timeout_s: Seconds

    def clean_next(self, idle: frozenset[DeviceId]) -> Burn | None:
        """Wipe the next dirty device; return it, or None if there is none.

        A device that cannot be wiped is retired. One that may be wiped later stays leased until its
        time is over.

        Args:
            idle: devices that are there and that nobody holds.

        Raises:
            ComputekitError: the cleaner's own, if it is retryable.
            StateConflict: it took so long that somebody else has taken over.
        """
        now_s = self.clock.wall_s()
        until_s = Seconds(now_s + 2 * self.timeout_s)
        burn = self.store.write(
            lambda tx: lease_dirty(tx, self.ledger, self.root, idle, self.name, now_s, until_s)
        )
        if burn is None:
            return None
        try:
            self.cleaner.clean(burn, Deadline(self.clock, self.timeout_s))
        except ComputekitError as error:
            if error.retryable:
                raise
            reason = error.message
            self.store.write(lambda tx: retire_device(tx, self.ledger, burn, reason))
            return burn
        self.store.write(lambda tx: finish_cleaning(tx, self.ledger, burn))
        return burn
