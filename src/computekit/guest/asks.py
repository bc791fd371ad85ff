"""What flavors and images ask of resource providers by name: classes, traits, groups.

Source of the rules: Nova's extra specs `resources[suffix]:CLASS`, `trait[suffix]:TRAIT` and
`group_policy`, and the image property `trait:TRAIT`. Whatever is no such ask, or contradicts
another, is a fault; nothing is passed over.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Literal

import attrs

from computekit.errors import Fault
from computekit.guest.keys import property_path, quoted, spec_path
from computekit.model import (
    MAX_AMOUNT,
    Flavor,
    FrozenMap,
    Image,
    RequestGroup,
    ResourceClass,
    Trait,
    is_custom_name,
)

__all__ = ["ProviderAsks", "provider_asks"]

_KEY = re.compile(
    r"(?P<kind>resources|trait)(?P<suffix>[A-Za-z0-9_-]{0,64}):(?P<name>.*)\Z", re.DOTALL
)
_AMOUNT = re.compile(r"[0-9]{1,10}\Z")


@attrs.frozen
class ProviderAsks:
    """What is asked of resource providers by name, beside what the guest's size asks.

    Attributes:
        groups: by suffix, ascending; the one without a suffix is there only if it asks something.
        stated: classes of which an amount is stated somewhere, 0 too: the guest's size asks none.
        group_policy: whether the groups with a suffix may share a provider.
    """

    groups: tuple[RequestGroup, ...] = ()
    stated: frozenset[ResourceClass] = frozenset()
    group_policy: Literal["none", "isolate"] | None = None

    @property
    def unsuffixed(self) -> RequestGroup:
        """The group without a suffix."""
        return next((group for group in self.groups if not group.suffix), RequestGroup())

    @property
    def suffixed(self) -> tuple[RequestGroup, ...]:
        """The others."""
        return tuple(group for group in self.groups if group.suffix)


@attrs.define
class _Found:
    """What was found so far, by suffix."""

    faults: list[Fault]
    amounts: dict[str, dict[ResourceClass, int]] = attrs.Factory(dict)
    required: dict[str, set[Trait]] = attrs.Factory(dict)
    forbidden: dict[str, dict[Trait, str]] = attrs.Factory(dict)

    def fault(self, path: str, code: str, message: str) -> None:
        self.faults.append(Fault(path, code, message))

    def resource(self, key: str, suffix: str, name: str, value: str) -> None:
        if not self._known(spec_path(key), "resource class", name, _classes):
            return
        amount = int(value) if _AMOUNT.match(value.strip()) else -1
        if not 0 <= amount <= MAX_AMOUNT:
            message = f"{quoted(value)} is not an amount within 0 to {MAX_AMOUNT}"
            self.fault(spec_path(key), "invalid_value", message)
            return
        self.amounts.setdefault(suffix, {})[ResourceClass(name)] = amount

    def trait(self, path: str, suffix: str, name: str, value: str, words: tuple[str, ...]) -> None:
        if not self._known(path, "trait", name, _traits):
            return
        if value not in words:
            named = " or ".join(repr(word) for word in words)
            self.fault(path, "invalid_value", f"{quoted(value)} is not {named}")
        elif value == "required":
            self.required.setdefault(suffix, set()).add(Trait(name))
        else:
            self.forbidden.setdefault(suffix, {})[Trait(name)] = path

    def _known(self, path: str, kind: str, name: str, names: Callable[[], list[str]]) -> bool:
        standard = names()
        if name in standard or is_custom_name(name):
            return True
        near = difflib.get_close_matches(name[:255].upper(), standard, n=1)
        hint = f"did you mean {near[0]}?" if near else "one of your own is called CUSTOM_..."
        self.fault(path, f"unknown_{kind.replace(' ', '_')}", f"no such {kind} is known; {hint}")
        return False


def provider_asks(flavor: Flavor, image: Image, faults: list[Fault]) -> ProviderAsks:
    """Return what flavor and image ask of resource providers; what is wrong goes to `faults`.

    Traits of an image are for the group without a suffix. With two groups or more that have a
    suffix, the flavor must say whether they may share a provider (`group_policy`).
    """
    found = _Found(faults)
    for key, value in flavor.extra_specs.items():
        if not key.startswith(("resources", "trait:")) and not _KEY.match(key):
            continue
        parts = _KEY.match(key)
        if parts is None:
            message = "is not resources:CLASS, with a suffix of at most 64 letters, digits, _ or -"
            found.fault(spec_path(key), "invalid_key", message)
        elif parts["kind"] == "resources":
            found.resource(key, parts["suffix"], parts["name"], value)
        else:
            words = ("required", "forbidden")
            found.trait(spec_path(key), parts["suffix"], parts["name"], value, words)
    for key, value in image.properties.items():
        if key.startswith("trait:"):
            name = key.removeprefix("trait:")
            found.trait(property_path(key), "", name, value, ("required",))
    policy = _group_policy(flavor, found)
    _check(found, policy)
    groups = tuple(
        RequestGroup(
            suffix=suffix,
            resources=FrozenMap({n: a for n, a in found.amounts.get(suffix, {}).items() if a}),
            required=frozenset(frozenset({t}) for t in found.required.get(suffix, ())),
            forbidden=frozenset(found.forbidden.get(suffix, ())),
        )
        for suffix in _suffixes(found)
    )
    stated = frozenset(name for amounts in found.amounts.values() for name in amounts)
    return ProviderAsks(tuple(filter(_asks, groups)), stated, policy)


def _group_policy(flavor: Flavor, found: _Found) -> Literal["none", "isolate"] | None:
    policy = flavor.extra_specs.get("group_policy")
    match policy:
        case "none" | "isolate" | None:
            return policy
        case _:
            message = f"{quoted(policy)} is not 'none' or 'isolate'"
            found.fault(spec_path("group_policy"), "invalid_value", message)
            return None


def _check(found: _Found, policy: str | None) -> None:
    """Take note of what the asks of several keys have wrong together."""
    for suffix, traits in found.forbidden.items():
        for trait, path in traits.items():
            if trait in found.required.get(suffix, ()):
                found.fault(path, "conflict", f"{trait} is required as well, by flavor or image")
    filled = {suffix for suffix, amounts in found.amounts.items() if any(amounts.values())}
    for suffix in _suffixes(found):
        if suffix and suffix not in filled and (found.required | found.forbidden).get(suffix):
            message = f"a group that asks for traits needs resources{suffix}:CLASS too"
            found.fault("flavor.extra_specs", "empty_group", f"{quoted(suffix)}: {message}")
    several = sorted(filled - {""})
    if len(several) > 1 and policy is None:
        shown = ", ".join(several[:4]) + (" ..." if len(several) > 4 else "")
        message = f"say none or isolate: there are the groups {shown}"
        found.fault(spec_path("group_policy"), "group_policy_required", message)


def _suffixes(found: _Found) -> list[str]:
    return sorted({*found.amounts, *found.required, *found.forbidden})


def _asks(group: RequestGroup) -> bool:
    if group.suffix:
        return bool(group.resources)
    return bool(group.resources or group.required or group.forbidden)


def _traits() -> list[str]:
    import os_traits  # it costs as much as all of this room, and most guests ask for no trait

    return os_traits.get_traits()


def _classes() -> list[str]:
    import os_resource_classes  # as above

    names: Iterable[str] = os_resource_classes.STANDARDS
    return list(names)
