"""Which cached images a host may drop: pure functions, the same for every driver."""

from collections.abc import Iterable, Iterator

import attrs

from computekit.guest import GuestConfig
from computekit.ids import ImageId
from computekit.units import Bytes, Seconds
from computekit.virt.ports import CacheLimits

__all__ = ["CachedImage", "images_of", "images_to_drop"]


@attrs.frozen
class CachedImage:
    """An image on a host.

    Attributes:
        image: which.
        size_bytes: the space that it takes.
        used_s: when it was asked for last; wall seconds since the Unix epoch.
        needed: whether a disk is made from it, or somebody wants it kept.
    """

    image: ImageId
    size_bytes: Bytes
    used_s: Seconds
    needed: bool


def images_to_drop(
    cached: Iterable[CachedImage], limits: CacheLimits, now_s: Seconds
) -> Iterator[ImageId]:
    """Return what is to go, the one that was not asked for longest first."""
    by_age = sorted(cached, key=lambda one: (one.used_s, one.image))
    left_bytes: int = sum(one.size_bytes for one in by_age)
    for one in by_age:
        unused_s = now_s - one.used_s
        too_much = left_bytes > limits.size_bytes
        if one.needed or unused_s < limits.spare_s:
            continue
        if too_much or unused_s >= limits.unused_s:
            left_bytes -= one.size_bytes
            yield one.image


def images_of(guest: GuestConfig) -> tuple[ImageId, ...]:
    """Return the images that a guest is made from: of its disks, its kernel, its ramdisk."""
    boot = guest.direct_boot
    booted = (boot.kernel, boot.ramdisk) if boot else ()
    named = (*(disk.image for disk in guest.disks), *booted)
    return tuple(image for image in named if image is not None)
