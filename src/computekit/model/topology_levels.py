"""The levels at which hosts belong together: zone, row, rack ... and the host itself."""

import re
from collections.abc import Iterator

import attrs

from computekit.errors import Fault, InvalidInput

__all__ = ["HOST_LEVEL", "TopologyLevel", "TopologyLevels"]

HOST_LEVEL = "host"
"""The finest level, which is always there: each host is a domain of its own."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@attrs.frozen
class TopologyLevel:
    """One level: hosts with the same value are in the same domain of it.

    Attributes:
        name: what rules call it: `az`, `rack` ...
        key: the metadata key of aggregates whose value is the domain.
    """

    name: str
    key: str


@attrs.frozen
class TopologyLevels:
    """The levels of a deployment, coarse to fine; `host` comes last and is built in.

    Attributes:
        declared: all but `host`; without them there are zones only.

    Raises:
        InvalidInput: names are malformed, repeated or `host`; keys are empty or repeated. All
            faults are in it.
    """

    declared: tuple[TopologyLevel, ...] = (TopologyLevel("az", "availability_zone"),)

    def __attrs_post_init__(self) -> None:
        faults: list[Fault] = []
        names: set[str] = set()
        keys: set[str] = set()
        for at, level in enumerate(self.declared):
            path = f"levels[{at}]"
            if not _NAME.fullmatch(level.name):
                message = f"{level.name!a} is not small letters, digits, - and _, a letter first"
                faults.append(Fault(f"{path}.name", "malformed", message))
            elif level.name == HOST_LEVEL:
                faults.append(Fault(f"{path}.name", "reserved", "host is there by itself"))
            elif level.name in names:
                faults.append(Fault(f"{path}.name", "repeated", f"{level.name} is named twice"))
            if not level.key:
                faults.append(Fault(f"{path}.key", "empty", "a metadata key is needed"))
            elif level.key in keys:
                faults.append(Fault(f"{path}.key", "repeated", f"{level.key} is used twice"))
            names.add(level.name)
            keys.add(level.key)
        if faults:
            raise InvalidInput(tuple(faults))

    @property
    def names(self) -> tuple[str, ...]:
        """All names, coarse to fine, `host` last."""
        return (*(level.name for level in self.declared), HOST_LEVEL)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def key(self, name: str) -> str | None:
        """Return the metadata key of a level; None for `host`, and for one that is not there."""
        return next((level.key for level in self.declared if level.name == name), None)

    def place(self, name: str) -> int:
        """Return how fine a level is: 0 for the coarsest.

        Raises:
            ValueError: there is no such level.
        """
        return self.names.index(name)
