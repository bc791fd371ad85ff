"""How services say the same in different words: versions, headers and refusals on the wire."""

from typing import Protocol

import attrs
import msgspec

from computekit.api import Microversion, VersionRange
from computekit.errors import ComputekitError
from computekit.http.negotiation import HEADER, negotiate
from computekit.http.problem import Problem, problem_answer
from computekit.http.wire import Answer, Headers

__all__ = ["PLACEMENT", "Dialect", "PlacementDialect", "PlainDialect"]

Pairs = list[tuple[str, str]]


class Dialect(Protocol):
    """What callers of one service expect of every answer."""

    @property
    def trims_slash(self) -> bool:
        """Whether a path means the same with a slash behind it."""
        ...

    def version(self, headers: Headers, versions: VersionRange) -> Microversion:
        """Return which version a caller speaks.

        Raises:
            Refused: what it asks for is no version, or not spoken.
        """
        ...

    def fields(
        self, answer: Answer, request_id: str, version: Microversion | None, versions: VersionRange
    ) -> Pairs:
        """Return the headers of an answer that name the request and the version.

        Args:
            answer: what goes back.
            request_id: of the request.
            version: of the caller; None if it was refused before that was known.
            versions: that the service speaks.
        """
        ...

    def refusal(
        self,
        problem: Problem,
        request_id: str,
        version: Microversion | None,
        headers: Headers,
        error: ComputekitError | None,
    ) -> Answer:
        """Return the answer that says a problem.

        Args:
            problem: what is wrong.
            request_id: of the request.
            version: of the caller, if it is known.
            headers: of the request.
            error: what it is to computekit.
        """
        ...


@attrs.frozen
class PlacementDialect:
    """Placement's, and that of the API guidelines: microversions, a list of errors."""

    trims_slash: bool = False

    def version(self, headers: Headers, versions: VersionRange) -> Microversion:
        return negotiate(headers.get(HEADER), versions)

    def fields(
        self, answer: Answer, request_id: str, version: Microversion | None, versions: VersionRange
    ) -> Pairs:
        said = [("x-openstack-request-id", request_id)]
        if version is not None:
            said.append((HEADER, f"{versions.service} {version}"))
            if answer.varies:
                said.append(("vary", HEADER))
        return said

    def refusal(
        self,
        problem: Problem,
        request_id: str,
        version: Microversion | None,
        headers: Headers,
        error: ComputekitError | None,
    ) -> Answer:
        return problem_answer(problem, request_id, version, headers.get("Accept"), error)


PLACEMENT = PlacementDialect()


@attrs.frozen
class PlainDialect:
    """A service without microversions whose refusals are one object: `{"error": {...}}`.

    Attributes:
        envelope: the name of that object.
    """

    envelope: str = "error"
    trims_slash: bool = True

    def version(self, headers: Headers, versions: VersionRange) -> Microversion:
        return versions.newest

    def fields(
        self, answer: Answer, request_id: str, version: Microversion | None, versions: VersionRange
    ) -> Pairs:
        return [("x-openstack-request-id", request_id)]

    def refusal(
        self,
        problem: Problem,
        request_id: str,
        version: Microversion | None,
        headers: Headers,
        error: ComputekitError | None,
    ) -> Answer:
        said = {
            "code": problem.status,
            "title": problem.title,
            "message": problem.detail,
            "request_id": request_id,
            **dict(problem.extra),
        }
        body = msgspec.json.encode({self.envelope: said})
        return Answer(problem.status, body, headers=problem.headers)
