"""The hypervisor seam: what a driver can do, and one that only pretends, by real rules.

`computekit.virt.libvirt` holds the driver for real hosts; it is not imported from here.
"""

from computekit.virt.boot_sector import boot_sector_disk
from computekit.virt.fake import FakeHypervisor
from computekit.virt.image_cache import CachedImage, images_of, images_to_drop
from computekit.virt.ports import (
    CacheLimits,
    Consoles,
    DomainEvent,
    DomainEventKind,
    DomainEvents,
    DomainLifecycle,
    DomainMark,
    DomainSpec,
    DomainState,
    DomainStatus,
    HypervisorHost,
    ImageSource,
    InstanceDisks,
)

__all__ = [
    "CacheLimits",
    "CachedImage",
    "Consoles",
    "DomainEvent",
    "DomainEventKind",
    "DomainEvents",
    "DomainLifecycle",
    "DomainMark",
    "DomainSpec",
    "DomainState",
    "DomainStatus",
    "FakeHypervisor",
    "HypervisorHost",
    "ImageSource",
    "InstanceDisks",
    "boot_sector_disk",
    "images_of",
    "images_to_drop",
]
