"""What is public is meant to be, and has one home."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import computekit
from tests.meta.public_names import SNAPSHOT, exports, rooms, snapshot

ROOT = Path(__file__).resolve().parents[2]


def test_the_public_names_are_those_of_the_snapshot() -> None:
    assert snapshot() == SNAPSHOT.read_text(encoding="ascii"), (
        "run `nox -s names` and look at the difference"
    )


def test_every_export_exists_and_is_sorted_and_public() -> None:
    for room in rooms():
        names = exports(room)
        assert names, f"{room.__name__} exports nothing"
        assert len(set(names)) == len(names)
        assert [name for name in names if not hasattr(room, name)] == []
        assert [name for name in names if name.startswith("_")] == []


def test_every_public_name_has_one_room() -> None:
    homes: defaultdict[str, list[str]] = defaultdict(list)
    for room in rooms():
        for name in exports(room):
            homes[name].append(room.__name__)

    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_the_headline_names_are_names_of_rooms() -> None:
    public = set(snapshot().split())
    for name in computekit.__all__:
        if name != "__version__":
            assert f"{getattr(computekit, name).__module__}.{name}" in public


def test_the_daemons_need_only_public_names() -> None:
    public = set(snapshot().split()) | {f"computekit.{name}" for name in computekit.__all__}
    homes = {room.__name__ for room in rooms()}
    used = {name for path in (ROOT / "daemons").rglob("*.py") for name in _imported(path)}

    private = {name for name in used if name not in public and name not in homes}
    assert private == set()


def _imported(path: Path) -> Iterator[str]:
    """Name everything of the library that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in found if name.split(".")[0] == "computekit")
