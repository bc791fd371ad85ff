"""Who may do what, as a table: each function for each role, in the own project and in others."""

import itertools

import pytest

from computekit.access import (
    Role,
    changes_in,
    everywhere,
    holds,
    manages_in,
    reads_in,
    with_implied,
)
from computekit.api import NOBODY, AccessPolicy, Identity, Rule, allowed
from computekit.ids import ProjectId, UserId

OWN, OTHER = ProjectId("own"), ProjectId("other")

# roles: (reads own, changes own, manages own), (the same elsewhere)
TABLE = {
    (): ((False, False, False), (False, False, False)),
    ("unheard-of",): ((False, False, False), (False, False, False)),
    ("ADMIN",): ((False, False, False), (False, False, False)),
    ("reader",): ((True, False, False), (False, False, False)),
    ("member",): ((True, True, False), (False, False, False)),
    ("manager",): ((True, True, True), (False, False, False)),
    ("reader", "manager"): ((True, True, True), (False, False, False)),
    ("admin",): ((True, True, True), (True, True, True)),
    ("service",): ((True, True, True), (True, True, True)),
}


@pytest.mark.parametrize("roles", TABLE)
def test_what_each_may_where(roles: tuple[str, ...]) -> None:
    held = frozenset(roles)
    for owner, expected in zip((OWN, OTHER), TABLE[roles], strict=True):
        found = tuple(may(held, OWN, owner) for may in (reads_in, changes_in, manages_in))
        assert found == expected


@pytest.mark.parametrize("roles", TABLE)
def test_what_belongs_to_no_project_is_for_who_acts_everywhere(roles: tuple[str, ...]) -> None:
    held = frozenset(roles)
    for may, own in itertools.product((reads_in, changes_in, manages_in), (OWN, None)):
        assert may(held, own, None) is everywhere(held)
        assert may(held, None, OWN) is everywhere(held)


def test_roles_imply_those_below() -> None:
    assert with_implied({"admin"}) == {"admin", "manager", "member", "reader"}
    assert with_implied({"member", "x"}) == {"member", "reader", "x"}
    assert with_implied({"service"}) == {"service"}
    assert with_implied(()) == frozenset()
    assert [role for role in Role if holds(frozenset({"manager"}), role)] == [
        Role.MANAGER,
        Role.MEMBER,
        Role.READER,
    ]


RULES = {
    "reader": {Rule.READER},
    "member": {Rule.READER, Rule.MEMBER},
    "manager": {Rule.READER, Rule.MEMBER},
    "admin": {Rule.READER, Rule.MEMBER, Rule.OPERATOR, Rule.PROJECT},
    "service": set(Rule) - {Rule.ANYONE, Rule.KNOWN},
    "other": set(),
}


@pytest.mark.parametrize("role", RULES)
def test_which_rules_let_whom_through(role: str) -> None:
    identity = Identity(UserId("u"), OWN, frozenset({role}))
    passed = {rule for rule in Rule if allowed(AccessPolicy.SECURE, rule, identity)}
    assert passed == RULES[role] | {Rule.ANYONE, Rule.KNOWN}


def test_nobody_passes_what_is_for_everybody_only() -> None:
    for policy in AccessPolicy:
        assert [rule for rule in Rule if allowed(policy, rule, NOBODY)] == [Rule.ANYONE]


def test_without_a_project_there_is_nothing_to_read() -> None:
    identity = Identity(UserId("u"), None, frozenset({"reader", "member", "manager"}))
    passed = [rule for rule in Rule if allowed(AccessPolicy.SECURE, rule, identity)]
    assert passed == [Rule.ANYONE, Rule.KNOWN]
