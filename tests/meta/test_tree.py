"""Rules about the source itself that no linter knows."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "daemons").rglob("*.py")])


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_holds_two_concepts() -> None:
    lines = {relative(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}

    # The tree of errors is one concept, however many leaves it has.
    del lines["src/computekit/errors.py"]
    assert {path: count for path, count in lines.items() if count > 500} == {}


def rooms() -> set[str]:
    home = ROOT / "src/computekit"
    found = {path.parent.name for path in home.glob("*/__init__.py")}
    found |= {path.stem for path in home.glob("*.py")} - {"__init__"}
    drivers = {f"virt.{path.parent.name}" for path in home.glob("virt/*/__init__.py")}
    return found - {"virt"} | drivers | {"virt.ports"}


def test_the_architecture_names_every_room_and_no_other() -> None:
    page = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    drawn = page.split("```text\n")[1].split("```")[0]
    # A name stands at the beginning of a line or after a gap.
    named = set(re.findall(r"(?:^|  )([a-z_]+(?:\.[a-z]+)?)(?=  |$)", drawn, re.MULTILINE))

    assert named == rooms()


def test_every_room_has_its_place_among_the_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (
        it for it in settings["tool"]["importlinter"]["contracts"] if it["id"] == "rooms"
    )
    placed = {room.strip(" ()") for layer in contract["layers"] for room in layer.split("|")}

    assert rooms() - placed == set()


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|NotImplemented)\b")
    # A comparison with something foreign is answered with NotImplemented.
    answer = re.compile(r"^\s*return NotImplemented$")
    found = [
        f"{relative(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if later.search(line) and not answer.match(line)
    ]
    assert found == []


def test_an_ignored_type_error_says_which_and_why() -> None:
    ignored = re.compile(r"#\s*type:\s*ignore(?P<code>\[[a-z, -]+\])?(?P<why>\s+# \S.*)?")
    found = []
    for path in SOURCES:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            match = ignored.search(line)
            if match and not (match["code"] and match["why"]):
                found.append(f"{relative(path)}:{number}")
    assert found == []


def test_the_page_for_agents_stays_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text("utf-8").splitlines()) <= 60


def test_both_distributions_want_the_same_python() -> None:
    wanted = [
        tomllib.loads((ROOT / path).read_text("utf-8"))["project"]["requires-python"]
        for path in ("pyproject.toml", "daemons/pyproject.toml")
    ]
    assert wanted == [">=3.11", ">=3.11"]


def test_every_changelog_fragment_is_of_a_known_kind() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    kinds = {kind["directory"] for kind in settings["tool"]["towncrier"]["type"]}
    fragments = [path for path in (ROOT / "changelog.d").iterdir() if path.name != ".gitignore"]

    wrong = [path.name for path in fragments if path.name.split(".")[1] not in kinds]
    assert wrong == []


@pytest.mark.parametrize("script", ["dev", ".ci/run"])
def test_the_commands_are_posix_shell_and_executable(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    assert path.read_text("utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(path)], check=True, timeout=10)


def test_the_first_command_explains_itself() -> None:
    said = subprocess.run(
        [str(ROOT / "dev"), "--help"], check=True, capture_output=True, text=True, timeout=10
    )
    for verb in ("demo", "test", "setup"):
        assert f"./dev {verb}" in said.stdout
    refused = subprocess.run(
        [str(ROOT / "dev"), "no-such-verb"],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert refused.returncode == 2
    assert "usage" in refused.stderr
