"""Import modules one by one, in children of their own, and print what they did that they may not.

    import_probe.py ROOT...

Each ROOT is a package directory. Prints JSON: {module: [offence, ...]} for every module in them.

An offence is an event of the interpreter (opening a file, a socket, a process ...), a look into the
environment, a thread, a pause, or a change of process-wide state (logging, signals, atexit), whose
stack leads to a line of ours without an import in between: what a third party does while it is
imported is its own affair, what it does because we called it is ours.
"""

import _thread
import atexit
import contextlib
import gettext
import importlib
import json
import logging
import logging.config
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

EVENTS = (
    "ctypes.dlopen",
    "fcntl.",
    "glob.",
    "open",
    "os.",
    "pty.",
    "shutil.",
    "socket.",
    "sqlite3.connect",
    "subprocess.",
    "tempfile.",
    "urllib.",
)
# What raises no event of its own.
STATE: tuple[tuple[object, str], ...] = (
    (os._Environ, "__getitem__"),
    (os._Environ, "__setitem__"),
    (os._Environ, "__iter__"),
    (logging, "basicConfig"),
    (logging.config, "dictConfig"),
    (logging.Logger, "addHandler"),
    (logging.Logger, "setLevel"),
    (signal, "signal"),
    (atexit, "register"),
    (threading.Thread, "start"),
    (_thread, "start_new_thread"),
    (time, "sleep"),
)
THIRD_PARTIES = (
    "alembic.migration",
    "attrs",
    "cattrs.preconf.json",
    "click",
    "falcon",
    "httpx2",
    "numpy",
    "rich.console",
    "sqlalchemy",
)


class Probe:
    """Collects offences while it is armed."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        self.roots = roots
        self.armed = False
        self.offences: list[str] = []

    def note(self, what: str) -> None:
        if not self.armed:
            return
        self.armed = False  # looking into it may raise events as well
        try:
            if where := self._ours(sys._getframe(2)):
                self.offences.append(f"{where}: {what}")
        finally:
            self.armed = True

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(EVENTS):
            self.note(f"{event} {arguments!r}")

    def watch(self, owner: object, name: str) -> None:
        original: Callable[..., object] = getattr(owner, name)

        def watched(*arguments: object, **options: object) -> object:
            self.note(f"{getattr(owner, '__name__', owner)}.{name}")
            return original(*arguments, **options)

        setattr(owner, name, watched)

    def _ours(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            file = frame.f_code.co_filename
            # click's own words are translated while a command is declared: no choice of ours.
            if file.startswith("<frozen importlib") or file == gettext.__file__:
                return None
            if file.startswith(self.roots):
                return f"{file}:{frame.f_lineno}"
            frame = frame.f_back
        return None


def modules(root: Path) -> Iterator[str]:
    """Name every module of the package in `root`."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def started(module: str, probe: Probe) -> tuple[int, int]:
    """Import `module` in a child; return its id and where it says what happened."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            probe.armed = True
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001  # the parent is told
            probe.offences.append(f"{type(error).__name__}: {error}")
        probe.armed = False
        with os.fdopen(writing, "w") as pipe:
            json.dump((probe.offences, list(sys.modules)), pipe)
        os._exit(0)
    os.close(writing)
    return child, reading


def ended(child: int, reading: int) -> tuple[list[str], list[str]]:
    """Return what a child did, and what was loaded when it ended."""
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    offences, loaded = json.loads(said)
    return offences, loaded


def offences_of(names: Sequence[str], probe: Probe) -> dict[str, list[str]]:
    """Return the offences of each module, packages before what is in them.

    Python imports a package before what is in it. Where that loads a module too, importing the
    module alone is the very same thing, and needs no child of its own.
    """
    found: dict[str, list[str]] = {}
    for depth in sorted({name.count(".") for name in names}):
        wanted = [name for name in names if name.count(".") == depth and name not in found]
        running: dict[str, tuple[int, int]] = {}
        while wanted or running:
            if wanted and len(running) < (os.cpu_count() or 1):
                running[wanted[0]] = started(wanted[0], probe)
                del wanted[0]
                continue
            package = next(iter(running))
            offences, loaded = ended(*running.pop(package))
            inside = (name for name in loaded if name.startswith(f"{package}."))
            found |= dict.fromkeys((package, *inside), offences)
    return {name: found[name] for name in names}


def main(arguments: list[str]) -> None:
    roots = [Path(argument).resolve() for argument in arguments]
    sys.path[:0] = [str(root.parent) for root in roots]
    probe = Probe(tuple(f"{root}{os.sep}" for root in roots))
    for owner, name in STATE:
        probe.watch(owner, name)
    sys.addaudithook(probe.audit)
    # Third parties are the same for all; having them beforehand makes each child cheap.
    for name in THIRD_PARTIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    print(json.dumps(offences_of([name for root in roots for name in modules(root)], probe)))


if __name__ == "__main__":
    main(sys.argv[1:])
