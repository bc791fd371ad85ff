"""An operation of the Compute API bound to its call and to functions for its wire form."""

from collections.abc import Callable
from typing import TypeVar

import attrs
import msgspec

from computekit.api import ApiOperation, CallContext, Identity, Microversion
from computekit.api.compute import is_admin
from computekit.errors import AccessRefused, ComputekitError, CounterFull, Unsupported
from computekit.http.compute.versioned import said
from computekit.http.endpoint import Endpoint, Prepared, endpoint_of
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, HttpRequest

__all__ = ["Reader", "answer", "bound", "empty", "not_offered"]

In = TypeVar("In")
Out = TypeVar("Out")

Words = Callable[[ComputekitError], Problem | None]


@attrs.frozen
class Reader:
    """For whom an answer is written.

    Attributes:
        minor: of the microversion that is spoken.
        base: where the service is: `http://host/compute`.
        identity: who calls.
    """

    minor: int
    base: str
    identity: Identity

    @property
    def admin(self) -> bool:
        """Whether members for administrators are shown."""
        return is_admin(self.identity)

    def link(self, path: str) -> str:
        """Return the address of something below `/v2.1`."""
        return f"{self.base}/v2.1/{path}"

    def bookmark(self, path: str) -> str:
        """Return the address without a version."""
        return f"{self.base}/{path}"


def answer(status: int, value: object, reader: Reader, **fields: str) -> Answer:
    """Return an answer with a body; `fields` are further headers."""
    body = msgspec.json.encode(said(value, reader.minor))
    headers = tuple((name.replace("_", "-"), text) for name, text in fields.items())
    return Answer(status, body, headers=headers)


def empty(status: int) -> Callable[[object, Reader], Answer]:
    """Return what renders anything as an answer without a body."""
    return lambda _output, _reader: Answer(status)


def not_offered(name: str) -> Refused:
    """Return the refusal of what is not there yet."""
    return Refused(Problem(501, f"{name} is not offered yet"))


def bound(
    operation: ApiOperation[In, Out],
    call: Callable[[In, CallContext], Out],
    parse: Callable[[HttpRequest, int], In],
    render: Callable[[Out, Reader], Answer],
    words: Words = lambda _error: None,
) -> Endpoint:
    """Bind an operation.

    Args:
        operation: what is declared.
        call: carries it out.
        parse: returns what a request asks, for the minor microversion.
        render: returns what goes back.
        words: how this operation says some errors, if not as all do.
    """

    def prepare(request: HttpRequest, version: Microversion) -> Prepared:
        asked = parse(request, version.minor)

        def run(context: CallContext) -> Answer:
            try:
                found = call(asked, context)
            except ComputekitError as error:
                problem = words(error) or _words(error)
                if problem is None:
                    raise
                raise Refused(problem) from error
            return render(found, Reader(version.minor, request.base, context.identity))

        return Prepared(None, run)

    return endpoint_of(operation, prepare)


def _words(error: ComputekitError) -> Problem | None:
    if isinstance(error, CounterFull):
        return Problem(403, f"Quota exceeded: {error.message}")
    if isinstance(error, AccessRefused):
        return Problem(403, error.message)
    if isinstance(error, Unsupported):
        return Problem(501, error.message)
    return None
