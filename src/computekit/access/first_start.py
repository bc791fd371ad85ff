"""What a cloud of one machine begins with: secrets of its own, one project, two users."""

import base64
import random
from pathlib import Path

import attrs

from computekit.access.access_file import (
    AccessForm,
    GrantForm,
    ProjectForm,
    UserForm,
    read_access_file,
)
from computekit.access.directory import Directory
from computekit.access.passwords import hashed_password
from computekit.access.private import read_private, write_private
from computekit.access.roles import Role
from computekit.errors import Fault, InvalidInput
from computekit.ids import new_uuid
from computekit.model import encode
from computekit.secret import Secret

__all__ = ["AccessDirectory", "Secrets", "open_access"]

SHORTEST = 16
"""Bytes of a secret that cannot be guessed by trying."""

PROJECT, ADMIN, MEMBER = "demo", "admin", "demo"


@attrs.frozen
class AccessDirectory:
    """The layout of the directory of everything that access needs.

    Attributes:
        path: the directory.
    """

    path: Path

    @property
    def users(self) -> Path:
        """Who there is, with hashes of passwords."""
        return self.path / "access.json"

    @property
    def token(self) -> Path:
        """The one token of `--auth token`."""
        return self.path / "token"

    @property
    def key(self) -> Path:
        """What signs tokens."""
        return self.path / "token-key"

    @property
    def revoked(self) -> Path:
        """Tokens that do not count any more."""
        return self.path / "revoked.json"

    def password(self, user: str) -> Path:
        """The password that the first start gave a user, for `clouds.yaml`."""
        return self.path / f"{user}-password"


@attrs.frozen
class Secrets:
    """What a cloud has opened of its access directory.

    Attributes:
        directory: who there is.
        token: of `--auth token`.
        key: signs tokens.
        passwords: those of the first start, by user name; changed ones are not known.
    """

    directory: Directory
    token: Secret
    key: Secret
    passwords: tuple[tuple[str, Secret], ...]


def open_access(at: AccessDirectory, source: random.SystemRandom) -> Secrets:
    """Return what is there; what is missing is made, readable by this user alone.

    The file of users is made last, so that a start which was cut short is begun again.

    Args:
        at: the directory; made if it is not there.
        source: where secrets come from.

    Raises:
        InvalidInput: with every fault of the file of users; or a secret is too short.
        PermissionRefused: a file cannot be read, or others may read it.
        StorageFull: no space.
    """
    at.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = _made_once(at.token, source)
    key = _made_once(at.key, source)
    try:
        directory = read_access_file(at.users)
    except FileNotFoundError:
        passwords = {name: _made_once(at.password(name), source) for name in (ADMIN, MEMBER)}
        write_private(at.users, _first_users(passwords, source).encode())
        directory = read_access_file(at.users)
    known = []
    for user in directory.users:
        if "/" not in user.name and user.name in (ADMIN, MEMBER):
            try:
                known.append((user.name, Secret(read_private(at.password(user.name)).strip())))
            except FileNotFoundError:
                continue  # taken away by who changed it
    return Secrets(directory, token, key, tuple(known))


def _made_once(path: Path, source: random.SystemRandom) -> Secret:
    try:
        found = read_private(path).strip()
    except FileNotFoundError:
        found = base64.urlsafe_b64encode(source.randbytes(24))
        write_private(path, found + b"\n")
    if len(found) < SHORTEST or not found.isascii():
        what = f"holds no secret of at least {SHORTEST} ASCII bytes"
        raise InvalidInput((Fault(str(path), "secret", what),))
    return Secret(found)


def _first_users(passwords: dict[str, Secret], source: random.SystemRandom) -> str:
    def user(name: str, role: Role, description: str) -> UserForm:
        hashed = hashed_password(passwords[name]).reveal().decode()
        granted = (GrantForm(PROJECT, (role.value,)),)
        return UserForm(new_uuid(source).replace("-", ""), name, hashed, granted, description)

    project = ProjectForm(new_uuid(source).replace("-", ""), PROJECT, "Made by the first start.")
    form = AccessForm(
        (project,),
        (
            user(ADMIN, Role.ADMIN, "May do everything."),
            user(MEMBER, Role.MEMBER, "Uses what the project has."),
        ),
    )
    return encode(form)
