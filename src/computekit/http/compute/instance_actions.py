"""What was done to servers, on the wire."""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType, field

from computekit.api.compute.instance_actions import (
    ActionEvent,
    ActionPath,
    ActionQuery,
    InstanceAction,
)
from computekit.http.compute.binding import Reader, answer
from computekit.http.compute.query import QueryText, iso
from computekit.http.compute.server_answers import host_id
from computekit.http.compute.versioned import since
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import InstanceId


class EventAnswer(Struct, kw_only=True):
    """One phase of what was done."""

    event: str
    start_time: str
    finish_time: str | None
    result: str | None
    traceback: str | UnsetType | None = UNSET
    host: Annotated[str | UnsetType, since(62)] = UNSET
    host_id: Annotated[str, since(62)] = field(name="hostId")
    details: Annotated[str | None, since(84)] = None


class ActionAnswer(Struct, kw_only=True):
    """One thing that was done."""

    action: str
    instance_uuid: str
    request_id: str
    user_id: str
    project_id: str
    start_time: str
    message: str | None
    updated_at: Annotated[str, since(58)]
    events: list[EventAnswer] | UnsetType = UNSET


class OneAction(Struct):
    """One thing that was done, under its name."""

    action: ActionAnswer = field(name="instanceAction")


class ActionsAnswer(Struct):
    """What was done."""

    actions: list[ActionAnswer] = field(name="instanceActions")


def parse_query_of(request: HttpRequest, minor: int) -> ActionQuery:
    """Return which actions are asked for."""
    query = QueryText(request.query)
    asked = ActionQuery(
        InstanceId(request.values["server"]),
        limit=query.limit() if minor >= 58 else 1000,
        marker=query.text("marker") if minor >= 58 else None,
        since_s=query.time("changes-since") if minor >= 58 else None,
        before_s=query.time("changes-before") if minor >= 66 else None,
    )
    query.check()
    return asked


def parse_path(request: HttpRequest, _minor: int) -> ActionPath:
    """Return which action is asked for."""
    return ActionPath(InstanceId(request.values["server"]), request.values["request_id"])


def _said(action: InstanceAction) -> ActionAnswer:
    instance = action.row.instance
    return ActionAnswer(
        action=action.action,
        instance_uuid=instance.id,
        request_id=action.request_id,
        user_id=instance.user,
        project_id=instance.project,
        start_time=iso(action.begun_s, zulu=False),
        message=None if action.fault is None else "Error",
        updated_at=iso(action.changed_s, zulu=False),
    )


def _event(event: ActionEvent, action: InstanceAction, reader: Reader) -> EventAnswer:
    instance, fault = action.row.instance, event.fault
    result = None
    if event.ended_s is not None:
        result = "Success" if fault is None else "Error"
    said = EventAnswer(
        event=event.name,
        start_time=iso(event.begun_s, zulu=False),
        finish_time=None if event.ended_s is None else iso(event.ended_s, zulu=False),
        result=result,
        host_id=host_id(instance.host, instance.project),
        details=None if fault is None else fault.message,
    )
    if reader.admin:
        said.traceback = None if fault is None else fault.details
        said.host = instance.host or ""
    elif reader.minor < 51:
        said.traceback = None
    return said


def render_actions(output: tuple[InstanceAction, ...], reader: Reader) -> Answer:
    """Return what was done."""
    return answer(200, ActionsAnswer([_said(action) for action in output]), reader)


def render_action(output: InstanceAction, reader: Reader) -> Answer:
    """Return one thing that was done, and its phases."""
    said = _said(output)
    if reader.admin or reader.minor >= 51:
        said.events = [_event(event, output, reader) for event in output.events]
    return answer(200, OneAction(said), reader)
