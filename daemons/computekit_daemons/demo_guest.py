"""The guest of the demo: the distribution's own kernel and busybox, made bootable in seconds.

It boots on QEMU without KVM in two or three seconds, says `BOOTED <instance name>` and what it has
on its first serial line, and powers off at the power button.
"""

import errno
import fcntl
import hashlib
import lzma
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import attrs
import cattrs

from computekit.clock import Clock, Deadline, SystemClock
from computekit.errors import (
    AlreadyExists,
    DeadlineExceeded,
    NotFound,
    StorageFull,
    Unsupported,
)
from computekit.ids import ImageId, derived_uuid
from computekit.images import ImageStore
from computekit.model import FrozenMap, Image, decode, encode
from computekit.units import Mib, Seconds
from computekit_daemons.newc import character_device, directory, regular_file, write_newc

__all__ = ["COMMAND_LINE", "DemoGuest", "build_demo_guest", "register_demo_guest"]

COMMAND_LINE = "console=ttyS0 quiet"
"""What the kernel of the demo guest wants to be told (image property `os_command_line`)."""

_FEATURE = "the demo guest"
_MIN_MEMORY_MIB = Mib(96)  # measured: Debian's 6.1 cloud kernel boots with 80, not with 64
_DISK_BYTES = 16 * 1024**2
_DISK_LABEL = b"computekit demo disk\n"

# Debian's kernel for virtual machines, then Ubuntu's, then the large ones.
_KERNELS = (
    "linux-image-cloud-amd64",
    "linux-image-virtual",
    "linux-image-amd64",
    "linux-image-generic",
)
_BUSYBOX = "busybox-static"
_MODULES = ("virtio_pci", "virtio_blk", "button", "evdev")

_NAMESPACE = "5b1f0c4e-8a53-4e0e-9c35-3c1a1f2b7d60"
_LOOK_UP_TIMEOUT_S = Seconds(30)
_DOWNLOAD_TIMEOUT_S = Seconds(240)
_UNPACK_TIMEOUT_S = Seconds(120)
_LOCK_TIMEOUT_S = Seconds(400)


@attrs.frozen
class DemoGuest:
    """The files of a guest that boots.

    Attributes:
        kernel: its kernel.
        ramdisk: its first file system, with all that it runs.
        disk: a small raw disk with a label that the guest shows.
        versions: the packages that it was made of.
    """

    kernel: Path
    ramdisk: Path
    disk: Path
    versions: FrozenMap[str, str]


@attrs.frozen
class _Package:
    name: str
    version: str
    depends: tuple[str, ...]


@attrs.frozen
class _Manifest:
    recipe: str
    versions: FrozenMap[str, str]
    sha256: FrozenMap[str, str]


def build_demo_guest(
    directory: Path, progress: Callable[[str], None], clock: Clock | None = None
) -> DemoGuest:
    """Make the demo guest in `directory`, or return the one that is there.

    The packages come from the machine's own apt sources; nothing is installed and root is not
    needed. What was made of the same packages is used again; where they cannot be had (no
    network, no package lists), so is what was made of older ones. Nothing is left of a failure.

    Args:
        directory: made if it is not there; may be shared with other processes.
        progress: told what is being done, in a few words.
        clock: to wait with while another process builds.

    Raises:
        Unsupported: a program, the packages or their lists are missing; says what to do.
        DeadlineExceeded: a download, or another process, takes too long.
        StorageFull: no space.
    """
    recipe = _recipe()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _alone(directory, clock or SystemClock()):
            try:
                kernel, busybox = _find_packages()
                versions = FrozenMap({each.name: each.version for each in (kernel, busybox)})
                target = directory / _key(recipe, versions)
                if (found := _load(target, recipe)) is not None:
                    return found
                _build(target, recipe, versions, kernel, busybox, progress)
            except Unsupported as error:
                if (older := _newest(directory, recipe)) is None:
                    raise
                progress(f"{error.reason}; using what was made before")
                return older
            made = _load(target, recipe)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(str(directory)) from error
        raise
    if made is None:
        raise Unsupported(_FEATURE, f"{target} does not keep what is written to it")
    return made


def register_demo_guest(images: ImageStore, guest: DemoGuest) -> Image:
    """Add the demo guest's kernel, ramdisk and disk to `images`, and return the disk's image.

    The ids follow from the content, so what is there already is not added again.
    """
    kernel = _added(images, "computekit-demo-kernel", "aki", guest.kernel)
    ramdisk = _added(images, "computekit-demo-ramdisk", "ari", guest.ramdisk)
    return _added(
        images,
        "computekit-demo",
        "raw",
        guest.disk,
        _MIN_MEMORY_MIB,
        FrozenMap(
            {
                "kernel_id": kernel.id,
                "ramdisk_id": ramdisk.id,
                "os_command_line": COMMAND_LINE,
            }
        ),
    )


def _added(
    images: ImageStore,
    name: str,
    disk_format: str,
    path: Path,
    min_memory_mib: Mib = Mib(0),
    properties: FrozenMap[str, str] = FrozenMap(),
) -> Image:
    content = encode((disk_format, _sha256(path), min_memory_mib, properties))
    image = ImageId(derived_uuid(_NAMESPACE, content))
    try:
        return images.image(image)
    except NotFound:
        pass
    try:
        with path.open("rb") as file:
            return images.add(
                name,
                disk_format,
                file,
                image=image,
                min_memory_mib=min_memory_mib,
                properties=properties,
            )
    except AlreadyExists:  # another process was faster
        return images.image(image)


def _init() -> bytes:
    return files("computekit_daemons").joinpath("demo_guest_init.sh").read_bytes()


def _recipe() -> str:
    """Return a digest of all that the guest is made of, apart from packages."""
    parts = (_init(), _DISK_LABEL, repr((_MODULES, _DISK_BYTES)).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _key(recipe: str, versions: FrozenMap[str, str]) -> str:
    return hashlib.sha256(f"{recipe} {encode(versions)}".encode()).hexdigest()[:16]


def _load(target: Path, recipe: str) -> DemoGuest | None:
    """Return what `target` holds if it is whole and of this recipe."""
    try:
        manifest = decode((target / "guest.json").read_text("utf-8"), _Manifest)
        whole = all(_sha256(target / name) == digest for name, digest in manifest.sha256.items())
    except (FileNotFoundError, ValueError, cattrs.BaseValidationError):
        return None
    if not whole or manifest.recipe != recipe:
        return None
    return DemoGuest(
        target / "vmlinuz", target / "initramfs", target / "disk.raw", manifest.versions
    )


def _newest(directory: Path, recipe: str) -> DemoGuest | None:
    manifests = sorted(directory.glob("*/guest.json"), key=lambda path: path.stat().st_mtime)
    found = (_load(path.parent, recipe) for path in reversed(manifests))
    return next((guest for guest in found if guest is not None), None)


def _find_packages() -> tuple[_Package, _Package]:
    arch = _run("dpkg", "--print-architecture", timeout_s=_LOOK_UP_TIMEOUT_S).strip()
    if arch != "amd64":
        raise Unsupported(_FEATURE, f"it is made for amd64 machines, this one is {arch}")
    known = _look_up((*_KERNELS, _BUSYBOX))
    kernel = next((known[name] for name in _KERNELS if name in known), None)
    busybox = known.get(_BUSYBOX)
    if kernel is None or busybox is None:
        missing = _BUSYBOX if kernel is not None else "any of " + ", ".join(_KERNELS)
        raise Unsupported(_FEATURE, f"apt does not know {missing}; run apt-get update")
    return kernel, busybox


def _look_up(names: Iterable[str]) -> dict[str, _Package]:
    """Return what apt would install, by name; those that it does not know are not there."""
    text = _run(
        *("apt-cache", "show", "--no-all-versions", *names),
        timeout_s=_LOOK_UP_TIMEOUT_S,
        may_fail=True,  # it says so when one of them is not known
    )
    found: dict[str, _Package] = {}
    for stanza in text.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", stanza, re.MULTILINE))
        if "Package" in fields:
            depends = re.findall(r"(?:^|, )([a-z0-9.+-]+)", fields.get("Depends", ""))
            package = _Package(fields["Package"], fields["Version"], tuple(depends))
            found[package.name] = package
    return found


def _kernel_packages(kernel: _Package) -> list[_Package]:
    """Return the packages with the files of `kernel`, which itself is empty."""
    found: dict[str, _Package] = {}
    todo = [kernel]
    while todo:
        names = {name for package in todo for name in package.depends}
        wanted = {name for name in names if re.match("linux-(image|modules)-[0-9]", name)}
        todo = list(_look_up(sorted(wanted - found.keys())).values()) if wanted else []
        found.update((package.name, package) for package in todo)
    return list(found.values())


def _build(
    target: Path,
    recipe: str,
    versions: FrozenMap[str, str],
    kernel: _Package,
    busybox: _Package,
    progress: Callable[[str], None],
) -> None:
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as work:
        root, made, debs = (Path(work, name) for name in ("root", "made", "debs"))
        for each in (root, made, debs):
            each.mkdir()
        packages = [*_kernel_packages(kernel), busybox]
        progress("downloading " + ", ".join(f"{each.name} {each.version}" for each in packages))
        _run(
            *("apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"),
            *("download", *(f"{each.name}={each.version}" for each in packages)),
            timeout_s=_DOWNLOAD_TIMEOUT_S,
            cwd=debs,
        )
        progress("unpacking")
        for deb in sorted(debs.glob("*.deb")):
            _run("dpkg-deb", "-x", str(deb), str(root), timeout_s=_UNPACK_TIMEOUT_S)
        progress("building the ramdisk")
        shutil.copyfile(_one(root, "boot/vmlinuz-*"), made / "vmlinuz")
        (made / "initramfs").write_bytes(_ramdisk(root))
        with (made / "disk.raw").open("wb") as disk:
            disk.write(_DISK_LABEL)
            disk.truncate(_DISK_BYTES)
        digests = FrozenMap({path.name: _sha256(path) for path in sorted(made.iterdir())})
        (made / "guest.json").write_text(encode(_Manifest(recipe, versions, digests)), "utf-8")
        if target.exists():  # damaged, or it would have been used
            shutil.rmtree(target)
        made.rename(target)


def _ramdisk(root: Path) -> bytes:
    modules = _modules(root)
    order = "".join(f"{name}\n" for name in modules)
    return write_newc(
        (
            *(directory(name) for name in ("bin", "dev", "modules")),
            character_device("dev/console", 5, 1),
            regular_file("init", _init(), executable=True),
            regular_file("bin/busybox", _one(root, "bin/busybox").read_bytes(), executable=True),
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
        for path in _one(root, "lib/modules/*").rglob("*.ko*")
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
        _run("zstd", "-d", "-q", "-f", str(path), "-o", str(plain), timeout_s=_UNPACK_TIMEOUT_S)
        return plain.read_bytes()
    return path.read_bytes()


def _one(root: Path, pattern: str) -> Path:
    """Return the file or directory that `pattern` names, below `usr` if not at the top."""
    for top in (root, root / "usr"):
        for path in sorted(top.glob(pattern)):
            return path
    raise Unsupported(_FEATURE, f"the packages hold no {pattern}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(
    *arguments: str, timeout_s: Seconds, cwd: Path | None = None, may_fail: bool = False
) -> str:
    """Run a program that is found on the path, in plain English, and return what it prints."""
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
        raise DeadlineExceeded(f"{arguments[0]} for {_FEATURE}", timeout_s) from None
    if done.returncode == 127:
        raise Unsupported(_FEATURE, f"{arguments[0]} is missing; install it with apt-get install")
    if done.returncode and not may_fail:
        said = " ".join((done.stderr or done.stdout).split())
        raise Unsupported(_FEATURE, f"{arguments[0]} failed: {said[-400:]}")
    return done.stdout


@contextmanager
def _alone(directory: Path, clock: Clock) -> Iterator[None]:
    """Keep other processes out of `directory`, and remove what dead ones have left."""
    deadline = Deadline(clock, _LOCK_TIMEOUT_S)
    with (directory / ".lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if deadline.passed:
                    raise DeadlineExceeded("another build", _LOCK_TIMEOUT_S) from None
                clock.sleep(Seconds(0.1))
        for left in directory.glob(".build-*"):
            shutil.rmtree(left)
        yield
