"""Tokens: who can prove who it is gets one, and none but a good one counts."""

import base64
import json
import random
from pathlib import Path

import attrs
import pytest

from computekit.access import (
    Directory,
    NamedProject,
    NamedUser,
    Passwords,
    Revoked,
    SignIn,
    Tokens,
)
from computekit.errors import AccessRefused, Overloaded
from computekit.secret import Secret
from computekit.testing import ManualClock
from computekit.units import Seconds
from tests.unit.access.people import DEMO, OTHER, PEOPLE, hashed

KEY = Secret(b"0123456789abcdef0123456789abcdef")


@attrs.frozen
class Office:
    path: Path
    clock: ManualClock = attrs.field(factory=ManualClock)

    def open(self, directory: Directory = PEOPLE, key: Secret = KEY) -> SignIn:
        revoked = Revoked(self.path / "revoked.json")
        tokens = Tokens(directory, key, revoked, self.clock, random.Random(7))
        known = {user.name: user.hashed for user in directory.users}
        return SignIn(directory, Passwords(known, self.clock, b"k"), tokens)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def token(sign_in: SignIn, name: str, project: NamedProject | None = None) -> str:
    issued = sign_in.by_password(NamedUser(name=name), Secret(f"pass-{name}".encode()), project)
    return issued.text.reveal().decode()


def test_who_knows_the_password_gets_a_token_for_a_project(office: Office) -> None:
    sign_in = office.open()
    for named in (NamedUser(name="ann"), NamedUser(id="id-ann")):
        for project in (NamedProject(name="other"), NamedProject(id="o1")):
            issued = sign_in.by_password(named, Secret(b"pass-ann"), project)
            assert (issued.user.name, issued.project, issued.roles) == (
                "ann",
                OTHER,
                frozenset({"reader"}),
            )
            assert issued.token.methods == ("password",)
            assert "pass-ann" not in repr(issued)
            assert issued.text.reveal().decode() not in repr(issued)
    unsaid = sign_in.by_password(NamedUser(name="ann"), Secret(b"pass-ann"), None)
    assert unsaid.project == DEMO
    nowhere = sign_in.by_password(NamedUser(name="lost"), Secret(b"pass-lost"), None)
    assert (nowhere.project, nowhere.roles) == (None, frozenset())


@pytest.mark.parametrize(
    ("user", "password", "project"),
    [
        ("ann", "wrong", "demo"),
        ("ann", "", "demo"),
        ("nobody", "pass-ann", "demo"),
        ("bob", "pass-bob", "demo"),
        ("bob", "pass-bob", "none"),
        ("lost", "pass-lost", "demo"),
        ("", "", "demo"),
    ],
)
def test_who_is_wrong_is_not_told_where(
    office: Office, user: str, password: str, project: str
) -> None:
    with pytest.raises(AccessRefused) as raised:
        office.open().by_password(
            NamedUser(name=user), Secret(password.encode()), NamedProject(name=project)
        )
    assert str(raised.value).endswith("the user, the password or the project is not right")


def test_wrong_passwords_come_to_an_end(office: Office) -> None:
    sign_in = office.open()
    for wrong in range(10):
        with pytest.raises(AccessRefused):
            sign_in.by_password(NamedUser(name="ann"), Secret(str(wrong).encode()), None)
    with pytest.raises(Overloaded):
        sign_in.by_password(NamedUser(id="id-ann"), Secret(b"pass-ann"), None)
    office.clock.advance(Seconds(61.0))
    assert token(sign_in, "ann")


def test_a_token_outlives_a_restart_and_ends_in_time(office: Office) -> None:
    text = token(office.open(), "ann")
    sign_in = office.open()
    shown = sign_in.shown(text)
    assert shown is not None
    assert (shown.user.name, shown.project, shown.roles) == (
        "ann",
        DEMO,
        frozenset({"member", "reader"}),
    )
    office.clock.advance(Seconds(3599.0))
    assert sign_in.shown(text) is not None
    office.clock.advance(Seconds(1.0))
    assert sign_in.shown(text) is None


def test_a_token_for_a_token_ends_with_it(office: Office) -> None:
    sign_in = office.open()
    text = token(sign_in, "ann")
    office.clock.advance(Seconds(1800.0))
    other = sign_in.by_token(text, NamedProject(name="other"))
    assert (other.project, other.token.methods) == (OTHER, ("password", "token"))
    first = sign_in.shown(text)
    assert first is not None
    assert other.token.expires_s == first.token.expires_s
    with pytest.raises(AccessRefused):
        sign_in.by_token("x", None)
    with pytest.raises(AccessRefused):
        sign_in.by_token(token(sign_in, "bob"), NamedProject(name="demo"))


def test_a_revoked_token_stays_so_after_a_restart(office: Office) -> None:
    sign_in = office.open()
    text, kept = token(sign_in, "ann"), token(sign_in, "ann")
    shown = sign_in.shown(text)
    assert shown is not None
    sign_in.tokens.revoke(shown.token)
    sign_in.tokens.revoke(shown.token)
    for again in (sign_in, office.open()):
        assert again.shown(text) is None
        assert again.shown(kept) is not None
    assert (office.path / "revoked.json").stat().st_mode & 0o777 == 0o600
    office.clock.advance(Seconds(7200.0))
    fresh = sign_in.shown(token(sign_in, "ann"))
    assert fresh is not None
    sign_in.tokens.revoke(fresh.token)
    assert set(json.loads((office.path / "revoked.json").read_text())) == {fresh.token.audit}


def test_who_is_changed_loses_tokens(office: Office) -> None:
    text = token(office.open(), "ann")
    ann = PEOPLE.user_by_name["ann"]
    for changed in (
        (attrs.evolve(ann, hashed=hashed("another")),),
        (attrs.evolve(ann, grants=ann.grants[1:]),),
        (),
    ):
        others = tuple(user for user in PEOPLE.users if user.name != "ann")
        assert office.open(Directory(PEOPLE.projects, (*others, *changed))).shown(text) is None
    gone = tuple(project for project in PEOPLE.projects if project != DEMO)
    assert office.open(Directory(gone, PEOPLE.users)).shown(text) is None
    assert office.open(key=Secret(b"x" * 32)).shown(text) is None


def test_forged_tokens_are_nothing(office: Office) -> None:
    sign_in = office.open()
    text = token(sign_in, "rea")
    whole = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for at in range(len(whole)):
        changed = whole.copy()
        changed[at] ^= 1
        assert sign_in.shown(base64.urlsafe_b64encode(changed).decode()) is None
    admin = whole.replace(b"id-rea", b"id-adm")
    assert sign_in.shown(base64.urlsafe_b64encode(admin).decode()) is None
    for junk in ("", "=", "a", "x" * 43, "x" * 5000, "\u00e9", "!", "\0", text[:-4], text + "AAAA"):
        assert sign_in.shown(junk) is None
