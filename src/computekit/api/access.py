"""Who may do what: a rule for each operation, judged under one of three policies."""

import enum

from computekit.access import Role, holds
from computekit.api.context import Identity
from computekit.ids import ProjectId

__all__ = ["AccessPolicy", "Rule", "allowed"]


class Rule(enum.Enum):
    """Who may call an operation.

    Attributes:
        ANYONE: even who has not said who it is.
        KNOWN: whoever has said who it is; what it may see, the operation itself decides.
        OPERATOR: an administrator or another service.
        PROJECT: an operator, and who reads about a project of its own.
        READER: whoever may read in the project that it calls for; of what is not that project's,
            the operation itself tells it nothing.
        MEMBER: likewise, whoever may change things there.
        SERVICE: another service only.
    """

    ANYONE = "anyone"
    KNOWN = "known"
    OPERATOR = "operator"
    PROJECT = "project"
    READER = "reader"
    MEMBER = "member"
    SERVICE = "service"


class AccessPolicy(enum.Enum):
    """How rules are read.

    Attributes:
        LEGACY: an administrator may do everything, the others what SECURE lets them.
        SECURE: each rule as it stands.
        OPEN: everybody who has said who it is may do everything.
    """

    LEGACY = "legacy"
    SECURE = "secure"
    OPEN = "open"


def allowed(
    policy: AccessPolicy, rule: Rule, identity: Identity, project: ProjectId | None = None
) -> bool:
    """Return whether `identity` may do what `rule` guards.

    A call for the whole system is allowed nothing: every operation here acts within projects.

    Args:
        policy: how the rule is read.
        rule: of the operation.
        identity: who calls.
        project: the one that the call asks about, if it asks about one.
    """
    if rule is Rule.ANYONE:
        return True
    if identity.user is None or identity.system:
        return False
    if policy is AccessPolicy.OPEN or rule is Rule.KNOWN:
        return True
    roles = identity.roles
    if "service" in roles:
        return True
    if "admin" in roles and (rule is not Rule.SERVICE or policy is AccessPolicy.LEGACY):
        return True
    if rule in _WITHIN:
        return identity.project is not None and holds(roles, _WITHIN[rule])
    return (
        rule is Rule.PROJECT
        and "reader" in roles
        and project is not None
        and project == identity.project
    )


_WITHIN = {Rule.READER: Role.READER, Rule.MEMBER: Role.MEMBER}
"""The role in a project that is enough, and those that imply it."""
