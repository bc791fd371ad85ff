"""HTTP basic authentication (RFC 7617) over a file of bcrypt hashes, as `htpasswd -B` makes it."""

import base64
import binascii
import hmac
import re
import threading
from collections.abc import Mapping
from pathlib import Path

from computekit.api import NOBODY, Identity
from computekit.clock import Clock
from computekit.errors import Fault, InvalidInput, PermissionRefused
from computekit.http.wire import Headers
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret
from computekit.units import Seconds

__all__ = ["BasicAuth", "read_htpasswd"]

REMEMBERED_S = Seconds(300.0)
"""How long a password that was right is not hashed again: hashing costs a core for 50 ms."""
REMEMBERED = 1000
LONGEST = 72
"""bcrypt looks at no more bytes of a password; a longer one is refused."""

_BCRYPT = re.compile(rb"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")
_UNKNOWN = b"$2b$10$cmufNFYfAxlNg.hK2FTj1u4GK6xPZIsBj1aFgBON7g50ve0ljWfKq"
"""Hashed against where there is no user at all."""


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
    """Users with passwords; each may do everything.

    Args:
        users: bcrypt hashes by user.
        clock: measures how long a right password is remembered.
        key: makes what is remembered useless to others; random bytes.
        roles: what every user may be.
    """

    challenge: str = 'Basic realm="placement", charset="UTF-8"'

    def __init__(
        self,
        users: Mapping[str, Secret],
        clock: Clock,
        key: bytes,
        roles: frozenset[str] = frozenset({"admin", "service"}),
    ) -> None:
        self._users = users
        self._clock = clock
        self._key = key
        self._roles = roles
        # As slow as the slowest of the file: `htpasswd -B` makes fast ones unless told otherwise.
        hashes = (hashed.reveal() for hashed in users.values())
        self._nobodys = Secret(max(hashes, key=_cost, default=_UNKNOWN))
        self._lock = threading.Lock()
        self._right: dict[bytes, Seconds] = {}

    def identify(self, headers: Headers) -> Identity:
        said = _credentials(headers.get("Authorization"))
        if said is None:
            return NOBODY
        user, password = said
        if not self._is_right(user, password):
            return NOBODY
        return Identity(UserId(user), ProjectId(user), self._roles)

    def _is_right(self, user: str, password: bytes) -> bool:
        mark = hmac.digest(self._key, user.encode() + b"\0" + password, "sha256")
        now_s = self._clock.monotonic_s()
        with self._lock:
            until_s = self._right.get(mark)
        if until_s is not None and now_s < until_s:
            return True
        hashed = self._users.get(user)
        # Hashed for a user that is not there too, so that the time tells nothing.
        if not _matches(password, hashed or self._nobodys) or hashed is None:
            return False
        with self._lock:
            if len(self._right) >= REMEMBERED:
                self._right.clear()
            self._right[mark] = Seconds(now_s + REMEMBERED_S)
        return True


def _credentials(header: str | None) -> tuple[str, bytes] | None:
    scheme, _, coded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
        return (user.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])


def _matches(password: bytes, hashed: Secret) -> bool:
    import bcrypt

    if len(password) > LONGEST or b"\0" in password:
        return False
    return bcrypt.checkpw(password, hashed.reveal())
