"""Tokens on the wire."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs
import msgspec

from computekit.api import Microversion
from computekit.api.identity import Service
from computekit.api.identity.tokens import Proof, Shown, SubjectToken, View
from computekit.errors import AccessRefused, ComputekitError, NotFound, Overloaded
from computekit.http.basic import too_many
from computekit.http.identity.answers import (
    CatalogService,
    Domain,
    EndpointAnswer,
    ProjectInToken,
    RoleRow,
    TokenAnswer,
    TokenBody,
    UserInToken,
)
from computekit.http.identity.bodies import DOMAIN_ID, DOMAIN_NAME, AuthBody, proof_of
from computekit.http.json_body import json_body
from computekit.http.problem import Problem, Refused
from computekit.http.query import parse_query
from computekit.http.wire import Answer, HttpRequest
from computekit.secret import Secret

__all__ = [
    "DOMAIN",
    "NewTokenForm",
    "RevokeForm",
    "SubjectForm",
    "issue_words",
    "role_row",
    "subject_words",
]

DOMAIN = Domain(DOMAIN_ID, DOMAIN_NAME)
REGION = "RegionOne"
_SUBJECT = "X-Subject-Token"


@attrs.frozen
class NewTokenForm:
    """Somebody proves who it is.

    Attributes:
        services: those of the catalog.
    """

    services: tuple[Service, ...]

    def parse(self, request: HttpRequest, version: Microversion) -> Proof:
        try:
            return proof_of(json_body(request.body, AuthBody), _view(request))
        except AccessRefused as error:
            raise Refused(Problem(401, error.message)) from error

    def render(self, output: Shown, version: Microversion) -> Answer:
        return attrs.evolve(_answer(output, self.services), status=201)


@attrs.frozen
class SubjectForm:
    """A token that is shown.

    Attributes:
        services: those of the catalog.
    """

    services: tuple[Service, ...]

    def parse(self, request: HttpRequest, version: Microversion) -> SubjectToken:
        return _subject(request)

    def render(self, output: Shown, version: Microversion) -> Answer:
        return _answer(output, self.services)


@attrs.frozen
class RevokeForm:
    """A token that is not to count any more."""

    def parse(self, request: HttpRequest, version: Microversion) -> SubjectToken:
        return _subject(request)

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


def issue_words(error: ComputekitError, _asked: object) -> Problem | None:
    """Say why there is no token."""
    if isinstance(error, AccessRefused):
        return Problem(401, error.message)
    return too_many(error) if isinstance(error, Overloaded) else None


def subject_words(error: ComputekitError, _asked: object) -> Problem | None:
    """Say that a token is not good, and nothing of why."""
    return Problem(404, "There is no such token.") if isinstance(error, NotFound) else None


def role_row(role: str) -> RoleRow:
    """Return a role; its id is its name."""
    return RoleRow(role, role)


def _subject(request: HttpRequest) -> SubjectToken:
    said = request.headers.get(_SUBJECT) or ""
    return SubjectToken(Secret(said.encode("latin-1")), _view(request))


def _view(request: HttpRequest) -> View:
    root = request.base.rpartition("/")[0]  # the service's own name is its last segment
    return View(root, "nocatalog" not in parse_query(request.query).last)


def _answer(shown: Shown, services: Sequence[Service]) -> Answer:
    issued, view = shown.issued, shown.view
    user, token, project = issued.user, issued.token, issued.project
    said = TokenBody(
        methods=list(token.methods),
        user=UserInToken(user.id, user.name, DOMAIN, None),
        audit_ids=[token.audit],
        issued_at=_time(token.issued_s),
        expires_at=_time(token.expires_s),
    )
    if project is not None:
        said.project = ProjectInToken(project.id, project.name, DOMAIN)
        said.roles = [role_row(role) for role in sorted(issued.roles)]
        said.is_domain = False
        if view.catalog:
            said.catalog = [_service(view.root, service) for service in services]
    headers = ((_SUBJECT, issued.text.reveal().decode()), ("vary", "X-Auth-Token"))
    return Answer(200, msgspec.json.encode(TokenAnswer(said)), headers=headers)


def _service(root: str, service: Service) -> CatalogService:
    places = [
        EndpointAnswer(
            _id(f"{service.type} {interface}"), interface, REGION, REGION, f"{root}{service.path}"
        )
        for interface in ("public", "internal", "admin")
    ]
    return CatalogService(_id(service.type), service.type, service.name, places)


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
