"""Operations that are asked of a server as its actions: `POST .../action` with one name."""

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, is_admin, since
from computekit.api.compute.locks import check_unlocked
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.compute import ConsoleOutput, read_console, reboot, start, stop
from computekit.errors import Conflict, DeadlineExceeded, NotFound, StateConflict
from computekit.ids import InstanceId
from computekit.journal import OperationState
from computekit.model import LockedBy, decode, decode_error
from computekit.units import Seconds
from computekit.work import Tx

__all__ = [
    "ACT_ON_SERVER",
    "Acted",
    "ActionCalls",
    "ConsoleText",
    "Lock",
    "Reboot",
    "ServerAction",
    "Start",
    "Stop",
    "Unlock",
    "What",
]

_CONSOLE_S = Seconds(30.0)
_LOOK_S = Seconds(0.05)
_LINE_BYTES = 200
"""How long a line of a console is taken to be, so that enough of its end is read."""
_TAIL_BYTES = 1 << 20


@attrs.frozen
class Start:
    """Let it run."""


@attrs.frozen
class Stop:
    """Shut it down."""


@attrs.frozen
class Reboot:
    """Shut it down and let it run; a hard one takes its power."""

    hard: bool


@attrs.frozen
class Lock:
    """Keep its owner from changing it by mistake."""

    reason: str | None = None


@attrs.frozen
class Unlock:
    """Let it be changed again."""


@attrs.frozen
class ConsoleText:
    """Read what it wrote on its console.

    Attributes:
        lines: how many of the last ones; None: all that is kept.
    """

    lines: int | None = None


What = Start | Stop | Reboot | Lock | Unlock | ConsoleText


@attrs.frozen
class ServerAction:
    """What is asked of which server."""

    id: InstanceId
    what: What


@attrs.frozen
class Acted:
    """What came of an action at once.

    Attributes:
        output: the console's text, if that was asked for.
    """

    output: str | None = None


ACT_ON_SERVER = ApiOperation(
    "act_on_server", "POST", "/v2.1/servers/{server}/action", "Do something with a server.",
    ServerAction, Acted, since(1), rule=Rule.MEMBER, has_body=True,
    errors=(NotFound, Conflict),
)  # fmt: skip


class ActionCalls:
    """What carries out actions.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def act(self, asked: ServerAction, context: CallContext) -> Acted:
        """Carry out `ACT_ON_SERVER`."""
        services, what = self._cloud.services, asked.what
        row = self._cloud.existing(asked.id, context)
        if isinstance(what, ConsoleText):
            return Acted(self._console(asked.id, what, context))
        if isinstance(what, Lock | Unlock):
            self._lock(asked.id, what, context)
            return Acted()
        check_unlocked(row, context)
        match what:
            case Start():
                start(services, asked.id)
            case Stop():
                stop(services, asked.id)
            case Reboot():
                reboot(services, asked.id, hard=what.hard)
        return Acted()

    def _lock(self, server: InstanceId, what: Lock | Unlock, context: CallContext) -> None:
        admin = is_admin(context.identity)

        def write(tx: Tx) -> None:
            row = self._cloud.existing(server, context)
            record = row.record
            if record.locked is LockedBy.ADMIN and not admin:
                raise StateConflict(f"instance {server}", "locked by an administrator", "unlocked")
            now_s = self._cloud.services.clock.wall_s()
            if isinstance(what, Unlock):
                after = attrs.evolve(record, locked=None, locked_reason=None, changed_s=now_s)
            else:
                owner = row.instance.project == context.identity.project
                by = LockedBy.OWNER if owner or not admin else LockedBy.ADMIN
                after = attrs.evolve(record, locked=by, locked_reason=what.reason, changed_s=now_s)
            self._cloud.servers.put_record(tx, after)

        self._cloud.services.store.write(write)

    def _console(self, server: InstanceId, what: ConsoleText, context: CallContext) -> str:
        services = self._cloud.services
        size = _TAIL_BYTES
        if what.lines is not None:
            size = min(size, max(what.lines, 1) * _LINE_BYTES)
        operation = read_console(services, server, size)
        patience_s = min(_CONSOLE_S, context.deadline.left_s())
        until_s = services.clock.monotonic_s() + patience_s
        while services.clock.monotonic_s() < until_s:
            found = services.journal.operation(operation.id)
            if found is None or found.state is OperationState.UNDONE:
                if found is not None and found.error is not None:
                    raise decode_error(found.error)
                break
            if found.state is OperationState.DONE:
                for result in services.journal.results(operation.id):
                    if result.value is not None:
                        return _last(decode(result.value, ConsoleOutput).text, what.lines)
                break
            services.clock.sleep(_LOOK_S)
        raise DeadlineExceeded("reading the console", Seconds(patience_s))


def _last(text: str, lines: int | None) -> str:
    if lines is None:
        return text
    return "".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""
