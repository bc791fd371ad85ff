"""Device profiles: what accelerators somebody wants, in Cyborg's words."""

import re
from collections.abc import Iterable, Mapping

import attrs

from computekit.errors import Fault
from computekit.model import (
    FrozenMap,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
    is_custom_name,
)

__all__ = ["ACCELERATORS_TRAIT", "DeviceProfile", "ProfileGroup", "parse_device_profile"]

ACCELERATORS_TRAIT = Trait("COMPUTE_ACCELERATORS")
"""Of the root of every host that can attach accelerators."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}\Z")
_STANDARD = frozenset({"FPGA", "GPU", "VGPU", "PGPU"})
_MOST = 64


@attrs.frozen
class ProfileGroup:
    """Accelerators that one provider gives.

    Attributes:
        resources: amounts by class.
        required: traits of the provider.
        forbidden: traits that it must not have.
        options: what only the accelerator's own driver understands: a bitstream, a function.
    """

    resources: Resources
    required: frozenset[Trait] = frozenset()
    forbidden: frozenset[Trait] = frozenset()
    options: FrozenMap[str, str] = FrozenMap()


@attrs.frozen
class DeviceProfile:
    """Groups of accelerators under a name.

    Attributes:
        name: that flavors and ports say.
        groups: in order; the order is what tells the accelerators of an instance apart.
    """

    name: str
    groups: tuple[ProfileGroup, ...]

    def request_groups(self, port: str = "") -> tuple[RequestGroup, ...]:
        """Return what to ask of Placement; the root needs `ACCELERATORS_TRAIT` too.

        Args:
            port: the id of the port that the profile is for; empty: it is the flavor's.
        """
        return tuple(
            RequestGroup(
                suffix=f"device_profile_{at}{port}",
                resources=group.resources,
                required=frozenset(frozenset({trait}) for trait in group.required),
                forbidden=group.forbidden,
            )
            for at, group in enumerate(self.groups)
        )


def parse_device_profile(
    name: str, groups: Iterable[Mapping[str, object]], faults: list[Fault]
) -> DeviceProfile:
    """Return the profile; every fault goes to `faults`, with its place and code V01 to V05.

    Args:
        name: letters, digits, `-` and `_`.
        groups: each with keys `resources:<class>`, `trait:<trait>` and `accel:<option>`.
        faults: where faults go.
    """
    if _NAME.match(name) is None:
        faults.append(Fault("name", "V01", f"{name[:40]!r} has other characters than A-Za-z0-9_-"))
    read = tuple(_group(f"groups[{at}]", group, faults) for at, group in enumerate(groups))
    if not read:
        faults.append(Fault("groups", "V02", "nothing is asked for"))
    return DeviceProfile(name, read)


def _group(path: str, group: Mapping[str, object], faults: list[Fault]) -> ProfileGroup:
    resources: dict[ResourceClass, int] = {}
    traits: dict[str, set[Trait]] = {"required": set(), "forbidden": set()}
    options: dict[str, str] = {}
    for key, value in group.items():
        kind, _colon, word = key.partition(":")
        text = str(value).strip()
        if kind == "resources" and word:
            amount = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
            if not (is_custom_name(word) or word in _STANDARD):
                faults.append(Fault(f"{path}.{key}", "V03", f"{word[:40]!r} is no such class"))
            elif not 1 <= amount <= _MOST:
                message = f"{text[:20]!r} is no amount from 1 to {_MOST}"
                faults.append(Fault(f"{path}.{key}", "V03", message))
            else:
                resources[ResourceClass(word)] = amount
        elif kind == "trait" and word:
            if not is_custom_name(word):
                faults.append(Fault(f"{path}.{key}", "V04", f"{word[:40]!r} is no custom trait"))
            elif text not in traits:
                faults.append(
                    Fault(
                        f"{path}.{key}", "V04", f"{text[:20]!r} is neither required nor forbidden"
                    )
                )
            else:
                traits[text].add(Trait(word))
        elif kind == "accel" and word:
            options[word] = text
        else:
            message = "a key is resources:<class>, trait:<trait> or accel:<option>"
            faults.append(Fault(f"{path}.{key}", "V05", message))
    if not any(key.startswith("resources:") for key in group):
        faults.append(Fault(path, "V02", "nothing is asked for"))
    return ProfileGroup(
        Resources(resources),
        frozenset(traits["required"]),
        frozenset(traits["forbidden"]),
        FrozenMap(options),
    )
