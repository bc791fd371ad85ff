"""Who a request says it is from, and whether that is believed."""

import hmac
from typing import Protocol

from computekit.access import SignIn
from computekit.api import NOBODY, Identity
from computekit.http.wire import Headers
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

__all__ = ["Authenticator", "Everybody", "NoAuth2", "StaticToken", "TokenAuth"]


class Authenticator(Protocol):
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


class StaticToken:
    """One secret for all who may: `X-Auth-Token: SECRET` may do everything.

    Args:
        token: the secret.
        roles: what who knows it may be.
        identity: who it is that knows it; None: somebody called `token`.
    """

    challenge: str = ""

    def __init__(
        self,
        token: Secret,
        roles: frozenset[str] = frozenset({"admin", "service"}),
        identity: Identity | None = None,
    ) -> None:
        self._token = token
        self._identity = identity or Identity(UserId("token"), ProjectId("token"), roles)

    def identify(self, headers: Headers) -> Identity:
        said = (headers.get("X-Auth-Token") or "").encode("latin-1")
        return self._identity if hmac.compare_digest(said, self._token.reveal()) else NOBODY


class Everybody:
    """Asks nobody anything: whoever calls is the same.

    Args:
        identity: who that is.
    """

    challenge: str = ""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def identify(self, headers: Headers) -> Identity:
        return self._identity


class TokenAuth:
    """Believes tokens that the identity service of this cloud has issued.

    Args:
        sign_in: knows them.
        url: where callers get one.
    """

    def __init__(self, sign_in: SignIn, url: str = "") -> None:
        self.challenge: str = f'Keystone uri="{url}"' if url else ""
        self._sign_in = sign_in

    def identify(self, headers: Headers) -> Identity:
        issued = self._sign_in.shown(headers.get("X-Auth-Token") or "")
        if issued is None:
            return NOBODY
        project = None if issued.project is None else issued.project.id
        return Identity(issued.user.id, project, issued.roles)


_ADMIN = frozenset({"admin"})
_NONE: frozenset[str] = frozenset()
