"""Who a request says it is from, and whether that is believed."""

from typing import Protocol

from computekit.api import NOBODY, Identity
from computekit.http.wire import Headers
from computekit.ids import ProjectId, UserId

__all__ = ["Authentication", "NoAuth2"]


class Authentication(Protocol):
    """One way to find out who calls."""

    challenge: str
    """What `WWW-Authenticate` says to a caller that was not recognised; empty: nothing."""

    def identify(self, headers: Headers) -> Identity:
        """Return who calls; `NOBODY` if it does not say so, or is not believed."""
        ...


class NoAuth2:
    """Believes everybody: for tests, and behind something that has checked already.

    `X-Auth-Token: user[:project]` names the caller; the user `admin` has the role `admin`.
    `X-Roles` names other roles, `X-Project-Id` the project of a token that names none, and
    `OpenStack-System-Scope` makes a call for the whole system.
    """

    challenge: str = ""

    def identify(self, headers: Headers) -> Identity:
        token = headers.get("X-Auth-Token")
        if not token:
            return NOBODY
        user, colon, project = token.partition(":")
        if not colon:
            project = headers.get("X-Project-Id") or user
        said = headers.get("X-Roles")
        if said:
            roles = frozenset(role.strip().lower() for role in said.split(","))
        else:
            roles = _ADMIN if user == "admin" else _NONE
        if headers.get("OpenStack-System-Scope"):
            return Identity(UserId(user), None, roles, system=True)
        return Identity(UserId(user), ProjectId(project), roles)


_ADMIN = frozenset({"admin"})
_NONE: frozenset[str] = frozenset()
