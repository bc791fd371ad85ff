"""The public names of every room; run as a script it writes the snapshot that the tests compare.

A room is a module or package directly under `computekit`. A package that exports nothing itself
only groups: its own modules are rooms then.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import computekit

SNAPSHOT = Path(__file__).with_name("public_names.txt")


def rooms(package: ModuleType = computekit) -> Iterator[ModuleType]:
    """Import and return every room."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(found.name)
        if not found.ispkg or exports(module):
            yield module
        else:
            yield from rooms(module)


def exports(room: ModuleType) -> tuple[str, ...]:
    """Return what the room says it exports."""
    return tuple(getattr(room, "__all__", ()))


def snapshot() -> str:
    """Return every public name of every room, one a line, sorted."""
    names = (f"{room.__name__}.{name}" for room in rooms() for name in exports(room))
    return "".join(f"{name}\n" for name in sorted(names))


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(), encoding="ascii")
