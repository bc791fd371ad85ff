"""The guest of the demo: the distribution's own kernel and busybox, made bootable in seconds.

It boots on QEMU without KVM in two or three seconds, says `BOOTED <instance name>` and what it has
on its first serial line, and powers off at the power button.
"""

import errno
import fcntl
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
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
    ProgramFailed,
    StorageFull,
    Unsupported,
)
from computekit.ids import ImageId, derived_uuid
from computekit.images import ImageStore
from computekit.model import FrozenMap, Image, decode, encode
from computekit.units import Mib, Seconds
from computekit_daemons.demo_ramdisk import find_one, make_ramdisk
from computekit_daemons.distribution import Package, architecture, download, look_up, unpack

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

_NAMESPACE = "5b1f0c4e-8a53-4e0e-9c35-3c1a1f2b7d60"
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
        ProgramFailed: a program, the packages or their lists are missing; says what to do.
        Unsupported: there is no such guest for this machine.
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
            except (ProgramFailed, DeadlineExceeded) as error:
                if (older := _newest(directory, recipe)) is None:
                    raise
                progress(f"{error.message}; using what was made before")
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


def _recipe() -> str:
    """Return a digest of all that makes the guest, apart from packages."""
    here = files("computekit_daemons")
    digest = hashlib.sha256()
    for name in ("demo_guest.py", "demo_guest_init.sh", "demo_ramdisk.py", "newc.py"):
        digest.update(here.joinpath(name).read_bytes())
    return digest.hexdigest()


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


def _find_packages() -> tuple[Package, Package]:
    arch = architecture()
    if arch != "amd64":
        raise Unsupported(_FEATURE, f"it is made for amd64 machines, this one is {arch}")
    known = look_up((*_KERNELS, _BUSYBOX))
    kernel = next((known[name] for name in _KERNELS if name in known), None)
    busybox = known.get(_BUSYBOX)
    if kernel is None or busybox is None:
        missing = _BUSYBOX if kernel is not None else " or ".join(_KERNELS)
        raise ProgramFailed("apt-cache", f"knows no {missing}; run apt-get update")
    return kernel, busybox


def _kernel_packages(kernel: Package) -> list[Package]:
    """Return the packages with the files of `kernel`, which itself is empty."""
    found: dict[str, Package] = {}
    todo = [kernel]
    while todo:
        names = {name for package in todo for name in package.depends}
        wanted = {name for name in names if re.match("linux-(image|modules)-[0-9]", name)}
        todo = list(look_up(sorted(wanted - found.keys())).values()) if wanted else []
        found.update((package.name, package) for package in todo)
    return list(found.values())


def _build(
    target: Path,
    recipe: str,
    versions: FrozenMap[str, str],
    kernel: Package,
    busybox: Package,
    progress: Callable[[str], None],
) -> None:
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as work:
        root, made, debs = (Path(work, name) for name in ("root", "made", "debs"))
        for each in (root, made, debs):
            each.mkdir()
        packages = [*_kernel_packages(kernel), busybox]
        progress("downloading " + ", ".join(f"{each.name} {each.version}" for each in packages))
        fetched = download(packages, debs)
        progress("unpacking")
        for deb in fetched:
            unpack(deb, root)
        progress("building the ramdisk")
        shutil.copyfile(find_one(root, "boot/vmlinuz-*"), made / "vmlinuz")
        (made / "initramfs").write_bytes(make_ramdisk(root))
        with (made / "disk.raw").open("wb") as disk:
            disk.write(_DISK_LABEL)
            disk.truncate(_DISK_BYTES)
        digests = FrozenMap({path.name: _sha256(path) for path in sorted(made.iterdir())})
        (made / "guest.json").write_text(encode(_Manifest(recipe, versions, digests)), "utf-8")
        if target.exists():  # damaged, or it would have been used
            shutil.rmtree(target)
        made.rename(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
