"""Make the typed stubs of libvirt-python, and the list of them in the reference page.

tools/generate_libvirt_stubs.py            write them for the libvirt of this machine
tools/generate_libvirt_stubs.py --check    0: nothing would change; 1: a diff; 77: cannot tell,
                                           because the recorded versions are not these

The types come from libvirt's description of its C API and from what the installed binding looks
like; what these cannot say is in tools/libvirt_stubs/*.toml.
"""

import argparse
import difflib
import importlib
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.libvirt_stubs import (  # noqa: E402  # a script finds its package only now
    api,
    binding,
    corrections,
    derive,
    reference,
    render,
)

TABLES = ROOT / "tools" / "libvirt_stubs"
STUBS = {name: Path("stubs") / name / "__init__.pyi" for name in ("libvirt", "libvirt_qemu")}
PAGE = Path("docs/reference/libvirt-stubs.md")


@attrs.frozen
class Skipped:
    """Nothing can be compared here, for this reason."""

    reason: str


@attrs.frozen
class Made:
    """What was made for one version of libvirt and of its binding: texts by path."""

    versions: str
    texts: Mapping[Path, str]

    def diff(self) -> str:
        """Return how the files differ from what was made; empty if they do not."""
        return "".join(
            "".join(
                difflib.unified_diff(
                    _text(path).splitlines(keepends=True),
                    text.splitlines(keepends=True),
                    str(path),
                    f"{path} (made now)",
                )
            )
            for path, text in self.texts.items()
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Make the typed stubs of libvirt-python.")
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    checking = parser.parse_args(arguments).check
    try:
        made = make()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if isinstance(made, Skipped):
        print(f"skip: {made.reason}")
        return 77
    if checking:
        if made.versions != recorded():
            print(f"skip: made from {recorded()}; here is {made.versions}")
            return 77
        print(made.diff(), end="")
        return 1 if made.diff() else 0
    for path, text in made.texts.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, "utf-8")
    return 0


def recorded() -> str:
    """Return the versions that the stub in the repository was made from."""
    header = re.compile(r"^# (libvirt \S+, libvirt-python \S+)$", re.MULTILINE)
    found = header.search(_text(STUBS["libvirt"]))
    return found[1] if found else "nothing"


def is_made_for(number: int) -> bool:
    """Return whether the stubs were made from this version of libvirt (millions, thousands)."""
    version = f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
    return recorded().startswith(f"libvirt {version},")


def make() -> Made | Skipped:
    """Return the stubs and the page for the libvirt that is installed here.

    Raises:
        ValueError: something has no type, or a correction is not needed; all of it is named.
    """
    try:
        modules = {name: importlib.import_module(name) for name in STUBS}
        described = {name: _description(name) for name in STUBS}
        from tools.libvirt_stubs import probes, qemu
    except (ImportError, FileNotFoundError, subprocess.CalledProcessError) as error:
        return Skipped(f"libvirt-python or libvirt's API description is missing: {error}")
    versions = (
        f"libvirt {api.version(described['libvirt'])}, "
        f"libvirt-python {metadata.version('libvirt-python')}"
    )
    classes: frozenset[str] = frozenset()
    signatures: dict[str, derive.Signature] = {}
    texts: dict[Path, str] = {}
    for name, module in modules.items():
        prototypes = api.read(described[name])
        surface = binding.inspect_binding(module)
        table = corrections.read(TABLES / f"{name}.toml")
        borrowed, classes = classes, classes | {cls.name for cls in surface.classes}
        derived, faults = derive.derive(prototypes, surface, table, classes)
        if faults:
            raise ValueError("\n".join(f"{fault.name}: {fault.problem}" for fault in faults))
        texts[STUBS[name]] = render.stub(versions, prototypes, surface, table, derived, borrowed)
        signatures |= derived
    called = {
        "the test driver": frozenset(probe.method for probe in probes.PROBES),
        "QEMU": frozenset(method for method, _ in qemu.CALLS),
    }
    section = reference.section(versions, signatures, called)
    return Made(versions, {**texts, PAGE: reference.insert(_text(PAGE), section)})


def _description(module: str) -> Path:
    command = ["pkg-config", "--variable", f"{module}_api", "libvirt"]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return Path(said.stdout.strip())


def _text(path: Path) -> str:
    file = ROOT / path
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
