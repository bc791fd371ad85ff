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
from types import ModuleType

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
SAME, DIFFERENT, SKIPPED = 0, 1, 77


@attrs.frozen
class Installed:
    """What this machine has: the binding's modules and libvirt's descriptions of its API."""

    versions: str
    modules: Mapping[str, ModuleType]
    descriptions: Mapping[str, Path]


@attrs.frozen
class Verdict:
    """What came of it: an exit status, and the difference or the reason."""

    status: int
    says: str = ""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Make the typed stubs of libvirt-python.")
    parser.add_argument("--check", action="store_true", help="write nothing; compare")
    verdict = run(find(), ROOT, checking=parser.parse_args(arguments).check)
    print(verdict.says, end="")
    return verdict.status


def run(found: Installed | Verdict, root: Path, *, checking: bool) -> Verdict:
    """Write the files below `root`, or compare them with what would be written."""
    if isinstance(found, Verdict):
        return found
    if checking and found.versions != recorded(root):
        return Verdict(SKIPPED, f"skip: made from {recorded(root)}; here is {found.versions}\n")
    try:
        texts = make(found, root)
    except ValueError as error:
        return Verdict(DIFFERENT, f"{error}\n")
    if checking:
        diff = difference(texts, root)
        return Verdict(DIFFERENT if diff else SAME, diff)
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return Verdict(SAME)


def difference(texts: Mapping[Path, str], root: Path) -> str:
    """Return how the files below `root` differ from `texts`; empty if they do not."""
    return "".join(
        line
        for path, text in texts.items()
        for line in difflib.unified_diff(
            _text(root / path).splitlines(keepends=True),
            text.splitlines(keepends=True),
            str(path),
            f"{path} (made now)",
        )
    )


def recorded(root: Path = ROOT) -> str:
    """Return the versions that the stub below `root` was made from."""
    header = re.compile(r"^# (libvirt \S+, libvirt-python \S+)$", re.MULTILINE)
    found = header.search(_text(root / STUBS["libvirt"]))
    return found[1] if found else "nothing"


def is_made_for(number: int) -> bool:
    """Return whether the stubs were made from this version of libvirt (millions, thousands)."""
    version = f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
    return recorded().startswith(f"libvirt {version},")


def find() -> Installed | Verdict:
    """Return what is installed here, or that it is not."""
    try:
        modules = {name: importlib.import_module(name) for name in STUBS}
        descriptions = {name: _description(name) for name in STUBS}
    except (ImportError, FileNotFoundError, subprocess.CalledProcessError) as error:
        return Verdict(SKIPPED, f"skip: libvirt or its binding is not installed: {error}\n")
    here = f"libvirt {api.version(descriptions['libvirt'])}"
    versions = f"{here}, libvirt-python {metadata.version('libvirt-python')}"
    return Installed(versions, modules, descriptions)


def make(found: Installed, root: Path) -> Mapping[Path, str]:
    """Return the stubs and the page; what people wrote in the page is read below `root`.

    Raises:
        ValueError: something has no type, or a correction is not needed; all of it is named.
    """
    from tools.libvirt_stubs import probes, qemu

    classes: frozenset[str] = frozenset()
    signatures: dict[str, derive.Signature] = {}
    texts: dict[Path, str] = {}
    for name, module in found.modules.items():
        prototypes = api.read(found.descriptions[name])
        surface = binding.inspect_binding(module)
        table = corrections.read(TABLES / f"{name}.toml")
        borrowed, classes = classes, classes | {cls.name for cls in surface.classes}
        derived, faults = derive.derive(prototypes, surface, table, classes)
        if faults:
            raise ValueError("\n".join(f"{fault.name}: {fault.problem}" for fault in faults))
        texts[STUBS[name]] = render.stub(
            found.versions, prototypes, surface, table, derived, borrowed
        )
        signatures |= derived
    called = {
        "the test driver": frozenset(probe.method for probe in probes.PROBES),
        "QEMU": frozenset(method for method, _ in qemu.CALLS),
    }
    section = reference.section(found.versions, signatures, called)
    return {**texts, PAGE: reference.insert(_text(root / PAGE), section)}


def _description(module: str) -> Path:
    command = ["pkg-config", "--variable", f"{module}_api", "libvirt"]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return Path(said.stdout.strip())


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
