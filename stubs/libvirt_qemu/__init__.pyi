# ruff: noqa
# fmt: off
# Made by tools/generate_libvirt_stubs.py: change its corrections, not this file.
# libvirt 9.0.0, libvirt-python 12.8.0

from collections.abc import Callable
from typing import IO, Final, TypeVar
from libvirt import virConnect, virDomain

_T = TypeVar("_T")

VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE: Final = 2
VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX: Final = 1
VIR_DOMAIN_QEMU_AGENT_COMMAND_BLOCK: Final = -2
VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT: Final = -1
VIR_DOMAIN_QEMU_AGENT_COMMAND_MIN: Final = -2
VIR_DOMAIN_QEMU_AGENT_COMMAND_NOWAIT: Final = 0
VIR_DOMAIN_QEMU_AGENT_COMMAND_SHUTDOWN: Final = 60
VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT: Final = 0
VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP: Final = 1


def qemuAgentCommand(domain: virDomain, cmd: str, timeout: int, flags: int) -> str: ...
def qemuAttach(conn: virConnect, pid_value: int, flags: int) -> virDomain: ...
def qemuMonitorCommand(domain: virDomain, cmd: str, flags: int) -> str: ...
def qemuMonitorCommandWithFiles(domain: virDomain, cmd: str, files: list[int] = [], flags: int = 0) -> tuple[str, list[IO[bytes]]]: ...
def qemuMonitorEventDeregister(conn: virConnect, callbackID: int) -> None: ...
def qemuMonitorEventRegister(conn: virConnect, dom: virDomain | None, event: str | None, cb: Callable[[virConnect, virDomain, str, int, int, str | None, _T], object], opaque: _T, flags: int = 0) -> int: ...
