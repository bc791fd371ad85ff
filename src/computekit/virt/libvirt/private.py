"""`PrivateLibvirtd`: a libvirtd of our own, apart from the machine's."""

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import sys
import tempfile
import uuid
from pathlib import Path
from urllib.parse import quote

from computekit.clock import Clock, Deadline, SystemClock
from computekit.errors import (
    DeadlineExceeded,
    Fault,
    HypervisorUnavailable,
    InvalidInput,
    PermissionRefused,
    Unsupported,
)
from computekit.files import lock_holder, storage_errors
from computekit.units import Seconds
from computekit.virt.libvirt import _supervisor

__all__ = ["PrivateLibvirtd"]

_PROGRAMS = {
    "libvirtd": "libvirt-daemon-system",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
}
"""What it takes, and the Debian package that has it."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POLL_S = Seconds(0.02)

# libvirt's configuration and URIs take no space in a path, nor much else. And the path of a socket
# has 107 bytes at most (unix(7)). As root only libvirtd's own socket is below the
# directory; else those of QEMU's monitors are too: etc/libvirt/qemu/lib/domain-N-NAME/monitor.sock
_LONGEST_FOR_ROOT = 107 - len("/run/libvirt/libvirt-admin-sock")
_LONGEST_FOR_USER = 107 - len("/etc/libvirt/qemu/lib/domain-99999-") - 20 - len("/monitor.sock")

_LIBVIRTD_CONF = """\
host_uuid = "{host_uuid}"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:file:{directory}/log/libvirtd.log"
"""

# QEMU runs as whoever runs libvirtd. Nothing of the machine's is changed for it: no owner is noted
# in file attributes, no control group is made, no other daemon is started to keep its log.
_QEMU_CONF = """\
{user}security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
remember_owner = 0
"""


class PrivateLibvirtd:
    """A libvirtd with its own configuration, sockets, domains and logs, all in one directory.

    As root it lives in a mount namespace of its own; for other users it is a session daemon. It
    has unix sockets only. It is kept running by a supervisor that outlives this process, so that
    the next one finds it again. Guests go on when it ends, unless `stop` is told otherwise.

    Args:
        directory: for everything; made if it is not there.
        clock: for deadlines.
        search_path: where to look for programs.
    """

    def __init__(
        self, directory: Path, clock: Clock | None = None, *, search_path: str = _PATH
    ) -> None:
        self.directory: Path = directory.absolute()
        self._clock: Clock = clock or SystemClock()
        self._search_path = search_path
        self._root = os.geteuid() == 0
        longest = _LONGEST_FOR_ROOT if self._root else _LONGEST_FOR_USER
        plain = re.fullmatch(r"[\w./+@:-]+", str(self.directory), re.ASCII) is not None
        fits = plain and len(os.fsencode(self.directory)) <= longest
        self._link = None if fits else _short_name(self.directory)
        self._base = self._link or self.directory
        self._lock = self.directory / "lock"
        self._child: int | None = None

    @property
    def uri(self) -> str:
        """Where libvirt clients reach it."""
        kind = "system" if self._root else "session"
        return f"qemu+unix:///{kind}?socket={quote(str(self._socket))}"

    @property
    def libvirtd_pid(self) -> int | None:
        """The daemon's process, or None if there is none."""
        try:
            pid = int((self.directory / "run/libvirtd.pid").read_text("ascii"))
        except (OSError, ValueError):
            return None
        return pid if self.supervisor_pid is not None and _exists(pid) else None

    @property
    def supervisor_pid(self) -> int | None:
        """The process that keeps the daemon running, or None if there is none."""
        return lock_holder(self._lock)

    def start(self, timeout_s: Seconds = Seconds(30.0)) -> None:
        """Have it running, and return once it answers; nothing happens if it does.

        Raises:
            Unsupported: something is not installed; the message says what to install.
            PermissionRefused: this user may not do what it takes.
            HypervisorUnavailable: libvirtd does not come up; the message has its last words.
        """
        libvirtd = self._check()
        deadline = Deadline(self._clock, timeout_s)
        running = self.supervisor_pid
        if running is not None:
            _send(running, signal.SIGHUP)
        while self.supervisor_pid is None or not self._answers():
            if self._ended() == _supervisor.REFUSED:
                reason = f"a libvirtd apart from the machine's own cannot be started: {self._log()}"
                raise PermissionRefused(str(self.directory), reason)
            if self._child is None and self.supervisor_pid is None:
                with storage_errors(self.directory):
                    self._write_files()
                    self._child = self._spawn(libvirtd)
            if deadline.passed:
                raise HypervisorUnavailable(
                    self.uri, f"libvirtd did not come up within {timeout_s:g} s: {self._log()}"
                )
            self._clock.sleep(_POLL_S)

    def stop(self, *, destroy_domains: bool = False, timeout_s: Seconds = Seconds(30.0)) -> None:
        """End it; nothing happens if it does not run.

        Args:
            destroy_domains: end its guests too. Without, they go on, and the supervisor with them.
            timeout_s: how long that may take.

        Raises:
            DeadlineExceeded: it has not ended.
        """
        deadline = Deadline(self._clock, timeout_s)
        asked = None
        while (pid := self.supervisor_pid) is not None:
            if pid != asked:
                _send(pid, signal.SIGINT if destroy_domains else signal.SIGTERM)
                asked = pid
            if not destroy_domains and self.libvirtd_pid is None:
                return
            if deadline.passed:
                raise DeadlineExceeded("the end of the private libvirtd", timeout_s)
            self._clock.sleep(_POLL_S)
        if self._child is not None:
            os.waitpid(self._child, 0)
            self._child = None
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others have names there too
                self._link.parent.rmdir()

    # Where things are.

    @property
    def _socket(self) -> Path:
        return self._base / "run/libvirt/libvirt-sock"

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self._socket))
            except OSError:
                return False
        return True

    def _log(self) -> str:
        lines: list[str] = []
        for name in ("supervisor.log", "libvirtd.log"):
            try:
                lines += (self.directory / "log" / name).read_text("utf-8", "replace").splitlines()
            except FileNotFoundError:
                continue
        return lines[-1] if lines else "it left no message"

    # How it is made.

    def _check(self) -> str:
        found = {name: shutil.which(name, path=self._search_path) for name in _PROGRAMS}
        missing = [name for name, path in found.items() if path is None]
        if missing:
            packages = " ".join(_PROGRAMS[name] for name in missing)
            raise Unsupported(
                "a libvirtd of our own",
                f"{', '.join(missing)} not found; on Debian or Ubuntu: apt install {packages}",
            )
        if self._root:
            for place in _supervisor.PLACES.values():
                if self.directory.is_relative_to(place):
                    message = f"{self.directory} is hidden from a libvirtd that has its own {place}"
                    raise InvalidInput((Fault("directory", "hidden", message),))
        return found["libvirtd"] or ""

    def _write_files(self) -> None:
        for own in (*_supervisor.PLACES, "log"):
            (self.directory / own).mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._link is not None:
            _make_link(self._link, self.directory)
        host_uuid = self.directory / "host_uuid"
        if not host_uuid.exists():
            host_uuid.write_text(str(uuid.uuid4()), "ascii")
        config = _LIBVIRTD_CONF.format(
            host_uuid=host_uuid.read_text("ascii").strip(), directory=self._base
        )
        user = 'user = "root"\ngroup = "root"\n' if self._root else ""
        (self.directory / "etc/libvirt/libvirtd.conf").write_text(config, "utf-8")
        (self.directory / "etc/libvirt/qemu.conf").write_text(_QEMU_CONF.format(user=user), "utf-8")
        if self._root:
            # Something has to be there for libvirtd's own view to be put over.
            for place in _supervisor.PLACES.values():
                Path(place).mkdir(mode=0o755, parents=True, exist_ok=True)

    def _spawn(self, libvirtd: str) -> int:
        environment = {
            "PATH": self._search_path,
            "LC_ALL": "C",
            "HOME": pwd.getpwuid(os.geteuid()).pw_dir,
            "XDG_RUNTIME_DIR": str(self._base / "run"),
            "XDG_CONFIG_HOME": str(self._base / "etc"),
            "XDG_CACHE_HOME": str(self._base / "cache"),
            "XDG_DATA_HOME": str(self._base / "lib"),
        }
        program = [sys.executable, "-I", "-S", _supervisor.__file__, str(self._base), libvirtd]
        log = str(self.directory / "log/supervisor.log")
        created = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        # -I, -S: the standard library alone. Not subprocess: it is not to end with this process.
        return os.posix_spawn(
            sys.executable,
            program,
            environment,
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, created, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ),
            setsid=True,
        )

    def _ended(self) -> int | None:
        """Return the exit status of the supervisor that this object has started, once it ends."""
        if self._child is None:
            return None
        pid, status = os.waitpid(self._child, os.WNOHANG)
        if pid == 0:
            return None
        self._child = None
        return os.waitstatus_to_exitcode(status)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _short_name(directory: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return _short_directory() / digest


def _short_directory() -> Path:
    user = os.geteuid()
    if user == 0:
        return Path("/run/computekit")
    own = Path(f"/run/user/{user}")
    return own / "computekit" if own.is_dir() else Path(tempfile.gettempdir()) / f"ck-{user}"


def _make_link(link: Path, directory: Path) -> None:
    """Give `directory` a short name, in a place that only this user can write."""
    link.parent.mkdir(mode=0o700, exist_ok=True)
    found = link.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionRefused(str(link.parent), "it must be a directory of this user alone")
    if link.is_symlink() and link.readlink() == directory:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(directory)
