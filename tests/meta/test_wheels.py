"""The wheels, in clean environments: the library alone has every room, the daemons run."""

import configparser
import email
import json
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TypedDict

import attrs
import pytest

import computekit

ROOT = Path(__file__).resolve().parents[2]

# Rooms that may need more than the core, and the extra that brings it.
NEEDS = {
    "computekit.access": "http",
    "computekit.cli": "cli",
    "computekit.client": "client",
    "computekit.http": "http",
    "computekit.testing": "testing",
    "computekit.virt.libvirt": "libvirt",
}

# Prints where a package is and which of its modules miss which other: {module: missing}.
IMPORT_ALL = """
import importlib, json, pkgutil, sys
missing = {}
top = importlib.import_module(sys.argv[1])
def walk(package):
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        try:
            module = importlib.import_module(found.name)
        except ModuleNotFoundError as error:
            missing[found.name] = error.name
        else:
            if found.ispkg:
                walk(module)
walk(top)
print(json.dumps({"home": top.__file__, "missing": missing}))
"""

# Prints what each command says for --help, from one process.
ALL_HELP = """
import json
from click import Context
from click.testing import CliRunner
from computekit.cli import main
names = main.list_commands(Context(main))
runner = CliRunner()
call = lambda name: runner.invoke(main, [name, "--help"], prog_name="computekit").output
print(json.dumps({name: call(name) for name in names}))
"""


class Imports(TypedDict):
    home: str
    missing: dict[str, str]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Build both distributions, wheels from source archives, without looking at this tree."""
    out = tmp_path_factory.mktemp("dist")
    for source in (ROOT, ROOT / "daemons"):
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source))
    return {path.name.partition("-")[0]: path for path in out.glob("*.whl")}


def run(*command: str, timeout_s: float = 300) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=timeout_s, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def modules_of(extra: str, wheel: Path) -> set[str]:
    """Name the top-level modules that an extra's distributions install."""
    wanted = {
        re.split(r"[^A-Za-z0-9._-]", line)[0].lower()
        for line in metadata(wheel).get_all("Requires-Dist", [])
        if re.search(rf"extra == ['\"]{extra}['\"]", line)
    }
    assert wanted, f"no extra {extra}"
    return {
        module
        for module, homes in packages_distributions().items()
        if wanted & {home.lower() for home in homes}
    }


def test_the_metadata_says_what_is_true(wheels: Mapping[str, Path]) -> None:
    assert set(wheels) == {"computekit", "computekit_daemons"}
    for name, wheel in wheels.items():
        said = metadata(wheel)
        assert said["Name"].replace("-", "_") == name
        assert said["Version"] == computekit.__version__
        assert said["Requires-Python"] == ">=3.11"
        assert said["License-Expression"] == "Apache-2.0"


def test_the_wheels_hold_the_packages_and_nothing_else(wheels: Mapping[str, Path]) -> None:
    for name, wheel in wheels.items():
        with zipfile.ZipFile(wheel) as archive:
            held = archive.namelist()
        assert f"{name}/py.typed" in held
        assert any(path.endswith("licenses/LICENSE") for path in held)
        assert {path.split("/")[0].partition("-")[0] for path in held} == {name}


@attrs.frozen
class Installed:
    """An environment without anything of this one.

    Attributes:
        scripts: where its interpreter and its commands are.
        found: what `IMPORT_ALL` said.
    """

    scripts: Path
    found: Imports


def pip(python: Path, *arguments: str) -> None:
    """Let this environment's pip work on another, which has none: that saves installing it."""
    quiet = ("--disable-pip-version-check", "--quiet")
    run(sys.executable, "-m", "pip", "--python", str(python), *quiet, *arguments)


@pytest.fixture(scope="module")
def library(
    wheels: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """The library alone, looked at before anything else comes to it."""
    home = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(home, symlinks=True)
    python = home / "bin/python"
    try:
        pip(python, "download", "--no-deps", "--dest", str(home), "attrs")
    except AssertionError as error:
        pytest.skip(f"no package index can be reached: {str(error).splitlines()[-1]}")
    pip(python, "install", "--no-compile", str(wheels["computekit"]))
    pip(python, "check")
    yield Installed(home / "bin", imports(python, "computekit"))
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def daemons(wheels: Mapping[str, Path], library: Installed) -> Installed:
    """The daemons beside the library."""
    python = library.scripts / "python"
    pip(
        python,
        "install",
        "--no-compile",
        f"{wheels['computekit']}[cli,http,libvirt]",
        str(wheels["computekit_daemons"]),
    )
    pip(python, "check")
    return Installed(library.scripts, imports(python, "computekit_daemons"))


def imports(python: Path, package: str) -> Imports:
    found: Imports = json.loads(run(str(python), "-I", "-c", IMPORT_ALL, package))
    return found


@pytest.mark.online
def test_every_room_is_importable_from_the_wheel_alone(
    wheels: Mapping[str, Path], library: Installed
) -> None:
    assert Path(library.found["home"]).is_relative_to(library.scripts.parent)
    for module, missing in library.found["missing"].items():
        room = next((room for room in NEEDS if f"{module}.".startswith(f"{room}.")), None)
        assert room is not None, f"{module} needs {missing}, which no extra of its room explains"
        assert missing.split(".")[0] in modules_of(NEEDS[room], wheels["computekit"])


@pytest.mark.online
def test_the_daemons_run_from_their_wheels(wheels: Mapping[str, Path], daemons: Installed) -> None:
    assert daemons.found["missing"] == {}
    scripts = daemons.scripts
    declared = entry_points_of(wheels["computekit_daemons"])
    assert "computekit-allinone" in declared["console_scripts"]
    for name in ("computekit", *declared["console_scripts"]):
        assert "Usage" in run(str(scripts / name), "--help")
    said = json.loads(run(str(scripts / "python"), "-I", "-c", ALL_HELP))
    assert set(said) >= {"place", *declared["computekit.commands"]}
    for text in said.values():
        assert text.startswith("Usage: computekit ")


def entry_points_of(wheel: Path) -> configparser.ConfigParser:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/entry_points.txt"))
        declared = configparser.ConfigParser(delimiters="=")
        declared.read_string(archive.read(name).decode())
    return declared
