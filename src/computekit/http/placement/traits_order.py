"""In which order traits are listed."""

from collections.abc import Iterable

from computekit.model import Trait, is_custom_name

__all__ = ["listed_traits"]


def listed_traits(traits: Iterable[Trait]) -> list[Trait]:
    """Return the standard ones, then the custom ones, each by name: the same in every process."""
    return sorted(traits, key=lambda name: (is_custom_name(name), name))
