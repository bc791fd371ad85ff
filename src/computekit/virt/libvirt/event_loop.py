"""libvirt's event loop: one thread a process, for libvirt allows no more."""

import os
import threading

import libvirt

__all__ = ["check_process", "start_event_loop"]


class _Loop:
    """The state of this process's loop; libvirt has one for a process, so there is one of this."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.forked = False

    def note_fork(self) -> None:
        """Remember, in the child, that the loop's thread was left behind."""
        self.lock = threading.Lock()
        self.forked = self.thread is not None


_LOOP = _Loop()


def start_event_loop() -> None:
    """Have the loop running; it must be before the first connection is opened.

    It ends with the process. Errors are raised, not printed: libvirt's own messages are turned off.

    Raises:
        RuntimeError: this process was forked off one that had the loop running.
    """
    check_process()
    with _LOOP.lock:
        if _LOOP.thread is not None:
            return
        libvirt.registerErrorHandler(_say_nothing, None)
        libvirt.virEventRegisterDefaultImpl()
        os.register_at_fork(after_in_child=_LOOP.note_fork)
        _LOOP.thread = threading.Thread(target=_run, name="libvirt-event-loop", daemon=True)
        _LOOP.thread.start()


def check_process() -> None:
    """Let a process pass that may use libvirt.

    Raises:
        RuntimeError: it was forked off one that had the loop running.
    """
    if _LOOP.forked:
        raise RuntimeError("libvirt cannot be used after a fork: start a new process instead")


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _say_nothing(_opaque: None, _error: object) -> None:
    """Take an error that is raised as well."""
