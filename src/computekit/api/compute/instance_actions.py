"""What was done to a server, read from its operations: an action each, an event for each phase.

Nothing is written for it: an operation that is there is an action, a step that was entered is an
event, and what ends the operation, whoever dies meanwhile, ends both.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, may_see, since
from computekit.api.compute.server_view import ServerFault, fault_of
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import ServerRow, operation_kinds
from computekit.errors import NotFound
from computekit.ids import InstanceId
from computekit.journal import Direction, Operation, OperationState
from computekit.units import Seconds

__all__ = [
    "ACTIONS",
    "LIST_ACTIONS",
    "SHOW_ACTION",
    "ActionCalls",
    "ActionEvent",
    "ActionPath",
    "ActionQuery",
    "InstanceAction",
]

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "instance.create": "create",
        "instance.delete": "delete",
        "instance.start": "start",
        "instance.stop": "stop",
        "instance.reboot": "reboot",
    }
)
"""What users call a kind of operation; kinds that are not here are nobody's wish."""

_PATH = "/v2.1/servers/{server}/os-instance-actions"


@attrs.frozen
class ActionPath:
    """Which action of which server."""

    server: InstanceId
    request_id: str


@attrs.frozen
class ActionQuery:
    """Which actions of a server are asked for.

    Attributes:
        server: the server.
        limit: the most that are returned.
        marker: the request id of the one to begin behind.
        since_s: only those that were changed at this time or later.
        before_s: only those that were changed at this time or before.
    """

    server: InstanceId
    limit: int = 1000
    marker: str | None = None
    since_s: Seconds | None = None
    before_s: Seconds | None = None


@attrs.frozen
class ActionEvent:
    """One phase of an action; times are wall seconds since the Unix epoch.

    Attributes:
        name: `compute_` and the step, or `conductor_` and it where no host is asked.
        begun_s: when it was entered.
        ended_s: None while it is under way.
        fault: why it failed.
    """

    name: str
    begun_s: Seconds
    ended_s: Seconds | None
    fault: ServerFault | None = None


@attrs.frozen
class InstanceAction:
    """One thing that was done to a server, or is being done.

    Attributes:
        action: what users call it.
        request_id: names it.
        row: the server.
        begun_s: when it was asked for.
        changed_s: when anything of it last changed.
        fault: why it failed.
        events: its phases, oldest first.
    """

    action: str
    request_id: str
    row: ServerRow
    begun_s: Seconds
    changed_s: Seconds
    fault: ServerFault | None
    events: tuple[ActionEvent, ...] = ()


LIST_ACTIONS = ApiOperation(
    "list_instance_actions", "GET", _PATH, "What was done to a server.",
    ActionQuery, tuple[InstanceAction, ...], since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
SHOW_ACTION = ApiOperation(
    "show_instance_action", "GET", f"{_PATH}/{{request_id}}", "One thing that was done.",
    ActionPath, InstanceAction, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip


class ActionCalls:
    """What reads actions.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._steps = {
            kind.key: tuple(step.name for step in kind.steps)
            for kind in operation_kinds(cloud.services)
        }

    def all(self, asked: ActionQuery, context: CallContext) -> tuple[InstanceAction, ...]:
        """Carry out `LIST_ACTIONS`: the newest first."""
        row = self._row(asked.server, context)
        found = [self._action(row, it) for it in self._history(asked.server)]
        found = [
            it
            for it in reversed(found)
            if (asked.since_s is None or it.changed_s >= asked.since_s)
            and (asked.before_s is None or it.changed_s <= asked.before_s)
        ]
        if asked.marker is not None:
            ids = [it.request_id for it in found]
            if asked.marker not in ids:
                raise NotFound("marker", asked.marker)
            found = found[ids.index(asked.marker) + 1 :]
        return tuple(found[: asked.limit])

    def show(self, asked: ActionPath, context: CallContext) -> InstanceAction:
        """Carry out `SHOW_ACTION`."""
        row = self._row(asked.server, context)
        for it in self._history(asked.server):
            if _request_id(it) == asked.request_id:
                return attrs.evolve(self._action(row, it), events=self._events(it))
        raise NotFound("action", asked.request_id)

    def _row(self, server: InstanceId, context: CallContext) -> ServerRow:
        """Return a server, also one that is deleted: its actions are still there."""
        row = self._cloud.servers.server(server)
        if row is None or not may_see(context.identity, row.instance.project):
            raise NotFound("instance", server)
        return row

    def _history(self, server: InstanceId) -> list[Operation]:
        history = self._cloud.services.journal.history(server)
        return [it for it in history if it.kind in ACTIONS]

    def _action(self, row: ServerRow, operation: Operation) -> InstanceAction:
        failed = operation.state is OperationState.UNDONE
        changed_s = operation.ended_s or max(operation.created_s, operation.entered_s)
        return InstanceAction(
            ACTIONS[operation.kind],
            _request_id(operation),
            row,
            operation.created_s,
            Seconds(changed_s),
            fault_of(operation) if failed else None,
        )

    def _events(self, operation: Operation) -> tuple[ActionEvent, ...]:
        """Return the phases: those that are done, and the one that is under way or failed."""
        names = self._steps.get(operation.key, ())
        results = self._cloud.services.journal.results(operation.id)
        at_s = {it.step: it.at_s for it in results if it.n == 0}
        # Whatever is taken back has said so, the step that failed too: it is the last of them.
        turned = operation.direction is Direction.UNDO or operation.state is OperationState.UNDONE
        last = operation.position
        if turned:
            last = max((names.index(it) for it in at_s if it in names), default=0)
            last = max(last, operation.position)
        events: list[ActionEvent] = []
        begun_s = operation.created_s
        for at, name in enumerate(names[: last + 1]):
            failed = turned and at == last
            ended_s = at_s.get(name)
            if failed:
                ended_s = operation.ended_s or ended_s or operation.entered_s
            fault = fault_of(operation) if failed else None
            events.append(ActionEvent(_event_name(operation, name), begun_s, ended_s, fault))
            begun_s = ended_s or begun_s
        return tuple(events)


def _request_id(operation: Operation) -> str:
    return f"req-{operation.id}"


def _event_name(operation: Operation, step: str) -> str:
    origin = "conductor" if step == "place" else "compute"
    return f"{origin}_{ACTIONS[operation.kind]}_{step}"
