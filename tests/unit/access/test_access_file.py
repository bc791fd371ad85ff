"""The file of users: read whole or refused with every fault, and never where others may read it."""

import json
import os
import random
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from computekit.access import (
    AccessDirectory,
    Passwords,
    open_access,
    read_access_file,
    read_private,
    write_clouds,
    write_private,
)
from computekit.errors import InvalidInput, PermissionRefused
from computekit.testing import ManualClock

HASH = "$2b$04$" + "a" * 53


def written(path: Path, value: Any) -> Path:
    write_private(path, value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def faults(path: Path) -> set[str]:
    with pytest.raises(InvalidInput) as raised:
        read_access_file(path)
    return {fault.path for fault in raised.value.faults}


def test_who_there_is(tmp_path: Path) -> None:
    grants = [{"project": "demo", "roles": ["manager"]}]
    users = [{"id": "u1", "name": "J\u00e4ger", "password": HASH, "grants": grants}]
    path = written(tmp_path / "f", {"projects": [{"id": "p1", "name": "demo"}], "users": users})
    found = read_access_file(path)
    (user,) = found.users
    assert (user.id, user.name) == ("u1", "J\u00e4ger")
    assert user.roles_in(found.projects[0].id) == {"manager", "member", "reader"}
    assert HASH not in repr(found)


def test_every_fault_at_once(tmp_path: Path) -> None:
    two = {"id": "p", "name": "demo"}
    broken = {
        "id": "u",
        "name": "ann",
        "password": "open sesame",
        "grants": [{"project": "none", "roles": ["king"]}, {"project": "demo", "roles": []}],
    }
    path = written(tmp_path / "f", {"projects": [two, two], "users": [broken, broken]})
    found = faults(path)
    assert {
        "access.projects[0].id",
        "access.projects[1].name",
        "access.users[0].password",
        "access.users[1].id",
        "access.users[0].grants[0].project",
        "access.users[0].grants[0].roles[0]",
        "access.users[0].grants[1].roles",
    } <= found


def test_a_password_in_place_of_a_hash_is_not_repeated(tmp_path: Path) -> None:
    user = {"id": "u", "name": "ann", "password": "open sesame"}
    path = written(tmp_path / "f", {"projects": [], "users": [user]})
    with pytest.raises(InvalidInput) as raised:
        read_access_file(path)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_such_file(tmp_path: Path, content: bytes) -> None:
    assert faults(written(tmp_path / "f", content))


def test_who_lets_others_read_secrets_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "f", {"projects": [], "users": []})
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(PermissionRefused, match=f"{mode:o}"):
            read_access_file(path)


def test_a_private_file_is_not_written_through_a_trap(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "f.new").symlink_to(victim)
    write_private(tmp_path / "f", b"secret")
    assert victim.read_text() == "mine"
    assert read_private(tmp_path / "f") == b"secret"


def test_the_first_start_makes_private_files_and_the_next_finds_them(tmp_path: Path) -> None:
    at = AccessDirectory(tmp_path / "access")
    old = os.umask(0)
    try:
        first = open_access(at, random.SystemRandom())
    finally:
        os.umask(old)
    for path in at.path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert at.path.stat().st_mode & 0o777 == 0o700
    again = open_access(at, random.SystemRandom())
    assert again == first
    passwords = Passwords({u.name: u.hashed for u in first.directory.users}, ManualClock(), b"k")
    assert [passwords.right(name, said.reveal()) for name, said in first.passwords] == [True] * 2
    shown = repr(first)
    for _, secret in (*first.passwords, ("", first.token), ("", first.key)):
        assert secret.reveal().decode() not in shown


def test_a_first_start_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    at = AccessDirectory(tmp_path)
    first = open_access(at, random.SystemRandom())
    at.users.unlink()
    again = open_access(at, random.SystemRandom())
    assert (again.token, again.key, again.passwords) == (first.token, first.key, first.passwords)
    name, said = again.passwords[0]
    assert bcrypt.checkpw(said.reveal(), again.directory.user_by_name[name].hashed.reveal())


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "token", b"short\n")
    with pytest.raises(InvalidInput, match="at least 16"):
        open_access(AccessDirectory(tmp_path), random.SystemRandom())


@pytest.mark.parametrize("auth", ["none", "token", "basic", "password"])
def test_a_client_finds_what_it_needs(tmp_path: Path, auth: str) -> None:
    secrets = open_access(AccessDirectory(tmp_path / "a"), random.SystemRandom())
    path = tmp_path / "clouds.yaml"
    write_clouds(path, "http://127.0.0.1:8774", auth, secrets)
    assert path.stat().st_mode & 0o777 == 0o600
    cloud = json.loads(path.read_text())["clouds"]["computekit"]
    assert cloud["identity_api_version"] == "3"
    said = cloud["auth"]
    passwords = {name: secret.reveal().decode() for name, secret in secrets.passwords}
    if auth == "password":
        assert said["auth_url"] == "http://127.0.0.1:8774/identity/v3"
    else:
        assert said["endpoint"] == "http://127.0.0.1:8774/compute/v2.1"
        assert cloud["image_endpoint_override"] == "http://127.0.0.1:8774/image"
    if auth in ("basic", "password"):
        assert (said["username"], said["password"]) == ("admin", passwords["admin"])
    assert ("identity_endpoint_override" in cloud) == (auth != "password")
    assert said.get("token") == (secrets.token.reveal().decode() if auth == "token" else None)


def test_a_client_of_somebody_elses_keystone_is_told_where_services_are(tmp_path: Path) -> None:
    secrets = open_access(AccessDirectory(tmp_path / "a"), random.SystemRandom())
    write_clouds(tmp_path / "clouds.yaml", "http://h:1", "keystone", secrets)
    text = (tmp_path / "clouds.yaml").read_text()
    cloud = json.loads(text)["clouds"]["computekit"]
    assert cloud["compute_endpoint_override"] == "http://h:1/compute/v2.1"
    assert (cloud["auth"], "identity_endpoint_override" in cloud) == ({}, False)
    for _, secret in (*secrets.passwords, ("", secrets.token)):
        assert secret.reveal().decode() not in text
