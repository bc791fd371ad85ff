"""Import modules one by one, each in a child of its own, and print what they did that they may not.

    import_probe.py ROOT...

Each ROOT is a package directory. Prints JSON: {module: [offence, ...]} for every module in them.

An offence is an event of the interpreter (opening a file, a socket, a process ...), a look into the
environment, a thread, a pause, or a change of process-wide state (logging, signals, atexit), whose
stack leads to a line of ours without an import in between: what a third party does while it is
imported is its own affair, what it does because we called it is ours.
"""

import _thread
import atexit
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
from collections.abc import Callable, Iterator
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


def offences_of(module: str, probe: Probe) -> list[str]:
    """Import `module` in a child and return what it did."""
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
            json.dump(probe.offences, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    offences: list[str] = json.loads(said)
    return offences


def main(arguments: list[str]) -> None:
    roots = [Path(argument).resolve() for argument in arguments]
    sys.path[:0] = [str(root.parent) for root in roots]
    probe = Probe(tuple(f"{root}{os.sep}" for root in roots))
    for owner, name in STATE:
        probe.watch(owner, name)
    sys.addaudithook(probe.audit)
    # Third parties are the same for all; having them beforehand makes each child cheap.
    for name in ("attrs", "cattrs.preconf.json", "numpy", "os_traits", "sqlalchemy"):
        importlib.import_module(name)
    print(json.dumps({name: offences_of(name, probe) for root in roots for name in modules(root)}))


if __name__ == "__main__":
    main(sys.argv[1:])
