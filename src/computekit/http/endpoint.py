"""An operation bound to what carries it out and to how it looks on the wire."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import attrs

from computekit.api import ApiOperation, CallContext, Method, Microversion, Rule
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProjectId

__all__ = ["Endpoint", "Form", "Prepared", "endpoint", "endpoint_of"]

In = TypeVar("In")
Out = TypeVar("Out")
In_co = TypeVar("In_co", covariant=True)
Out_contra = TypeVar("Out_contra", contravariant=True)


class Form(Protocol[In_co, Out_contra]):
    """How one operation looks on the wire, in every microversion that has it."""

    def parse(self, request: HttpRequest, version: Microversion) -> In_co:
        """Return what a request asks.

        Raises:
            Refused: it is malformed; with the words that callers know.
            InvalidInput: it is malformed; every fault at once.
        """
        ...

    def render(self, output: Out_contra, version: Microversion) -> Answer:
        """Return what goes back."""
        ...


@attrs.frozen
class Prepared:
    """A request that was understood and has not been carried out.

    Attributes:
        project: the one that it asks about, if it asks about one.
        run: carries it out.
    """

    project: ProjectId | None
    run: Callable[[CallContext], Answer]


@attrs.frozen
class Endpoint:
    """An operation that can be asked for.

    Attributes:
        name: of the operation.
        method: of HTTP.
        path: a template.
        summary: one line.
        since: the first microversion that has it.
        until: the last one; None if the newest has it.
        rule: who may.
        has_body: whether it takes a body.
        body_types: media types that the body may have.
        streamed: whether the body is read while the call goes on.
        media_types: of what it answers.
        hidden: whether a caller of another version is told that the path is not there, or that
            the method is not.
        speaks: whether callers of a version have it.
        prepare: understands a request.
    """

    name: str
    method: Method
    path: str
    summary: str
    since: Microversion
    until: Microversion | None
    rule: Rule
    has_body: bool
    body_types: tuple[str, ...]
    streamed: bool
    media_types: tuple[str, ...]
    hidden: str
    speaks: Callable[[Microversion], bool]
    prepare: Callable[[HttpRequest, Microversion], Prepared]


def _no_project(_asked: object) -> ProjectId | None:
    return None


def endpoint_of(
    operation: ApiOperation[In, Out], prepare: Callable[[HttpRequest, Microversion], Prepared]
) -> Endpoint:
    """Return the endpoint of an operation that `prepare` understands the requests of."""
    return Endpoint(
        operation.name,
        operation.method,
        operation.path,
        operation.summary,
        operation.since,
        operation.until,
        operation.rule,
        operation.has_body,
        operation.body_types,
        operation.streamed,
        operation.media_types,
        operation.hidden,
        operation.speaks,
        prepare,
    )


def endpoint(
    operation: ApiOperation[In, Out],
    call: Callable[[In, CallContext], Out],
    form: Form[In, Out],
    *,
    project: Callable[[In], ProjectId | None] = _no_project,
) -> Endpoint:
    """Bind an operation.

    Args:
        operation: what is declared.
        call: carries it out; raises `Refused` where callers know other words than ours.
        form: how it looks on the wire.
        project: which project an input asks about; for operations of `Rule.PROJECT`.
    """

    def prepare(request: HttpRequest, version: Microversion) -> Prepared:
        asked = form.parse(request, version)

        def run(context: CallContext) -> Answer:
            return form.render(call(asked, context), version)

        return Prepared(project(asked), run)

    return endpoint_of(operation, prepare)
