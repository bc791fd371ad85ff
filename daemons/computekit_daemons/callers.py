"""Who calls the services of an all-in-one, and how that is found out."""

from pathlib import Path
from typing import TYPE_CHECKING

from computekit.access import Secrets, SignIn, User
from computekit.api import Identity
from computekit.errors import Fault, InvalidInput
from computekit.http import (
    Authenticator,
    BasicAuth,
    Everybody,
    Keystone,
    StaticToken,
    TokenAuth,
    read_keystone_options,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["AUTHS", "authentication", "behind"]

AUTHS = ("none", "token", "basic", "password", "keystone")


def authentication(
    auth: str, secrets: Secrets, sign_in: SignIn, url: str, keystone: Path | None = None
) -> Authenticator:
    """Return what finds out who calls.

    Args:
        auth: one of `AUTHS`.
        secrets: the token, and who there is.
        sign_in: knows passwords and tokens.
        url: of the server.
        keystone: the options of the middleware; of `keystone` only.

    Raises:
        InvalidInput: nobody is an administrator whom `auth` could take callers for; or the file of
            options is malformed or missing.
        PermissionRefused: that file cannot be read.
    """
    users = secrets.directory.users
    if auth == "keystone":
        if keystone is None:
            raise InvalidInput((Fault("keystone_config", "missing", "--auth keystone needs it"),))
        return Keystone(read_keystone_options(keystone))
    if auth == "basic":
        identities = {user.name: _identity_of(user) for user in users}
        return BasicAuth(sign_in.passwords, identities, "computekit")
    if auth == "password":
        return TokenAuth(sign_in, f"{url}/identity/v3")
    admin = next((user for user in users if "admin" in _identity_of(user).roles), None)
    if admin is None:
        fault = Fault("users", "no_admin", f"--auth {auth} needs a user who is an administrator")
        raise InvalidInput((fault,))
    if auth == "none":
        return Everybody(_identity_of(admin))
    return StaticToken(secrets.token, identity=_identity_of(admin))


def behind(
    found: Authenticator, services: "dict[str, WSGIApplication]"
) -> "dict[str, WSGIApplication]":
    """Return services as callers reach them: behind the middleware, if it is Keystone that knows.

    Then there is no identity service here: its tokens would open nothing.
    """
    if not isinstance(found, Keystone):
        return services
    return {name: found.wrap(it) for name, it in services.items() if name != "identity"}


def _identity_of(user: User) -> Identity:
    """Return who a user is in its first project, for which all that it calls is done."""
    if not user.grants:
        return Identity(user.id)
    project = user.grants[0].project
    return Identity(user.id, project, user.roles_in(project))
