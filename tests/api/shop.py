"""A small service to try the frame with: things that have a name and belong to a project."""

import random
from typing import Any

import attrs
import msgspec

from computekit.api import AccessPolicy, ApiOperation, CallContext, Microversion, Rule, VersionRange
from computekit.errors import CapacityExceeded, NotFound
from computekit.http import (
    Answer,
    Application,
    Endpoint,
    HttpRequest,
    NoAuth2,
    Problem,
    Refused,
    Settings,
    endpoint,
)
from computekit.ids import ProjectId
from computekit.testing import ManualClock
from computekit.units import Seconds

VERSIONS = VersionRange("placement", Microversion(1, 0), Microversion(1, 39))
SINCE = VERSIONS.oldest


@attrs.frozen
class Asked:
    text: str = ""
    project: ProjectId | None = None


class PlainForm:
    """What is asked is the path's name or the body; what is answered is said as it is."""

    def parse(self, request: HttpRequest, version: Microversion) -> Asked:
        if "bad" in request.query:
            raise Refused(Problem(400, "a bad query"))
        project = dict(p.split("=") for p in request.query.split("&") if "=" in p).get("project")
        text = request.values.get("name") or request.body.decode()
        return Asked(text, ProjectId(project) if project else None)

    def render(self, output: str, version: Microversion) -> Answer:
        location = "/things/new" if output == "new" else None
        body = msgspec.json.encode({"said": output})
        return Answer(200, body, location=location, modified_s=Seconds(1e9))


def operation(name: str, method: Any, path: str, **more: Any) -> ApiOperation[Asked, str]:
    return ApiOperation(name, method, path, name, Asked, str, **{"since": SINCE, **more})


def endpoints() -> tuple[Endpoint, ...]:
    def echo(asked: Asked, _context: CallContext) -> str:
        return asked.text

    def who(_asked: Asked, context: CallContext) -> str:
        return f"{context.identity.user}/{context.identity.project} {context.request_id}"

    def missing(asked: Asked, _context: CallContext) -> str:
        raise NotFound("thing", asked.text)

    def full(_asked: Asked, _context: CallContext) -> str:
        raise CapacityExceeded("p", "VCPU", 8, 3, 10)

    def broken(_asked: Asked, _context: CallContext) -> str:
        raise RuntimeError("secret of the house")

    def made(_asked: Asked, _context: CallContext) -> str:
        return "new"

    form = PlainForm()
    bound = (
        (operation("root", "GET", "/", rule=Rule.ANYONE), echo),
        (operation("things", "GET", "/things"), echo),
        (operation("make", "POST", "/things", has_body=True), echo),
        (operation("made", "POST", "/made", has_body=True), made),
        (operation("thing", "GET", "/things/{name}"), echo),
        (operation("late", "GET", "/late", since=Microversion(1, 10)), echo),
        (operation("early", "GET", "/early", until=Microversion(1, 9)), echo),
        (operation("drop", "DELETE", "/things", since=Microversion(1, 5), hidden="method"), echo),
        (operation("mine", "GET", "/mine", rule=Rule.PROJECT), echo),
        (operation("move", "POST", "/move", rule=Rule.SERVICE), echo),
        (operation("who", "GET", "/who"), who),
        (operation("missing", "GET", "/missing/{name}"), missing),
        (operation("full", "GET", "/full"), full),
        (operation("broken", "GET", "/broken"), broken),
    )
    return tuple(
        endpoint(it, call, form, project=lambda asked: asked.project) for it, call in bound
    )


def shop(**changes: Any) -> Application:
    told: dict[str, Any] = {
        "versions": VERSIONS,
        "authentication": NoAuth2(),
        "clock": ManualClock(),
        "source": random.Random(7),
        "policy": AccessPolicy.SECURE,
        **changes,
    }
    pages = told.pop("pages", None)
    return Application(endpoints(), Settings(**told), pages)
