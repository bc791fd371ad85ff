"""Which names may stand for a resource class or a trait."""

from functools import cache

from computekit.model import is_custom_name

__all__ = ["is_resource_class", "is_trait"]


@cache
def _standard_classes() -> frozenset[str]:
    from os_resource_classes import (  # type: ignore[import-untyped]  # it has no annotations
        STANDARDS,
    )

    return frozenset(str(name) for name in STANDARDS)


@cache
def _standard_traits() -> frozenset[str]:
    # Imported when first needed: it costs as much as all the rest of this room.
    from os_traits import get_traits

    return frozenset(str(name) for name in get_traits())


def is_resource_class(name: str) -> bool:
    """Return whether `name` is a standard class (os-resource-classes) or a custom one."""
    return name in _standard_classes() or is_custom_name(name)


def is_trait(name: str) -> bool:
    """Return whether `name` is a standard trait (os-traits) or a custom one."""
    return name in _standard_traits() or is_custom_name(name)
