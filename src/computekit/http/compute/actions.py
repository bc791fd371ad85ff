"""Actions on servers on the wire: the one name in the body says which."""

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from computekit.api.compute.actions import (
    Acted,
    ConsoleText,
    Lock,
    Reboot,
    ServerAction,
    Start,
    Stop,
    Unlock,
    What,
)
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer, not_offered
from computekit.http.compute.versioned import Body, since
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import InstanceId

NOT_YET = frozenset(
    {
        "addFixedIp", "addFloatingIp", "addSecurityGroup", "changePassword", "confirmResize",
        "createBackup", "createImage", "evacuate", "forceDelete", "injectNetworkInfo", "migrate",
        "os-getRDPConsole", "os-getSerialConsole", "os-getSPICEConsole", "os-getVNCConsole",
        "os-migrateLive", "os-resetState", "pause", "rebuild", "removeFixedIp",
        "removeFloatingIp", "removeSecurityGroup", "rescue", "resetNetwork", "resize", "restore",
        "resume", "revertResize", "shelve", "shelveOffload", "suspend", "trigger_crash_dump",
        "unpause", "unrescue", "unshelve",
    }
)  # fmt: skip
"""Actions that Nova has and that are refused by their names here."""


class RebootFields(Struct, forbid_unknown_fields=True):
    """How to reboot."""

    type: str


class LockFields(Struct, forbid_unknown_fields=True):
    """Why a server is locked."""

    locked_reason: Annotated[str, Meta(min_length=1, max_length=255), since(73)]


class ConsoleFields(Struct, forbid_unknown_fields=True):
    """How much of a console is wanted."""

    length: int | None = None


class OutputAnswer(Struct):
    """What a server wrote on its console."""

    output: str


class ActionBody(Struct, forbid_unknown_fields=True):
    """One action by its name; of these, one is there."""

    start: UnsetType | None = field(name="os-start", default=UNSET)
    stop: UnsetType | None = field(name="os-stop", default=UNSET)
    reboot: RebootFields | UnsetType = UNSET
    lock: LockFields | UnsetType | None = UNSET
    unlock: UnsetType | None = UNSET
    console: ConsoleFields | UnsetType = field(name="os-getConsoleOutput", default=UNSET)


_REBOOT, _LOCK, _CONSOLE = Body(RebootFields), Body(LockFields), Body(ConsoleFields)


def _reboot(body: bytes, minor: int) -> What:
    kind = _REBOOT.parse(body, minor).type.upper()
    if kind not in {"HARD", "SOFT"}:
        raise InvalidInput((Fault("reboot.type", "word", "is HARD or SOFT"),))
    return Reboot(kind == "HARD")


def _lock(body: bytes, minor: int) -> What:
    return Lock() if body == b"null" else Lock(_LOCK.parse(body, minor).locked_reason)


def _console(body: bytes, minor: int) -> What:
    lines = _CONSOLE.parse(body, minor).length
    return ConsoleText(None if lines is None or lines < 0 else lines)


def _plain(what: What) -> Callable[[bytes, int], What]:
    return lambda _body, _minor: what


READ: Mapping[str, Callable[[bytes, int], What]] = {
    "os-start": _plain(Start()),
    "os-stop": _plain(Stop()),
    "reboot": _reboot,
    "lock": _lock,
    "unlock": _plain(Unlock()),
    "os-getConsoleOutput": _console,
}
"""How what stands under the name of an action is read."""

_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_action(request: HttpRequest, minor: int) -> ServerAction:
    """Return what is asked of which server."""
    try:
        said = _DECODER.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput((Fault("body", "malformed", f"is no JSON object: {error}"),)) from None
    if len(said) != 1:
        raise InvalidInput((Fault("body", "action", "names one action"),))
    ((name, body),) = said.items()
    if name in NOT_YET:
        raise not_offered(f"The action {name}")
    if name not in READ:
        message = f"there is no such action: {name[:80]!a}"
        raise InvalidInput((Fault("body", "action", message),))
    return ServerAction(InstanceId(request.values["server"]), READ[name](bytes(body), minor))


def render_acted(output: Acted, reader: Reader) -> Answer:
    """Return that it is under way, or what was asked for."""
    if output.output is None:
        return Answer(202)
    return answer(200, OutputAnswer(output.output), reader)
