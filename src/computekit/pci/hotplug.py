"""Plugging a guest's devices while it runs: all of them, or none."""

from collections.abc import Sequence
from typing import Protocol

from computekit.errors import ComputekitError
from computekit.pci.wiring import GuestDevice

__all__ = ["HotPlug", "MemoryHotPlug", "plug_all", "unplug_all"]


class HotPlug(Protocol):
    """The hypervisor's side of one running guest."""

    def plugged(self) -> frozenset[str]:
        """Return the aliases of the devices that the guest has now."""
        ...

    def plug(self, device: GuestDevice) -> None:
        """Give the guest a device, and wait until it has it.

        Raises:
            HostError: the hypervisor does not do it.
            DeadlineExceeded: it takes too long.
        """
        ...

    def unplug(self, device: GuestDevice) -> None:
        """Take a device from the guest, and wait until the guest has let it go.

        Raises:
            HostError: the hypervisor does not do it.
            DeadlineExceeded: the guest does not let it go.
        """
        ...


class MemoryHotPlug:
    """A guest that is not there.

    Args:
        stubborn: aliases of devices that cannot be plugged or unplugged, with the errors.
    """

    def __init__(self, stubborn: dict[str, ComputekitError] | None = None) -> None:
        self.stubborn: dict[str, ComputekitError] = stubborn or {}
        self._plugged: dict[str, None] = {}

    def plugged(self) -> frozenset[str]:
        """Return the aliases of the devices that the guest has now."""
        return frozenset(self._plugged)

    def plug(self, device: GuestDevice) -> None:
        """Give the guest a device."""
        self._check(device)
        self._plugged[device.alias] = None

    def unplug(self, device: GuestDevice) -> None:
        """Take a device from the guest."""
        self._check(device)
        self._plugged.pop(device.alias, None)

    def _check(self, device: GuestDevice) -> None:
        if device.alias in self.stubborn:
            raise self.stubborn[device.alias]


def plug_all(guest: HotPlug, devices: Sequence[GuestDevice]) -> None:
    """Give a guest devices in order; those that it has already are left alone.

    Raises:
        ComputekitError: one of them could not be plugged; those before it are gone again, or noted
            on the error.
    """
    _change(guest, devices, plug=True)


def unplug_all(guest: HotPlug, devices: Sequence[GuestDevice]) -> None:
    """Take devices from a guest, the last first; those that it has not are left alone.

    Raises:
        ComputekitError: one of them could not be unplugged; those after it are back again, or
            noted on the error.
    """
    _change(guest, tuple(reversed(devices)), plug=False)


def _change(guest: HotPlug, devices: Sequence[GuestDevice], *, plug: bool) -> None:
    do, undo = (guest.plug, guest.unplug) if plug else (guest.unplug, guest.plug)
    done: list[GuestDevice] = []
    try:
        for device in devices:
            if (device.alias in guest.plugged()) != plug:
                do(device)
                done.append(device)
    except ComputekitError as error:
        for device in reversed(done):
            try:
                undo(device)
            except ComputekitError as also:
                error.add_note(f"{device.alias} is not as it was: {also.message}")
        raise
