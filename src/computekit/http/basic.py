"""HTTP basic authentication (RFC 7617) over a file of bcrypt hashes, as `htpasswd -B` makes it."""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

from computekit.access import Passwords
from computekit.access.passwords import WRONG_WITHIN_S
from computekit.api import NOBODY, Identity
from computekit.errors import Fault, InvalidInput, Overloaded, PermissionRefused
from computekit.http.problem import Problem, Refused
from computekit.http.wire import Headers
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

__all__ = ["BasicAuth", "read_htpasswd", "too_many"]

_BCRYPT = re.compile(rb"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")


def read_htpasswd(path: Path) -> Mapping[str, Secret]:
    """Return the hash of each user in a file of lines `user:hash`.

    Raises:
        InvalidInput: lines are no such; every one is named by its number.
        PermissionRefused: the file cannot be read.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise PermissionRefused(str(path), error.strerror or str(error)) from error
    users: dict[str, Secret] = {}
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        user, colon, hashed = line.strip().partition(b":")
        if colon and user and _BCRYPT.fullmatch(hashed):
            users[user.decode("utf-8", "replace")] = Secret(hashed)
        else:
            at = f"{path}:{number}"
            faults.append(Fault(at, "htpasswd", "not user:hash with a bcrypt hash (htpasswd -B)"))
    if faults:
        raise InvalidInput(tuple(faults))
    return users


class BasicAuth:
    """Users with passwords.

    Args:
        passwords: says whether one is right.
        identities: of users by name; who is not in it, but has a right password, acts in a project
            of its own name and may do everything.
        realm: what `WWW-Authenticate` calls the service.
    """

    def __init__(
        self,
        passwords: Passwords,
        identities: Mapping[str, Identity] | None = None,
        realm: str = "placement",
    ) -> None:
        self.challenge: str = f'Basic realm="{realm}", charset="UTF-8"'
        self._passwords = passwords
        self._identities = identities

    def identify(self, headers: Headers) -> Identity:
        said = _credentials(headers.get("Authorization"))
        if said is None:
            return NOBODY
        user, password = said
        try:
            if not self._passwords.right(user, password):
                return NOBODY
        except Overloaded as error:
            raise Refused(too_many(error)) from error
        if self._identities is None:
            return Identity(UserId(user), ProjectId(user), _EVERYTHING)
        return self._identities.get(user, NOBODY)


def too_many(error: Overloaded) -> Problem:
    """Return that somebody has tried too many passwords."""
    detail = f"{error.message}; wait {WRONG_WITHIN_S:g} seconds"
    return Problem(429, detail, headers=(("retry-after", f"{WRONG_WITHIN_S:.0f}"),))


_EVERYTHING = frozenset({"admin", "service"})


def _credentials(header: str | None) -> tuple[str, bytes] | None:
    scheme, _, coded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None
