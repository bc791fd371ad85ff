"""Packages of this machine's own distribution (Debian or Ubuntu): looked up, fetched, unpacked.

Nothing is installed and root is not needed.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import attrs

from computekit.errors import DeadlineExceeded, ProgramFailed
from computekit.units import Seconds

__all__ = ["Package", "architecture", "download", "look_up", "run_program", "unpack"]

_LOOK_UP_TIMEOUT_S = Seconds(30)
_DOWNLOAD_TIMEOUT_S = Seconds(240)
_UNPACK_TIMEOUT_S = Seconds(120)


@attrs.frozen
class Package:
    """A package as apt would install it.

    Attributes:
        name: its name.
        version: the one that apt would take.
        depends: names of what it depends on, first alternatives only.
    """

    name: str
    version: str
    depends: tuple[str, ...]


def architecture() -> str:
    """Return the machine's architecture as Debian calls it: `amd64` ..."""
    return run_program("dpkg", "--print-architecture", timeout_s=_LOOK_UP_TIMEOUT_S).strip()


def look_up(names: Iterable[str]) -> dict[str, Package]:
    """Return what apt would install, by name; a name that apt does not know is left out."""
    text = run_program(
        *("apt-cache", "show", "--no-all-versions", *names),
        timeout_s=_LOOK_UP_TIMEOUT_S,
        may_fail=True,  # it does when one of the names is not known
    )
    found: dict[str, Package] = {}
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", stanza, re.MULTILINE))
        if "Package" in fields:
            depends = re.findall(r"(?:^|, )([a-z0-9.+-]+)", fields.get("Depends", ""))
            package = Package(fields["Package"], fields["Version"], tuple(depends))
            found[package.name] = package
    return found


def download(packages: Iterable[Package], directory: Path) -> tuple[Path, ...]:
    """Fetch packages into an empty `directory` and return their files; apt checks them.

    Raises:
        ProgramFailed: apt cannot get them; with its own words.
        DeadlineExceeded: it takes too long.
    """
    run_program(
        *("apt-get", "-q", "-o", "APT::Sandbox::User=root"),
        *("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"),
        *("download", *(f"{package.name}={package.version}" for package in packages)),
        timeout_s=_DOWNLOAD_TIMEOUT_S,
        cwd=directory,
    )
    return tuple(sorted(directory.glob("*.deb")))


def unpack(package: Path, directory: Path) -> None:
    """Unpack the files of a package below `directory`."""
    run_program("dpkg-deb", "-x", str(package), str(directory), timeout_s=_UNPACK_TIMEOUT_S)


def run_program(
    *arguments: str, timeout_s: Seconds, cwd: Path | None = None, may_fail: bool = False
) -> str:
    """Run a program that is found on the path, in plain English, and return what it prints.

    Raises:
        ProgramFailed: it is missing, or fails although it may not; with its own words.
        DeadlineExceeded: it takes too long.
    """
    name = arguments[0]
    try:
        done = subprocess.run(
            ("env", "LC_ALL=C", *arguments),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(name, timeout_s) from None
    if done.returncode == 127:
        raise ProgramFailed(name, f"not found; on Debian and Ubuntu: apt-get install {name}")
    if done.returncode and not may_fail:
        said = " ".join((done.stderr or done.stdout).split())
        raise ProgramFailed(name, said[-400:] or f"ended with {done.returncode}")
    return done.stdout
