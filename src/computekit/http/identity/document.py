"""The identity service as an OpenAPI document."""

from collections.abc import Iterable, Mapping

import msgspec

from computekit import __version__
from computekit.api.identity import IDENTITY_VERSIONS
from computekit.http.endpoint import Endpoint
from computekit.http.identity import answers, bodies
from computekit.http.openapi import Shape, plain_openapi

__all__ = ["identity_document"]

NAME: Mapping[str, object] = {"type": "object", "properties": {"name": {"type": "string"}}}

SHAPES: Mapping[str, Shape] = {
    "show_versions": Shape({300: answers.VersionsAnswer}),
    "show_v3": Shape({200: answers.VersionAnswer}),
    "issue_token": Shape({201: answers.TokenAnswer}, bodies.AuthBody),
    "show_token": Shape({200: answers.TokenAnswer}),
    "check_token": Shape({200: None}),
    "revoke_token": Shape({204: None}),
    "list_projects": Shape({200: answers.ProjectsAnswer}, query=NAME),
    "list_my_projects": Shape({200: answers.ProjectsAnswer}),
    "list_user_projects": Shape({200: answers.ProjectsAnswer}),
    "show_project": Shape({200: answers.ProjectAnswer}),
    "list_users": Shape({200: answers.UsersAnswer}, query=NAME),
    "show_user": Shape({200: answers.UserAnswer}),
    "list_roles": Shape({200: answers.RolesAnswer}, query=NAME),
}
"""What each operation looks like, by its name."""


def identity_document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document of these endpoints as indented JSON."""
    document = plain_openapi("Identity", __version__, IDENTITY_VERSIONS, endpoints, SHAPES)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
