"""Tokens: signed, so that a restart forgets none; revoked ones are written down until they expire.

A token says who, for which project and until when, with a MAC over that. It is bound to the user's
password hash: who gets another password loses all tokens. What the user may be is not in it, but
looked up each time.
"""

import base64
import binascii
import hmac
import random
import threading
from pathlib import Path

import attrs
import cattrs

from computekit.access.directory import Directory, User
from computekit.access.private import read_private, write_private
from computekit.clock import Clock
from computekit.errors import Fault, InvalidInput
from computekit.ids import ProjectId, UserId, new_uuid
from computekit.model import decode, encode
from computekit.secret import Secret
from computekit.units import Seconds

__all__ = ["Revoked", "Token", "Tokens"]

LIFETIME_S = Seconds(3600.0)
LONGEST = 2048
_MAC = 32


@attrs.frozen
class Token:
    """What a token says.

    Attributes:
        user: whose it is.
        project: that it is for; None: for none.
        methods: how its owner said who it is: `password`, `token`.
        issued_s: when it was issued, in whole seconds since the Unix epoch.
        expires_s: when it ends.
        audit: names it in logs, which tell nothing by it.
        bound: to which password of its user.
    """

    user: UserId
    project: ProjectId | None
    methods: tuple[str, ...]
    issued_s: int
    expires_s: int
    audit: str
    bound: str


class Revoked:
    """Tokens that do not count any more, in a private file until they have expired.

    Args:
        path: the file; made with the first one.

    Raises:
        PermissionRefused: it cannot be read, or others may read it.
        InvalidInput: it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._until: dict[str, int] = {}
        try:
            self._until = dict(decode(read_private(path).decode(), dict[str, int]))
        except FileNotFoundError:
            return
        except (ValueError, cattrs.BaseValidationError) as error:
            fault = Fault(str(path), "damaged", "no list of revoked tokens")
            raise InvalidInput((fault,)) from error

    def __contains__(self, audit: str) -> bool:
        return audit in self._until

    def add(self, token: Token, now_s: float) -> None:
        """Revoke a token for good; those that have expired are forgotten."""
        with self._lock:
            until = {audit: at_s for audit, at_s in self._until.items() if at_s > now_s}
            until[token.audit] = token.expires_s
            write_private(self._path, encode(until).encode())
            self._until = until


class Tokens:
    """Issues tokens, and says which are good.

    Args:
        directory: who there is.
        key: signs them; 32 random bytes.
        revoked: those that do not count any more.
        clock: says when one expires.
        source: names them.
        lifetime_s: how long one is good.
    """

    def __init__(
        self,
        directory: Directory,
        key: Secret,
        revoked: Revoked,
        clock: Clock,
        source: random.Random,
        lifetime_s: Seconds = LIFETIME_S,
    ) -> None:
        self._directory = directory
        self._key = key
        self._revoked = revoked
        self._clock = clock
        self._random = source
        self._lifetime_s = lifetime_s

    def issue(
        self,
        user: UserId,
        project: ProjectId | None,
        methods: tuple[str, ...],
        expires_s: int | None = None,
    ) -> tuple[Secret, Token]:
        """Return a new token and what it says.

        Args:
            user: whose it is; one of the directory.
            project: that it is for.
            methods: how its owner said who it is.
            expires_s: no later than this: a token got by another one does not outlive that.
        """
        now_s = int(self._clock.wall_s())
        ends_s = int(now_s + self._lifetime_s)
        if expires_s is not None:
            ends_s = min(ends_s, expires_s)
        bound = self._bound(self._directory.user_by_id[user])
        token = Token(user, project, methods, now_s, ends_s, new_uuid(self._random), bound)
        said = encode(token).encode()
        return Secret(base64.urlsafe_b64encode(self._mac(said) + said).rstrip(b"=")), token

    def good(self, text: str) -> Token | None:
        """Return what a token says if it is good: ours, not expired, not revoked, its user there.

        A token of a user that is not in its project any more is not.
        """
        if not text or len(text) > LONGEST or not text.isascii():
            return None
        try:
            whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        mac, said = whole[:_MAC], whole[_MAC:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        return self._holding(decode(said.decode(), Token))  # signed by us: it is one

    def revoke(self, token: Token) -> None:
        """Let a token not count any more; it may be done again."""
        self._revoked.add(token, self._clock.wall_s())

    def _holding(self, token: Token) -> Token | None:
        if token.expires_s <= self._clock.wall_s() or token.audit in self._revoked:
            return None
        user = self._directory.user_by_id.get(token.user)
        if user is None or not hmac.compare_digest(token.bound, self._bound(user)):
            return None
        if token.project is None:
            return token
        project = self._directory.project_by_id.get(token.project)
        return token if project is not None and user.roles_in(project.id) else None

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key.reveal(), b"token\0" + said, "sha256")

    def _bound(self, user: User) -> str:
        mark = b"password\0" + user.hashed.reveal()
        return hmac.digest(self._key.reveal(), mark, "sha256")[:16].hex()
