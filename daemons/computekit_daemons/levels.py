"""The topology levels of a state directory, as its file `levels` says."""

from pathlib import Path

from computekit.errors import Fault, InvalidInput
from computekit.model import TopologyLevel, TopologyLevels

__all__ = ["read_levels"]


def read_levels(file: Path) -> TopologyLevels:
    """Return the levels that a file declares, coarse to fine; without it, zones alone.

    Each line is a name and the key of aggregates' metadata whose value is the domain of a host:
    `rack topology:rack`. Empty lines and those that begin with # are passed over.

    Raises:
        InvalidInput: a line is not that, or levels are malformed or repeated.
    """
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return TopologyLevels()
    found: list[TopologyLevel] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 2:
            found.append(TopologyLevel(*words))
        else:
            faults.append(Fault(f"{file.name}:{number}", "malformed", "a line is NAME KEY"))
    if faults:
        raise InvalidInput(tuple(faults))
    return TopologyLevels(tuple(found))
