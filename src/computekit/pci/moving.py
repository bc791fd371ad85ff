"""What an operation on an instance does with its devices, and which device stands in for which."""

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.model import FrozenMap
from computekit.pci.address import PciAddress
from computekit.pci.state import KeptUnit
from computekit.pci.unit import DeviceUnit

__all__ = [
    "DEVICE_MOVES",
    "DeviceMove",
    "DeviceMoveKind",
    "DeviceRelease",
    "check_live_migration",
    "map_devices",
]


class DeviceMoveKind(Enum):
    """What is done with an instance."""

    COLD_MIGRATE = "cold migrate"
    RESIZE = "resize"
    LIVE_MIGRATE = "live migrate"
    EVACUATE = "evacuate"
    REBUILD = "rebuild"
    SHELVE_OFFLOAD = "shelve offload"
    UNSHELVE = "unshelve"
    SUSPEND = "suspend"
    RESUME = "resume"


class DeviceRelease(Enum):
    """When the devices of the source are given back."""

    NEVER = "never"
    AT_ONCE = "at once"
    WHEN_CONFIRMED = "when confirmed"
    WHEN_MOVED = "when moved"
    WHEN_HOST_RETURNS = "when the host returns"


@attrs.frozen
class DeviceMove:
    """What an operation does with devices (Nova's matrix; groups move whole).

    Attributes:
        claims: whether devices are taken at the destination, before anything moves.
        new_requests: whether they are asked for anew, from another flavor.
        releases: when those of the source are given back.
        hands_over: whether a migration holds those of the source meanwhile.
        live: whether all devices must be live-migratable.
        unplugs: whether they are unplugged before and plugged again after.
    """

    claims: bool = False
    new_requests: bool = False
    releases: DeviceRelease = DeviceRelease.NEVER
    hands_over: bool = False
    live: bool = False
    unplugs: bool = False


DEVICE_MOVES: FrozenMap[DeviceMoveKind, DeviceMove] = FrozenMap(
    {
        DeviceMoveKind.COLD_MIGRATE: DeviceMove(
            claims=True, releases=DeviceRelease.WHEN_CONFIRMED, hands_over=True
        ),
        DeviceMoveKind.RESIZE: DeviceMove(
            claims=True, new_requests=True, releases=DeviceRelease.WHEN_CONFIRMED, hands_over=True
        ),
        DeviceMoveKind.LIVE_MIGRATE: DeviceMove(
            claims=True, releases=DeviceRelease.WHEN_MOVED, hands_over=True, live=True
        ),
        DeviceMoveKind.EVACUATE: DeviceMove(claims=True, releases=DeviceRelease.WHEN_HOST_RETURNS),
        DeviceMoveKind.REBUILD: DeviceMove(),
        DeviceMoveKind.SHELVE_OFFLOAD: DeviceMove(releases=DeviceRelease.AT_ONCE),
        DeviceMoveKind.UNSHELVE: DeviceMove(claims=True),
        DeviceMoveKind.SUSPEND: DeviceMove(unplugs=True),
        DeviceMoveKind.RESUME: DeviceMove(unplugs=True),
    }
)
"""What each operation does; a revert gives back what was claimed."""


def check_live_migration(units: Iterable[DeviceUnit]) -> None:
    """Let units pass that a guest can be moved with while it runs.

    Raises:
        InvalidInput: code L01 for each that cannot; for a group, with the members that cannot.
    """
    faults: list[Fault] = []
    for unit in units:
        if not unit.live_migratable:
            which = [str(it.address) for it in unit.members if not it.live_migratable]
            message = f"{', '.join(which) or unit.key} cannot be moved with a running guest"
            faults.append(Fault(str(unit.key), "L01", message))
    if faults:
        raise InvalidInput(tuple(faults))


def map_devices(
    source: Iterable[KeptUnit], destination: Iterable[KeptUnit]
) -> FrozenMap[PciAddress, PciAddress]:
    """Return which device of the destination stands in for which of the source.

    Units belong together by what they were asked for as; the members of a group by role, those of
    one role by address. (Lists that are zipped go wrong as soon as the members differ.)

    Args:
        source: what the instance holds.
        destination: what was claimed for it.

    Raises:
        InvalidInput: L02, something has no counterpart; L03, a counterpart is another kind of
            thing.
    """
    there = {kept.holding.request: kept.unit for kept in destination if kept.holding is not None}
    faults: list[Fault] = []
    found: dict[PciAddress, PciAddress] = {}
    for kept in source:
        request = "" if kept.holding is None else kept.holding.request
        other = there.pop(request, None)
        if other is None:
            message = f"nothing at the destination was claimed as {request!r}"
            faults.append(Fault(str(kept.unit.key), "L02", message))
            continue
        difference = _difference(kept.unit, other)
        if difference is not None:
            faults.append(Fault(str(kept.unit.key), "L03", difference))
            continue
        pairs = zip(_by_role(kept.unit), _by_role(other), strict=True)
        found.update(pairs)
    for request, unit in there.items():
        message = f"it was claimed as {request!r}, and the source holds nothing of that name"
        faults.append(Fault(str(unit.key), "L02", message))
    if faults:
        raise InvalidInput(tuple(faults))
    return FrozenMap(found)


def _difference(source: DeviceUnit, destination: DeviceUnit) -> str | None:
    """Return in what two units differ that must be alike."""
    compared: Mapping[str, tuple[object, object]] = {
        "resource class": (source.resource_class, destination.resource_class),
        "group type": (source.group_type, destination.group_type),
        "signature": (source.signature[:8], destination.signature[:8]),
        "devices": (_ids(source), _ids(destination)),
    }
    for what, (is_, would) in compared.items():
        if is_ != would:
            return f"its {what} is {is_ or 'none'}, and that of {destination.key} {would or 'none'}"
    return None


def _ids(unit: DeviceUnit) -> str:
    return " ".join(
        sorted(
            f"{it.role}{it.device.vendor_id:04x}:{it.device.product_id:04x}" for it in unit.members
        )
    )


def _by_role(unit: DeviceUnit) -> list[PciAddress]:
    return [it.address for it in sorted(unit.members, key=lambda it: (it.role, it.address))]
