"""Roles: what somebody may be in a project, and which role holds which others (Keystone's own)."""

import enum
from collections.abc import Iterable

__all__ = ["Role", "with_implied"]


class Role(enum.StrEnum):
    """What somebody may be.

    Attributes:
        ADMIN: may do everything, in every project.
        MANAGER: looks after one project.
        MEMBER: uses what a project has.
        READER: sees what a project has.
        SERVICE: another service of the cloud.
    """

    ADMIN = "admin"
    MANAGER = "manager"
    MEMBER = "member"
    READER = "reader"
    SERVICE = "service"


_BELOW = (Role.ADMIN, Role.MANAGER, Role.MEMBER, Role.READER)


def with_implied(roles: Iterable[str]) -> frozenset[str]:
    """Return roles with those that they imply: an admin is a manager, a member and a reader too.

    Args:
        roles: in lower case; those that are not known here imply nothing.
    """
    held = frozenset(map(str, roles))
    for at, role in enumerate(_BELOW):
        if role in held:
            return held | frozenset(str(below) for below in _BELOW[at:])
    return held
