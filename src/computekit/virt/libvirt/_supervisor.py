"""Keeps one libvirtd running, apart from the machine's own; a program, see `private.py`.

It is run by its path and takes nothing but the standard library, so that it starts at once and
outlives whatever started it. As root it gives libvirtd its own view of the five directories that
libvirt always uses; other users have theirs by environment.

It adopts the QEMU processes that libvirtd leaves behind, for where nobody else reaps them libvirt
waits for their end in vain. Signals: TERM ends libvirtd, and the supervisor with the last guest;
HUP takes that back, and cuts the pause before a restart short; INT ends libvirtd and every guest.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

ALREADY_RUNNING = 10
REFUSED = 11

PLACES = {
    "run/libvirt": "/run/libvirt",
    "etc/libvirt": "/etc/libvirt",
    "lib/libvirt": "/var/lib/libvirt",
    "log/libvirt": "/var/log/libvirt",
    "cache/libvirt": "/var/cache/libvirt",
}
"""What a libvirtd of root sees where."""

_BUS = "/run/dbus"

_UNBORN = b"reason='starting up' pid='0'>"

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS = 0x0002_0000
_MS_BIND, _MS_REC, _MS_SLAVE = 0x1000, 0x4000, 0x8_0000

_LOG_KEPT_S, _LOG_ROUND_S = 24 * 3600.0, 3600.0
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 10.0
_GRACE_S = 5.0
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT}


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, target: str, flags: int) -> None:
    _call("mount", source.encode(), target.encode(), None, ctypes.c_ulong(flags), None)


def _enter_own_mounts(directory: Path) -> None:
    _call("unshare", _CLONE_NEWNS)
    # What the machine mounts later is seen here too; what is mounted here is not seen there.
    _mount("none", "/", _MS_REC | _MS_SLAVE)
    for own, place in PLACES.items():
        _mount(str(directory / own), place, _MS_BIND)
    if Path(_BUS).is_dir():  # without a bus, no guest is registered with the machine's services
        _mount(str(directory / "run/libvirt"), _BUS, _MS_BIND)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Supervisor:
    """The loop: reap, start what is wanted, and wait for a signal."""

    def __init__(self, directory: Path, libvirtd: str) -> None:
        self._directory = directory
        self._libvirtd = libvirtd
        self._pid: int | None = None
        self._wanted = True
        self._everything = False
        self._delay_s = _FIRST_DELAY_S
        self._started_s = 0.0
        self._start_s = 0.0
        self._kill_s = 0.0
        self._tidied_s = time.monotonic()

    def run(self) -> None:
        """Return once nothing is wanted and nothing is left."""
        while True:
            left = self._reap()
            now = time.monotonic()
            if self._pid is None and self._wanted and now >= self._start_s:
                self._start(now)
            elif self._pid is None and not self._wanted:
                if self._everything:
                    self._end_guests(now)
                if not left:
                    return
            elif self._pid is not None and not self._wanted and now >= self._kill_s:
                _send(self._pid, signal.SIGKILL)
            if now - self._tidied_s > _LOG_ROUND_S:
                self._tidied_s = now
                self._remove_old_logs()
            received = signal.sigtimedwait(_SIGNALS, 0.2 if self._busy else 10.0)
            self._obey(received.si_signo if received else 0)

    @property
    def _busy(self) -> bool:
        return self._pid is None or not self._wanted

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._wanted, self._everything = True, False
            self._start_s, self._delay_s = 0.0, _FIRST_DELAY_S
        elif number in {signal.SIGTERM, signal.SIGINT}:
            self._wanted, self._everything = False, number == signal.SIGINT
            self._kill_s = time.monotonic() + _GRACE_S
            if self._pid is not None:
                _send(self._pid, signal.SIGTERM)

    def _start(self, now: float) -> None:
        self._forget_unborn()
        pid = os.fork()
        if pid == 0:
            self._become_libvirtd()
        self._pid, self._started_s = pid, now

    def _forget_unborn(self) -> None:
        """Remove the notes of guests that libvirtd was about to start when it was killed.

        There is no process yet, but libvirt 9.0 takes up its own note of a start under way
        and waits for the end of it, for ever: every later call on that domain would run into
        "cannot acquire state change lock". Without the note, the domain is simply off.
        """
        for note in (self._directory / "run/libvirt/qemu").glob("**/*.xml"):
            pid_file = note.with_suffix(".pid")
            if _UNBORN in note.read_bytes()[:2048] and _guest(pid_file) is None:
                note.unlink()
                pid_file.unlink(missing_ok=True)

    def _remove_old_logs(self) -> None:
        """Remove what QEMU said of domains that are not defined any more, after a day."""
        for places in ("log/libvirt/qemu", "cache/libvirt/qemu/log"):
            for log in (self._directory / places).glob("*.log"):
                definition = self._directory / f"etc/libvirt/qemu/{log.stem}.xml"
                age_s = time.time() - log.stat().st_mtime
                if age_s > _LOG_KEPT_S and not definition.exists():
                    log.unlink()

    def _become_libvirtd(self) -> None:
        try:
            _call("prctl", _PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            config = self._directory / "etc/libvirt/libvirtd.conf"
            pid_file = self._directory / "run/libvirtd.pid"
            os.execv(  # noqa: S606
                self._libvirtd,
                [self._libvirtd, "--config", str(config), "--pid-file", str(pid_file)],
            )
        finally:
            os._exit(127)

    def _reap(self) -> bool:
        """Take note of every child that has ended; return whether any is left."""
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._pid:
                self._note_end()

    def _note_end(self) -> None:
        now = time.monotonic()
        self._pid = None
        if now - self._started_s > _LONGEST_DELAY_S:
            self._delay_s = _FIRST_DELAY_S
        self._start_s = now + self._delay_s
        self._delay_s = min(self._delay_s * 2, _LONGEST_DELAY_S)
        # A QEMU that libvirtd was only asking for its abilities has nobody left to ask it.
        for pid in _children():
            if b"/qmp-" in _command_line(pid):
                _send(pid, signal.SIGKILL)

    def _end_guests(self, now: float) -> None:
        number = signal.SIGTERM if now < self._kill_s + _GRACE_S else signal.SIGKILL
        for pid in {*_children(), *self._strays()}:
            _send(pid, number)

    def _strays(self) -> list[int]:
        """Return guests that an earlier supervisor did not live to adopt."""
        pid_files = (self._directory / "run/libvirt/qemu").glob("**/*.pid")
        return [pid for path in pid_files if (pid := _guest(path)) is not None]


def _guest(pid_file: Path) -> int | None:
    """Return the process of the guest that has this file, if it lives."""
    try:
        pid = int(pid_file.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return pid if f"guest={pid_file.stem},".encode() in _command_line(pid) else None


def _children() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which may hold anything: state, parent ...
            _, parent, *_ = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            if int(parent) == os.getpid():
                found.append(int(path.parent.name))
    return found


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def main(directory: Path, libvirtd: str) -> int:
    """Run as the supervisor of `directory`; return the exit status."""
    os.chdir("/")
    # The lock names its owner to whoever asks, and ends with it.
    lock = (directory / "lock").open("wb")
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EAGAIN}:
            return ALREADY_RUNNING
        raise
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if os.geteuid() == 0:
            _enter_own_mounts(directory)
    except OSError as error:
        hint = (
            " (the root of a chroot must be a mount point)" if error.errno == errno.EINVAL else ""
        )
        sys.stderr.write(f"{error.strerror}{hint}\n")
        return REFUSED
    Supervisor(directory, libvirtd).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
