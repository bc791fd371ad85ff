"""The devices of a host as they come and go: a generation at a time."""

import threading
from collections.abc import Callable

import attrs

from computekit.clock import Clock
from computekit.pci.address import PciAddress
from computekit.pci.device import HostDevices
from computekit.units import Seconds

__all__ = ["DeviceDifference", "DeviceGeneration", "DeviceInventory", "compare_devices"]


@attrs.frozen
class DeviceDifference:
    """What is another on a host than before.

    Attributes:
        appeared: was not there.
        vanished: is there no more.
        changed: is there and another, or says something else.
    """

    appeared: tuple[PciAddress, ...] = ()
    vanished: tuple[PciAddress, ...] = ()
    changed: tuple[PciAddress, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.appeared or self.vanished or self.changed)


def compare_devices(before: HostDevices, after: HostDevices) -> DeviceDifference:
    """Return what has changed. Which driver holds a device is none of it: guests change that."""
    was, is_ = before.by_address, after.by_address
    return DeviceDifference(
        tuple(sorted(is_.keys() - was.keys())),
        tuple(sorted(was.keys() - is_.keys())),
        tuple(
            at
            for at in sorted(was.keys() & is_.keys())
            if attrs.evolve(was[at], driver=None) != attrs.evolve(is_[at], driver=None)
        ),
    )


@attrs.frozen
class DeviceGeneration:
    """The devices at one moment. Whoever decides does so on one of these, from beginning to end.

    Attributes:
        number: from 1, one more with each difference.
        devices: all of them.
        difference: to the generation before; none of the first.
    """

    number: int
    devices: HostDevices
    difference: DeviceDifference = DeviceDifference()  # a frozen value


class DeviceInventory:
    """The devices of a host, looked at again when something has happened, or for a long time not.

    Events are hints: they may be lost, doubled or late. What counts is what is then read.

    Args:
        read: looks at all devices.
        clock: says how long ago that was.
        every_s: after how many seconds to look again without any event.
    """

    def __init__(self, read: Callable[[], HostDevices], clock: Clock, every_s: Seconds) -> None:
        self._read = read
        self._clock = clock
        self._every_s = every_s
        self._lock = threading.Lock()
        self._hints = 0
        self._seen_hints = 0
        self._looked_s = clock.monotonic_s()
        self._now = DeviceGeneration(1, read())

    @property
    def now(self) -> DeviceGeneration:
        """The generation that was seen last."""
        return self._now

    def hint(self) -> None:
        """Say that something may have happened (libvirt: a node-device event). Returns at once."""
        with self._lock:
            self._hints += 1

    @property
    def is_due(self) -> bool:
        """Whether to look again."""
        with self._lock:
            old = self._clock.monotonic_s() - self._looked_s >= self._every_s
            return old or self._hints != self._seen_hints

    def refresh(self) -> DeviceGeneration:
        """Look again if that is due; return the generation that is then the last.

        A hint that comes while the devices are read makes the next look due.

        Raises:
            OSError: the devices cannot be read; the last generation stays, and the look is due.
        """
        if not self.is_due:
            return self._now
        with self._lock:
            hints, now_s = self._hints, self._clock.monotonic_s()
        devices = self._read()
        with self._lock:
            difference = compare_devices(self._now.devices, devices)
            if difference:
                self._now = DeviceGeneration(self._now.number + 1, devices, difference)
            self._seen_hints, self._looked_s = hints, now_s
            return self._now
