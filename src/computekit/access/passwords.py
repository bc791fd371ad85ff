"""Is a password right? Slow to try, quick to repeat, and nobody may try for long."""

import hmac
import threading
from collections import OrderedDict
from collections.abc import Mapping

from computekit.clock import Clock
from computekit.errors import Overloaded
from computekit.secret import Secret
from computekit.units import Seconds

__all__ = ["Passwords", "hashed_password"]

REMEMBERED_S = Seconds(300.0)
"""How long a password that was right is not hashed again: hashing costs a core for 50 ms."""
REMEMBERED = 1000
LONGEST = 72
"""bcrypt looks at no more bytes of a password; a longer one is refused."""
WRONG_MOST = 10
WRONG_WITHIN_S = Seconds(60.0)
"""So many wrong passwords for one name within this time, and no further one is looked at."""
NAMES_MOST = 10_000
AT_ONCE = 2
"""Passwords that are hashed at the same time; each takes a core."""
WAIT_S = 10.0
"""How long one waits for its turn."""

_UNKNOWN = b"$2b$10$cmufNFYfAxlNg.hK2FTj1u4GK6xPZIsBj1aFgBON7g50ve0ljWfKq"
"""Hashed against where there is no user at all."""


class Passwords:
    """Passwords of users, as bcrypt hashes.

    Args:
        hashes: by user name.
        clock: measures how long a right password is remembered, and wrong ones count.
        key: makes what is remembered useless to others; random bytes.
    """

    def __init__(self, hashes: Mapping[str, Secret], clock: Clock, key: bytes) -> None:
        self._hashes = hashes
        self._clock = clock
        self._key = key
        # As slow as the slowest of the file: `htpasswd -B` makes fast ones unless told otherwise.
        known = (hashed.reveal() for hashed in hashes.values())
        self._nobodys = Secret(max(known, key=_cost, default=_UNKNOWN))
        self._lock = threading.Lock()
        self._hashing = threading.BoundedSemaphore(AT_ONCE)
        self._right: dict[bytes, Seconds] = {}
        self._wrong: OrderedDict[bytes, tuple[Seconds, ...]] = OrderedDict()

    def right(self, user: str, password: bytes) -> bool:
        """Return whether a user has this password.

        It takes as long for a user that is not there, so that the time tells nothing.

        Raises:
            Overloaded: too many wrong ones came for this name; try again in a minute.
        """
        mark = hmac.digest(self._key, user.encode() + b"\0" + password, "sha256")
        if self._remembered(mark):
            return True
        if not self._hashing.acquire(timeout=WAIT_S):
            raise Overloaded("the queue of passwords to look at")
        try:
            # Somebody may have come with the same one meanwhile: many at once cost one hash.
            return self._remembered(mark) or self._tried(user, password, mark)
        finally:
            self._hashing.release()

    def _remembered(self, mark: bytes) -> bool:
        with self._lock:
            until_s = self._right.get(mark)
        return until_s is not None and self._clock.monotonic_s() < until_s

    def _tried(self, user: str, password: bytes, mark: bytes) -> bool:
        name = hmac.digest(self._key, user.encode(), "sha256")
        now_s = self._clock.monotonic_s()
        with self._lock:
            recent = [at_s for at_s in self._wrong.get(name, ()) if now_s - at_s < WRONG_WITHIN_S]
        if len(recent) >= WRONG_MOST:
            raise Overloaded("the number of wrong passwords for this name")
        hashed = self._hashes.get(user)
        right = _matches(password, hashed or self._nobodys) and hashed is not None
        with self._lock:
            if right:
                if len(self._right) >= REMEMBERED:
                    self._right.clear()
                self._right[mark] = Seconds(now_s + REMEMBERED_S)
            else:
                self._wrong[name] = (*recent, now_s)
                self._wrong.move_to_end(name)
                if len(self._wrong) > NAMES_MOST:
                    self._wrong.popitem(last=False)
        return right


def hashed_password(password: Secret, cost: int = 12) -> Secret:
    """Return the bcrypt hash of a password.

    Args:
        password: at most 72 bytes.
        cost: each more takes twice the time to try.
    """
    import bcrypt

    return Secret(bcrypt.hashpw(password.reveal(), bcrypt.gensalt(cost)))


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])


def _matches(password: bytes, hashed: Secret) -> bool:
    import bcrypt

    if len(password) > LONGEST or b"\0" in password:
        return False
    return bcrypt.checkpw(password, hashed.reveal())
