"""The demo guest's first file system: busybox, a script, and the kernel modules that it needs."""

import lzma
import re
from importlib.resources import files
from pathlib import Path

from computekit.errors import Unsupported
from computekit.units import Seconds
from computekit_daemons.distribution import run_program
from computekit_daemons.newc import character_device, directory, regular_file, write_newc

__all__ = ["find_one", "make_ramdisk"]

_MODULES = ("virtio_pci", "virtio_blk", "button", "evdev")
_ZSTD_TIMEOUT_S = Seconds(30)


def make_ramdisk(root: Path) -> bytes:
    """Return the demo guest's first file system, made of the packages unpacked below `root`."""
    init = files("computekit_daemons").joinpath("demo_guest_init.sh").read_bytes()
    modules = _modules(root)
    order = "".join(f"{name}\n" for name in modules)
    return write_newc(
        (
            *(directory(name) for name in ("bin", "dev", "modules")),
            character_device("dev/console", 5, 1),
            regular_file("init", init, executable=True),
            regular_file(
                "bin/busybox", find_one(root, "bin/busybox").read_bytes(), executable=True
            ),
            *(regular_file(f"modules/{name}", content) for name, content in modules.items()),
            regular_file("modules/order", order.encode()),
        )
    )


def _modules(root: Path) -> dict[str, bytes]:
    """Return those modules that the guest needs, in the order to load them.

    A module that is not there is built into the kernel.
    """
    there = {
        path.name.partition(".ko")[0].replace("-", "_"): path
        for path in find_one(root, "lib/modules/*").rglob("*.ko*")
    }
    found: dict[str, bytes] = {}

    def visit(name: str) -> None:
        path = there.pop(name.replace("-", "_"), None)
        if path is None:
            return
        content = _module(path)
        depends = re.search(rb"\0depends=([^\0]*)\0", content)
        for needed in depends[1].decode().split(",") if depends else ():
            visit(needed)
        found[path.name.partition(".ko")[0] + ".ko"] = content

    for name in _MODULES:
        visit(name)
    return found


def _module(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        plain = path.with_suffix("")
        run_program(
            "zstd", "-d", "-q", "-f", str(path), "-o", str(plain), timeout_s=_ZSTD_TIMEOUT_S
        )
        return plain.read_bytes()
    return path.read_bytes()


def find_one(root: Path, pattern: str) -> Path:
    """Return the file or directory that `pattern` names, below `usr` if not at the top."""
    for top in (root, root / "usr"):
        for path in sorted(top.glob(pattern)):
            return path
    raise Unsupported("the demo guest", f"the packages hold no {pattern}")
