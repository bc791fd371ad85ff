"""The Placement API as calls that give an answer or raise an error of the tree."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from computekit.client.connection import Answer, Connection, Json
from computekit.client.refusals import Refusal, refusal_of
from computekit.errors import ComputekitError, NotFound, TransportFailed

__all__ = ["PlacementApi", "accepted", "segment", "settled", "with_id"]

T = TypeVar("T")

VERSION = "1.39"


class PlacementApi:
    """A Placement server: computekit's own daemon, or genuine OpenStack Placement."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.connection.url!r})"

    def ask(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        body: Json | None = None,
        version: str = VERSION,
        again: bool = False,
    ) -> Answer:
        """Return the answer to a request, whatever its status; `again` as in `Connection.ask`."""
        return self.connection.ask(
            method,
            path,
            query=query,
            body=body,
            headers={"OpenStack-API-Version": f"placement {version}"},
            again=again,
        )

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        """Return what is at a path, or raise why it is not to be had."""
        return accepted(self.ask("GET", path, query, again=True))


def segment(text: str) -> str:
    """Return `text` as one segment of a path, whatever is in it."""
    return quote(text, safe="")


def accepted(answer: Answer) -> Answer:
    """Return an answer that is no refusal.

    Raises:
        ComputekitError: what the refusal says.
    """
    if answer.status >= 400:
        raise refusal_of(answer).error()
    return answer


def with_id(refusal: Refusal, kind: str, id: str) -> ComputekitError:
    """Return what a refusal says; what was not found is the thing that was asked for."""
    if refusal.status == 404 and refusal.own is None:
        return NotFound(kind, id)
    return refusal.error()


def settled(send: Callable[[], T], probe: Callable[[], T | None]) -> T:
    """Write, and find out whether it happened if the answer is lost.

    Args:
        send: writes; the server refuses it if it has happened already, or it does no harm twice.
        probe: reads whether things are as `send` makes them: its result, or None.

    Raises:
        ComputekitError: the write did not happen, or (`TransportFailed`) nobody can say.
    """
    try:
        return send()
    except TransportFailed:
        found = probe()
        if found is not None:
            return found
    try:
        return send()
    except ComputekitError:
        found = probe()  # the first request may have been slower than the first look
        if found is not None:
            return found
        raise
