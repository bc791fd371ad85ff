"""Which names may stand for a resource class or a trait."""

from functools import cache

from computekit.model import ResourceClass, Trait, is_custom_name

__all__ = ["is_resource_class", "is_trait", "standard_classes", "standard_traits"]


@cache
def standard_classes() -> dict[ResourceClass, None]:
    """Return the classes of os-resource-classes, in its order."""
    from os_resource_classes import STANDARDS

    return dict.fromkeys(ResourceClass(str(name)) for name in STANDARDS)


@cache
def standard_traits() -> dict[Trait, None]:
    """Return the traits of os-traits, sorted."""
    # Imported when first needed: it costs as much as all the rest of this room.
    from os_traits import get_traits

    return dict.fromkeys(Trait(name) for name in sorted(get_traits()))


def is_resource_class(name: str) -> bool:
    """Return whether `name` is a standard class (os-resource-classes) or a custom one."""
    return name in standard_classes() or is_custom_name(name)


def is_trait(name: str) -> bool:
    """Return whether `name` is a standard trait (os-traits) or a custom one."""
    return name in standard_traits() or is_custom_name(name)
