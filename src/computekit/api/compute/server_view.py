"""What a server looks like from outside: its rows, and what its operation is doing."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from computekit.api.compute.base import Cloud
from computekit.compute import ServerRow, operation_kinds
from computekit.errors import ComputekitError, InvalidInput, NoValidHost, RetriesExhausted
from computekit.ids import HostName
from computekit.journal import Operation
from computekit.model import InstanceState, decode_error
from computekit.scheduler import Host
from computekit.units import Seconds

__all__ = ["TASKS", "ServerFault", "ServerView", "ServerViews", "fault_of"]

TASKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "instance.create": {"place": "scheduling", "": "spawning"},
        "instance.delete": {"": "deleting"},
        "instance.start": {"": "powering-on"},
        "instance.stop": {"": "powering-off"},
        "instance.reboot": {"shut_down": "rebooting", "": "reboot_started"},
    }
)
"""What a user is told that an operation does, by its kind and step; "" is any other step.

Kinds that are not here are nobody's business.
"""


@attrs.frozen
class ServerFault:
    """Why a server is in error.

    Attributes:
        code: of HTTP: 500.
        message: one sentence.
        details: for administrators: every rule and host.
        created_s: wall seconds since the Unix epoch.
    """

    code: int
    message: str
    details: str
    created_s: Seconds


@attrs.frozen
class ServerView:
    """One server.

    Attributes:
        row: its rows.
        host: where it is.
        zone: that it shows; None while it has no host.
        step: of the operation that is under way.
        task: what users are told of it.
        progress: hundredths of the steps of the operation that are done.
        fault: why it is in error.
        full: whether group and the like are shown, which lists leave out.
    """

    row: ServerRow
    host: Host | None
    zone: str | None
    step: str | None = None
    task: str | None = None
    progress: int = 0
    fault: ServerFault | None = None
    full: bool = False

    @property
    def changed_s(self) -> Seconds:
        """When anything of it was last changed."""
        row = self.row
        touched_s = row.times.touched_s or Seconds(0.0)
        return Seconds(max(row.instance.created_s, row.record.changed_s, touched_s))


class ServerViews:
    """Makes views from rows.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._steps = {
            kind.key: tuple(step.name for step in kind.steps)
            for kind in operation_kinds(cloud.services)
        }

    def one(self, row: ServerRow) -> ServerView:
        """Return the view of one server, with all of it."""
        (found,) = self.several((row,))
        return attrs.evolve(found, full=True)

    def several(self, rows: tuple[ServerRow, ...]) -> tuple[ServerView, ...]:
        """Return the views of several servers, in their order."""
        names = frozenset(it.instance.host for it in rows if it.instance.host is not None)
        hosts = {host.name: host for host in self._cloud.services.hosts.hosts(names)}
        return tuple(self._view(row, hosts) for row in rows)

    def _view(self, row: ServerRow, hosts: Mapping[HostName, Host]) -> ServerView:
        instance = row.instance
        host = None if instance.host is None else hosts.get(instance.host)
        zone = None
        if host is not None:
            zone = host.zone or self._cloud.services.scheduler.policy.default_zone
        step, progress = self._step(row.live)
        task = None
        if row.live is not None:
            words = TASKS.get(row.live.kind, {})
            task = words.get(step or "", words.get(""))
        fault = None
        if instance.state is InstanceState.ERROR and row.failed is not None:
            fault = fault_of(row.failed)
        return ServerView(row, host, zone, step, task, progress, fault)

    def _step(self, live: Operation | None) -> tuple[str | None, int]:
        names = () if live is None else self._steps.get(live.key, ())
        if live is None or not names:
            return None, 0
        at = min(max(live.position, 0), len(names) - 1)
        return names[at], 100 * max(live.position, 0) // len(names)


def fault_of(operation: Operation) -> ServerFault | None:
    """Return why an operation was taken back; None if nobody has said."""
    if operation.error is None:
        return None
    error = decode_error(operation.error)
    at_s = operation.ended_s or operation.entered_s
    return ServerFault(500, _short(error), _whole(error), at_s)


def _short(error: ComputekitError) -> str:
    if isinstance(error, NoValidHost):
        return f"No valid host was found. {error.summary}"
    if isinstance(error, RetriesExhausted):
        return f"No valid host was found. {error.message}"
    return error.message


def _whole(error: ComputekitError) -> str:
    if isinstance(error, NoValidHost | RetriesExhausted):
        return error.explanation
    if isinstance(error, InvalidInput):
        return "\n".join(str(fault) for fault in error.faults)
    return f"{error.message} [{error.code}]"
