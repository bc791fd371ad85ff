"""One operation of an API, declared once: routing, checks, documents and clients come from it."""

from typing import Generic, Literal, TypeVar

import attrs

from computekit.api.access import Rule
from computekit.api.version import Microversion
from computekit.errors import ComputekitError

__all__ = ["ApiOperation", "Method"]

In = TypeVar("In")
Out = TypeVar("Out")

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@attrs.frozen
class ApiOperation(Generic[In, Out]):
    """What can be asked of a service.

    Attributes:
        name: in snake case, unique within the service.
        method: of HTTP.
        path: a template; `{names}` stand for one segment each.
        summary: one line.
        input: a value class of what is asked.
        output: a value class of what is answered; `NoneType` for nothing.
        since: the first microversion that has it.
        until: the last one that has it; None if the newest does.
        rule: who may.
        has_body: whether what is asked comes with a body.
        body_types: media types that the body may have.
        streamed: whether the body is read while the call goes on; it may be longer than memory.
        hidden: what callers of an older version are told not to be there.
        errors: what it may raise beside what every operation may.
        media_types: of what is answered; callers choose from them.
    """

    name: str
    method: Method
    path: str
    summary: str
    input: type[In]
    output: type[Out]
    since: Microversion
    until: Microversion | None = None
    rule: Rule = Rule.OPERATOR
    has_body: bool = False
    body_types: tuple[str, ...] = ("application/json",)
    streamed: bool = False
    hidden: Literal["path", "method"] = "path"
    errors: tuple[type[ComputekitError], ...] = ()
    media_types: tuple[str, ...] = ("application/json",)

    def speaks(self, version: Microversion) -> bool:
        """Return whether callers of `version` have this operation."""
        return self.since <= version and (self.until is None or version <= self.until)
