"""Which units answer to an alias."""

from collections.abc import Iterable

from computekit.model import ResourceClass
from computekit.pci.alias import Alias, AliasOption
from computekit.pci.device import DeviceType
from computekit.pci.names import default_class
from computekit.pci.unit import DeviceUnit

__all__ = ["answering_aliases", "answers_to", "asked_class"]


def asked_class(option: AliasOption) -> ResourceClass | None:
    """Return the class that is asked for: the one that is named, or that of the ids."""
    if option.resource_class is not None:
        return option.resource_class
    if option.vendor_id is None or option.product_id is None:
        return None
    return default_class(option.vendor_id, option.product_id)


def answers_to(unit: DeviceUnit, option: AliasOption) -> bool:
    """Return whether a unit, if it is free, is something that the option asks for."""
    if unit.tagged or unit.resource_class != asked_class(option):
        return False
    if not option.traits <= unit.traits:
        return False
    if option.live_migratable not in (None, unit.live_migratable):
        return False
    if unit.group is not None:  # ids and types are those of its members
        return True
    device = unit.members[0].device
    # A whole device with VFs is given only to who says so (Nova: unrequested PFs).
    kind = option.device_type
    return (
        option.vendor_id in (None, device.vendor_id)
        and option.product_id in (None, device.product_id)
        and (device.type is not DeviceType.PF if kind is None else kind is device.type)
    )


def answering_aliases(unit: DeviceUnit, aliases: Iterable[Alias]) -> tuple[str, ...]:
    """Return the names of the aliases that a unit answers to; none while members are missing."""
    if unit.missing:
        return ()
    return tuple(
        alias.name for alias in aliases if any(answers_to(unit, option) for option in alias.options)
    )
