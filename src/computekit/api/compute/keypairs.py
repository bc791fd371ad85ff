"""Operations on keypairs: the public halves of keys, of the user that calls."""

import base64
import binascii
import hashlib
from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, Page, is_admin, since, user_of
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.errors import AlreadyExists, CounterFull, Fault, InvalidInput, NotFound
from computekit.ids import UserId
from computekit.model import Keypair
from computekit.work import Tx

__all__ = [
    "CREATE_KEYPAIR",
    "DELETE_KEYPAIR",
    "LIST_KEYPAIRS",
    "MOST_KEYPAIRS",
    "SHOW_KEYPAIR",
    "KeypairCalls",
    "KeypairPath",
    "KeypairQuery",
    "NewKeypair",
]

MOST_KEYPAIRS = 100
"""Keypairs that one user may have (Nova, server_key_pairs)."""

_ALL = "/v2.1/os-keypairs"
_ONE = f"{_ALL}/{{name}}"
_KINDS = frozenset(
    {
        "ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521", "ssh-dss", "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)  # fmt: skip


@attrs.frozen
class KeypairPath:
    """Which keypair; of another user only for administrators."""

    name: str
    user: UserId | None = None


@attrs.frozen
class KeypairQuery:
    """Which keypairs are asked for."""

    user: UserId | None = None
    limit: int = 1000
    marker: str | None = None
    query_text: str = ""


@attrs.frozen
class NewKeypair:
    """A keypair that is to be kept."""

    name: str
    public_key: str
    kind: str = "ssh"
    user: UserId | None = None


LIST_KEYPAIRS = ApiOperation(
    "list_keypairs", "GET", _ALL, "The keypairs of a user.",
    KeypairQuery, Page[Keypair], since(1), rule=Rule.READER,
)  # fmt: skip
SHOW_KEYPAIR = ApiOperation(
    "show_keypair", "GET", _ONE, "One keypair.",
    KeypairPath, Keypair, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
CREATE_KEYPAIR = ApiOperation(
    "create_keypair", "POST", _ALL, "Keep the public half of a key.",
    NewKeypair, Keypair, since(1), rule=Rule.MEMBER, has_body=True, errors=(AlreadyExists,),
)  # fmt: skip
DELETE_KEYPAIR = ApiOperation(
    "delete_keypair", "DELETE", _ONE, "Forget a keypair; guests that have it keep it.",
    KeypairPath, NoneType, since(1), rule=Rule.MEMBER, errors=(NotFound,),
)  # fmt: skip


class KeypairCalls:
    """What carries out the operations on keypairs.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def all(self, asked: KeypairQuery, context: CallContext) -> Page[Keypair]:
        """Carry out `LIST_KEYPAIRS`."""
        found = self._cloud.keypairs.keypairs(_whose(asked.user, context))
        if asked.marker is not None:
            names = [it.name for it in found]
            if asked.marker not in names:
                fault = Fault("marker", "not_found", f"there is no keypair {asked.marker!a}")
                raise InvalidInput((fault,))
            found = found[names.index(asked.marker) + 1 :]
        return Page(found[: asked.limit], len(found) > asked.limit, asked.query_text)

    def show(self, asked: KeypairPath, context: CallContext) -> Keypair:
        """Carry out `SHOW_KEYPAIR`."""
        found = self._cloud.keypairs.keypair(_whose(asked.user, context), asked.name)
        if found is None:
            raise NotFound("keypair", asked.name)
        return found

    def create(self, asked: NewKeypair, context: CallContext) -> Keypair:
        """Carry out `CREATE_KEYPAIR`."""
        services, user = self._cloud.services, _whose(asked.user, context)
        digest = _fingerprint(asked)
        now_s = services.clock.wall_s()
        made = Keypair(user, asked.name, asked.public_key, asked.kind, digest, now_s)

        def write(tx: Tx) -> None:
            there = len(self._cloud.keypairs.keypairs(user))
            if there >= MOST_KEYPAIRS:
                raise CounterFull("server_key_pairs", user, 1, there, MOST_KEYPAIRS)
            self._cloud.keypairs.add_keypair(tx, made)

        services.store.write(write)
        return made

    def delete(self, asked: KeypairPath, context: CallContext) -> None:
        """Carry out `DELETE_KEYPAIR`."""
        user = _whose(asked.user, context)

        def write(tx: Tx) -> None:
            if not self._cloud.keypairs.delete_keypair(tx, user, asked.name):
                raise NotFound("keypair", asked.name)

        self._cloud.services.store.write(write)


def _whose(user: UserId | None, context: CallContext) -> UserId:
    """Return whose keypairs are meant: what an administrator names, else the caller's own."""
    if user is None or user == context.identity.user:
        return user_of(context)
    if not is_admin(context.identity):
        raise NotFound("user", user)
    return user


def _fingerprint(asked: NewKeypair) -> str:
    """Return the digest of a public key, which shows that it is one.

    Raises:
        InvalidInput: it is not.
    """
    text = asked.public_key.strip()
    try:
        if asked.kind == "x509":
            lines = [line for line in text.splitlines() if not line.startswith("-----")]
            blob = base64.b64decode("".join(lines), validate=True)
            digest = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
        else:
            kind, encoded, *_ = text.split(None, 2)
            blob = base64.b64decode(encoded, validate=True)
            if kind not in _KINDS or blob[4 : 4 + len(kind)] != kind.encode():
                raise ValueError(kind)
            digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    except (ValueError, binascii.Error):
        message = "is not one line of an OpenSSH public key"
        if asked.kind == "x509":
            message = "is not an X.509 certificate in PEM"
        raise InvalidInput((Fault("public_key", "malformed", message),)) from None
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
