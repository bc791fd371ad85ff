"""The public names of every room; run as a script it writes the snapshot that the tests compare.

A room is a module or package directly under `computekit`, or a package further down that exports
names none of which the package above it re-exports.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import computekit

SNAPSHOT = Path(__file__).with_name("public_names.txt")


def rooms() -> Iterator[ModuleType]:
    """Import and return every room."""
    for found in _public(computekit):
        room = importlib.import_module(found.name)
        yield room
        if found.ispkg:
            yield from _inner(room)


def _inner(room: ModuleType) -> Iterator[ModuleType]:
    for found in _public(room):
        if found.ispkg:
            inner = importlib.import_module(found.name)
            if exports(inner) and not set(exports(inner)) & set(exports(room)):
                yield inner
                yield from _inner(inner)


def _public(package: ModuleType) -> Iterator[pkgutil.ModuleInfo]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not found.name.rpartition(".")[2].startswith("_"):
            yield found


def exports(room: ModuleType) -> tuple[str, ...]:
    """Return what the room says it exports."""
    return tuple(getattr(room, "__all__", ()))


def snapshot() -> str:
    """Return every public name of every room, one a line, sorted."""
    names = (f"{room.__name__}.{name}" for room in rooms() for name in exports(room))
    return "".join(f"{name}\n" for name in sorted(names))


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(), encoding="ascii")
