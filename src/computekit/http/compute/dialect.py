"""The Compute API's own words: two version headers, and a fault under a name."""

import attrs
import msgspec

from computekit.api import Microversion, VersionRange
from computekit.errors import ComputekitError
from computekit.http.negotiation import HEADER, negotiate
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Answer, Headers

__all__ = ["ComputeDialect"]

LEGACY_HEADER = "x-openstack-nova-api-version"

FAULTS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
"""How a fault is called by its status; any other is a `computeFault`."""


@attrs.frozen
class ComputeDialect:
    """Compute's: what Nova's callers expect around every answer."""

    trims_slash: bool = True

    def version(self, headers: Headers, versions: VersionRange) -> Microversion:
        """Return the version of the newer header, if it names this service, else of the older."""
        said = headers.get(HEADER)
        if said is None or not _names(said, versions.service):
            legacy = headers.get(LEGACY_HEADER)
            said = None if legacy is None else f"{versions.service} {legacy.strip()}"
        try:
            return negotiate(said, versions)
        except Refused as refused:
            problem = refused.problem
            if problem.status != 406:
                raise
            asked = (said or "").rpartition(" ")[2]
            detail = (
                f"Version {asked} is not supported by the API. Minimum is {versions.oldest} and "
                f"maximum is {versions.newest}."
            )
            raise Refused(attrs.evolve(problem, detail=detail)) from None

    def fields(
        self, answer: Answer, request_id: str, version: Microversion | None, versions: VersionRange
    ) -> list[tuple[str, str]]:
        said = [("x-openstack-request-id", request_id), ("x-compute-request-id", request_id)]
        if version is not None:
            said.append((HEADER, f"{versions.service} {version}"))
            said.append((LEGACY_HEADER, str(version)))
            said.append(("vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version"))
        return said

    def refusal(
        self,
        problem: Problem,
        request_id: str,
        version: Microversion | None,
        headers: Headers,
        error: ComputekitError | None,
    ) -> Answer:
        fault: dict[str, object] = {
            "code": problem.status,
            "message": problem.detail,
            **dict(problem.extra),
        }
        if error is not None:
            fault["reason"] = error.code
        body = msgspec.json.encode({FAULTS.get(problem.status, "computeFault"): fault})
        return Answer(problem.status, body, headers=problem.headers)


def _names(header: str, service: str) -> bool:
    return any(pair.strip().lower().startswith(f"{service} ") for pair in header.split(","))
