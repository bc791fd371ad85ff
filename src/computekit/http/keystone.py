"""Callers that OpenStack's Keystone knows: through keystonemiddleware (extra `keystone`)."""

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from computekit.api import NOBODY, Identity
from computekit.errors import Fault, InvalidInput, PermissionRefused
from computekit.http.wire import Headers
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["Keystone", "read_keystone_options"]

SECTION = "keystone_authtoken"
JUDGED = "keystone.token_auth"
"""What the middleware leaves in the environment of a request; no header can look like it."""


def read_keystone_options(path: Path) -> Mapping[str, Secret]:
    """Return the options of section `keystone_authtoken` of an INI file.

    Raises:
        InvalidInput: it is no such file, or has no such section.
        PermissionRefused: it cannot be read.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text("utf-8"))
    except OSError as error:
        raise PermissionRefused(str(path), error.strerror or str(error)) from error
    except (configparser.Error, UnicodeDecodeError) as error:
        what = type(error).__name__  # its text may show a line, and that a password
        raise InvalidInput((Fault(str(path), "ini", f"not an INI file: {what}"),)) from None
    if not parser.has_section(SECTION):
        raise InvalidInput((Fault(str(path), "ini", f"has no section [{SECTION}]"),))
    return {name: Secret(value.encode()) for name, value in parser.items(SECTION)}


class Keystone:
    """Believes what the middleware has found out about the token of a request.

    An application that is not wrapped recognises nobody.

    Args:
        options: those of the middleware: `www_authenticate_uri`, `auth_type`, `auth_url` ...
    """

    challenge: str = ""

    def __init__(self, options: Mapping[str, Secret]) -> None:
        self._options = options
        self.challenge = f'Keystone uri="{self._option("www_authenticate_uri")}"'

    def wrap(self, application: "WSGIApplication") -> "WSGIApplication":
        """Return `application` behind the middleware, which leaves the decision to it."""
        from keystonemiddleware.auth_token import AuthProtocol

        conf = {name: value.reveal().decode() for name, value in self._options.items()}
        wrapped: WSGIApplication = AuthProtocol(
            application, {**conf, "delay_auth_decision": "true"}
        )
        return wrapped

    def identify(self, headers: Headers) -> Identity:
        if JUDGED not in headers.environ or headers.get("X-Identity-Status") != "Confirmed":
            return NOBODY
        user = headers.get("X-User-Id")
        if not user:
            return NOBODY
        project = headers.get("X-Project-Id")
        roles = frozenset(
            role.strip().lower() for role in (headers.get("X-Roles") or "").split(",")
        )
        return Identity(
            UserId(user),
            ProjectId(project) if project else None,
            roles,
            system=bool(headers.get("OpenStack-System-Scope")),
        )

    def _option(self, name: str) -> str:
        value = self._options.get(name)
        return "" if value is None else value.reveal().decode()
