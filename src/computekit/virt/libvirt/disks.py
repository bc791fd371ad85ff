"""Images and disks as files on the host, made by qemu-img.

::

    DIR/images/<image>                 a cached image as it is, read only
    DIR/instances/<instance>/<role>.qcow2
                            console.log
"""

import errno
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from computekit.clock import Clock, Deadline
from computekit.errors import (
    DeadlineExceeded,
    Fault,
    HypervisorRefused,
    ImageRefused,
    InvalidInput,
    NotFound,
    PermissionRefused,
    StorageFull,
    Unsupported,
)
from computekit.files import storage_errors, sync
from computekit.guest import GuestDisk
from computekit.ids import ImageId, InstanceId, is_uuid
from computekit.images import ImageFacts, backing_name, inspect_image
from computekit.model import Image
from computekit.runtime import KeyedLocks
from computekit.units import Bytes, Seconds
from computekit.virt.checks import check_spec
from computekit.virt.image_cache import CachedImage, images_to_drop
from computekit.virt.libvirt.domain_xml import DiskFile, DomainFiles
from computekit.virt.ports import CacheLimits, DomainSpec, ImageSource

__all__ = ["LocalDisks"]

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)
_UNFINISHED = ".new-"
_GOING = ".gone-"
_QEMU_IMG_TIMEOUT_S = Seconds(60.0)
_COPY_TIMEOUT_S = Seconds(3600.0)


class LocalDisks:
    """`InstanceDisks` in one directory of the host's file system.

    A root disk is a qcow2 overlay on the cached image, so it is made at once and takes the space
    of what its guest writes. Everything appears whole, or not at all: it is made under another
    name, synchronised, and renamed.

    Args:
        directory: for everything; made if it is not there. One process at a time.
        clock: for deadlines.

    Raises:
        PermissionRefused: this user may not write there.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory: Path = directory.absolute()
        self._clock = clock
        self._images = self.directory / "images"
        self._instances = self.directory / "instances"
        self._locks = KeyedLocks()
        with storage_errors(self.directory):
            for path in (self._images, self._instances):
                # Others may pass, a QEMU of another user among them, but not look around.
                path.mkdir(mode=0o711, parents=True, exist_ok=True)
                self._clear(path)
            self._direct_io = self._takes_direct_io()

    def cache_image(self, image: ImageId, source: ImageSource) -> None:
        target = self._image_path(image)
        deadline = Deadline(self._clock, _COPY_TIMEOUT_S)
        with self._locks.holding(image, deadline), storage_errors(target):
            if target.exists():
                os.utime(target)
                return
            facts = source.image(image)
            fresh = self._images / f"{_UNFINISHED}{image}"
            with _gone_on_error(fresh), source.read(image) as content:
                with fresh.open("wb") as file:
                    _copy(content, file, facts, deadline)
                found = inspect_image(fresh, facts.disk_format, image)
                if found.virtual_size_bytes != facts.virtual_size_bytes:
                    raise ImageRefused(
                        image,
                        f"its disk has {found.virtual_size_bytes} bytes, "
                        f"not the {facts.virtual_size_bytes} that are said",
                    )
                fresh.chmod(0o444)
                fresh.rename(target)
                sync(self._images)

    def drop_images(self, keep: frozenset[ImageId], limits: CacheLimits) -> frozenset[ImageId]:
        """Do what `InstanceDisks.drop_images` says; what a file was last asked for is its mtime."""
        deadline = Deadline(self._clock, _QEMU_IMG_TIMEOUT_S)
        dropped: set[ImageId] = set()
        with storage_errors(self._images):
            needed = keep | self._backing()
            cached = [
                CachedImage(
                    ImageId(entry.name),
                    Bytes(entry.stat().st_blocks * 512),
                    Seconds(entry.stat().st_mtime),
                    entry.name in needed,
                )
                for entry in os.scandir(self._images)
                if is_uuid(entry.name)
            ]
            seen_s = {one.image: one.used_s for one in cached}
            for image in images_to_drop(cached, limits, self._clock.wall_s()):
                path = self._image_path(image)
                with self._locks.holding(image, deadline):
                    if path.stat().st_mtime == seen_s[image]:  # nobody has asked for it since
                        path.unlink()
                        dropped.add(image)
        return frozenset(dropped)

    def prepare(self, spec: DomainSpec) -> None:
        check_spec(spec)
        instance = spec.mark.instance
        deadline = Deadline(self._clock, _QEMU_IMG_TIMEOUT_S)
        self._require_boot_files(spec)
        home = self.home(instance)
        with self._locks.holding(instance, deadline), storage_errors(home):
            made: list[Path] = []
            try:
                if not home.exists():
                    home.mkdir(mode=0o711)
                    made.append(home)
                for disk in spec.guest.disks:
                    path = self._disk_path(instance, disk)
                    if not path.exists():
                        with self._locks.holding(disk.image or str(path), deadline):
                            self._make_disk(path, disk, deadline)
                        made.append(path)
                sync(home)
                sync(self._instances)
            except BaseException:
                for path in reversed(made):
                    path.rmdir() if path is home else path.unlink()
                raise

    def remove(self, instance: InstanceId) -> None:
        home = self.home(instance)
        going = self._instances / f"{_GOING}{instance}"
        deadline = Deadline(self._clock, _QEMU_IMG_TIMEOUT_S)
        with self._locks.holding(instance, deadline), storage_errors(home):
            _remove_tree(going)
            if home.exists():
                home.rename(going)
                _remove_tree(going)
                sync(self._instances)

    def instances(self) -> frozenset[InstanceId]:
        with storage_errors(self._instances):
            return frozenset(
                InstanceId(entry.name)
                for entry in os.scandir(self._instances)
                if is_uuid(entry.name)
            )

    def used_bytes(self) -> Bytes:
        total = 0
        with storage_errors(self.directory):
            for path in (self._images, self._instances):
                for folder, _, names in os.walk(path):
                    for name in names:
                        try:
                            total += Path(folder, name).lstat().st_blocks * 512
                        except FileNotFoundError:
                            continue  # it went meanwhile
        return Bytes(total)

    # What the domain needs to know.

    def files(self, spec: DomainSpec) -> DomainFiles:
        """Return where the files of a domain are, whether or not they are there."""
        instance, boot = spec.mark.instance, spec.guest.direct_boot
        return DomainFiles(
            tuple(
                DiskFile(disk.role, self._disk_path(instance, disk)) for disk in spec.guest.disks
            ),
            self.console_log(instance),
            self._image_path(boot.kernel) if boot else None,
            self._image_path(boot.ramdisk) if boot and boot.ramdisk else None,
            self._direct_io,
        )

    def home(self, instance: InstanceId) -> Path:
        """Return the instance's directory, whether or not it is there."""
        return self._instances / _checked(instance, "instance")

    def console_log(self, instance: InstanceId) -> Path:
        """Return where the instance's serial console is written."""
        return self.home(instance) / "console.log"

    def _disk_path(self, instance: InstanceId, disk: GuestDisk) -> Path:
        return self.home(instance) / f"{disk.role.value}.qcow2"

    def _make_disk(self, path: Path, disk: GuestDisk, deadline: Deadline) -> None:
        fresh = path.with_name(f"{_UNFINISHED}{path.name}")
        backing: tuple[str, ...] = ()
        if disk.image is not None:
            base = self._cached(disk.image)
            os.utime(base)
            facts = _inspect(base, disk.image)
            if facts.virtual_size_bytes > disk.size_bytes:
                raise ImageRefused(
                    disk.image,
                    f"its disk has {facts.virtual_size_bytes} bytes, "
                    f"the instance's only {disk.size_bytes}",
                )
            # The format is said, never guessed: a guest could write what guesses wrong.
            backing = ("-F", facts.disk_format, "-b", str(base))
        with _gone_on_error(fresh):
            fresh.unlink(missing_ok=True)
            options = ("-q", "-f", "qcow2", *backing, str(fresh), str(disk.size_bytes))
            _qemu_img("create", options, fresh, deadline)
            fresh.chmod(0o600)
            sync(fresh)
            fresh.rename(path)

    def _require_boot_files(self, spec: DomainSpec) -> None:
        boot = spec.guest.direct_boot
        for image in (boot.kernel, boot.ramdisk) if boot else ():
            if image is not None:
                self._cached(image)
        for disk in spec.guest.disks:
            if disk.image is not None:
                self._cached(disk.image)

    def _cached(self, image: ImageId) -> Path:
        path = self._image_path(image)
        if not path.exists():
            raise NotFound("cached image", image)
        return path

    def _image_path(self, image: ImageId) -> Path:
        return self._images / _checked(image, "image")

    def _backing(self) -> frozenset[str]:
        """Return the names of the files that disks here stand on."""
        return frozenset(
            Path(backing_name(disk)).name for disk in self._instances.glob("*/*.qcow2")
        )

    def _takes_direct_io(self) -> bool:
        probe = self.directory / f"{_UNFINISHED}direct-io"
        try:
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o600))
        except OSError as error:
            if error.errno == errno.EINVAL:
                return False
            raise
        finally:
            probe.unlink(missing_ok=True)
        return True

    def _clear(self, path: Path) -> None:
        """Remove what a killed process has left unfinished."""
        for entry in path.iterdir():
            if entry.name.startswith(_UNFINISHED):
                entry.unlink()
            elif entry.name.startswith(_GOING):
                _remove_tree(entry)


def _checked(uuid_text: str, field: str) -> str:
    """Return an id that may become a file name."""
    if not is_uuid(uuid_text):
        raise InvalidInput((Fault(field, "not_uuid", f"{uuid_text!r} is not a canonical UUID"),))
    return uuid_text


def _copy(content: BinaryIO, file: BinaryIO, facts: Image, deadline: Deadline) -> None:
    """Copy an image, leaving out what is zero, and hold it against what is said of it."""
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(_CHUNK):
        size += len(chunk)
        if size > facts.size_bytes:
            raise ImageRefused(facts.id, f"it is longer than the {facts.size_bytes} bytes it says")
        if deadline.passed:
            raise DeadlineExceeded(f"copying image {facts.id}", _COPY_TIMEOUT_S)
        digest.update(chunk)
        if chunk == _ZEROS[: len(chunk)]:
            file.seek(len(chunk), os.SEEK_CUR)
        else:
            file.write(chunk)
    if size < facts.size_bytes:
        raise ImageRefused(facts.id, f"it has {size} bytes, not the {facts.size_bytes} it says")
    if digest.hexdigest() != facts.sha256:
        raise ImageRefused(facts.id, "its content does not match its checksum")
    file.truncate(size)
    file.flush()
    os.fsync(file.fileno())


def _inspect(base: Path, image: ImageId) -> ImageFacts:
    """Return the facts of a cached disk; its first bytes tell the two formats apart."""
    with base.open("rb") as file:
        disk_format = "qcow2" if file.read(4) == b"QFI\xfb" else "raw"
    return inspect_image(base, disk_format, image)


def _qemu_img(verb: str, options: tuple[str, ...], path: Path, deadline: Deadline) -> None:
    try:
        done = subprocess.run(
            ("qemu-img", verb, *options),
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=deadline.left_s(),
            check=False,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        message = "qemu-img not found; on Debian or Ubuntu: apt install qemu-utils"
        raise Unsupported("making disks", message) from None
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(f"qemu-img {verb}", _QEMU_IMG_TIMEOUT_S) from None
    if done.returncode == 0:
        return
    words = done.stderr.strip().removeprefix("qemu-img: ")
    if os.strerror(errno.ENOSPC) in words or os.strerror(errno.EDQUOT) in words:
        raise StorageFull(str(path))
    if os.strerror(errno.EACCES) in words:
        raise PermissionRefused(str(path), words)
    raise HypervisorRefused(f"qemu-img {verb}", done.returncode, words)


@contextmanager
def _gone_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
