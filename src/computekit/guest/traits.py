"""Traits that flavors and images ask for by name."""

import difflib
from collections.abc import Callable, Mapping

from computekit.errors import Fault
from computekit.guest.keys import property_path, quoted, spec_path
from computekit.model import Flavor, Image, Trait, is_custom_name

__all__ = ["required_traits"]

_PREFIX = "trait:"


def required_traits(flavor: Flavor, image: Image, faults: list[Fault]) -> frozenset[Trait]:
    """Return what `trait:NAME=required` of flavor and image ask for (Nova, both sources).

    A name must be of os-traits or `CUSTOM_...`; what is wrong goes to `faults`.
    """
    return _required(flavor.extra_specs, spec_path, faults) | _required(
        image.properties, property_path, faults
    )


def _required(
    source: Mapping[str, str], path: Callable[[str], str], faults: list[Fault]
) -> frozenset[Trait]:
    found: set[Trait] = set()
    for key, value in source.items():
        if not key.startswith(_PREFIX):
            continue
        name = key.removeprefix(_PREFIX)
        standard = _standard()
        if name not in standard and not is_custom_name(name):
            near = difflib.get_close_matches(name.upper(), standard, n=1)
            hint = f"did you mean {near[0]}?" if near else "one of your own is called CUSTOM_..."
            faults.append(Fault(path(key), "unknown_trait", f"no such trait is known; {hint}"))
        elif value == "forbidden":
            message = "a trait cannot be forbidden yet; take the key out"
            faults.append(Fault(path(key), "unsupported_value", message))
        elif value != "required":
            message = f"{quoted(value)} is not 'required'"
            faults.append(Fault(path(key), "invalid_value", message))
        else:
            found.add(Trait(name))
    return frozenset(found)


def _standard() -> list[str]:
    import os_traits  # it costs as much as all of this room, and most guests ask for no trait

    return os_traits.get_traits()
