"""Resource classes and traits from the free words of device specs and aliases."""

import re
from collections.abc import Callable

from computekit.model import ResourceClass, Trait, is_custom_name

__all__ = [
    "GROUP_TRAIT",
    "LIVE_MIGRATABLE_TRAIT",
    "MANAGED_TRAIT",
    "ONE_TIME_USE_TRAIT",
    "OWNER_TRAIT",
    "default_class",
    "group_class",
    "resource_class_of",
    "traits_of",
]

GROUP_TRAIT = Trait("CUSTOM_PCI_GROUP")
LIVE_MIGRATABLE_TRAIT = Trait("HW_PCI_LIVE_MIGRATABLE")
MANAGED_TRAIT = Trait("COMPUTE_MANAGED_PCI_DEVICE")
ONE_TIME_USE_TRAIT = Trait("HW_PCI_ONE_TIME_USE")
OWNER_TRAIT = Trait("OWNER_NOVA")

_CUSTOM = "CUSTOM_"
_BAD_RUN = re.compile(r"[^A-Z0-9_]+")


def default_class(vendor_id: int, product_id: int) -> ResourceClass:
    """Return the class of a device whose spec names none (Nova)."""
    return ResourceClass(f"CUSTOM_PCI_{vendor_id:04X}_{product_id:04X}")


def group_class(group_type: str) -> ResourceClass:
    """Return the class of the groups of a type whose specs name none."""
    return ResourceClass(f"CUSTOM_PCI_GROUP_{_BAD_RUN.sub('_', group_type.upper())}")


def resource_class_of(text: str) -> ResourceClass:
    """Return the class that `text` means: a standard one, or a custom one (Nova, `device_spec`).

    Upper case; each run of other characters than A to Z, 0 to 9 and _ becomes one _.

    Raises:
        ValueError: nothing can be made of it; templates (`@...`) are for device specs only.
    """
    if text.strip().startswith("@"):
        raise ValueError(f"{text[:40]!r} is a template, which only a device spec can have")
    from os_resource_classes import STANDARDS

    return ResourceClass(_name(text, frozenset(STANDARDS).__contains__))


def traits_of(text: str) -> frozenset[Trait]:
    """Return the traits of a list with commas, each made up like a class; the empty list has none.

    Raises:
        ValueError: nothing can be made of one of them.
    """
    if not text.strip():
        return frozenset()
    from os_traits import get_traits  # it costs as much as all of this room

    standard = frozenset(get_traits())
    return frozenset(Trait(_name(part, standard.__contains__)) for part in text.split(","))


def _name(text: str, is_standard: Callable[[object], bool]) -> str:
    name = _BAD_RUN.sub("_", text.strip().upper())
    if not name.strip("_"):
        raise ValueError(f"no name can be made of {text[:40]!r}: it needs a letter or a digit")
    if is_standard(name):
        return name
    custom = name if name.startswith(_CUSTOM) else _CUSTOM + name
    if not is_custom_name(custom):
        raise ValueError(f"{text[:40]!r} becomes a name of {len(custom)} characters; 255 is most")
    return custom
