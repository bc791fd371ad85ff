"""Who may do what to what belongs to whom: functions of roles and projects, and of nothing else.

All of them say no to what they are not told: nobody has no role, and nothing belongs to no project.
"""

from computekit.access.roles import Role, with_implied
from computekit.ids import ProjectId

__all__ = ["changes_in", "everywhere", "holds", "manages_in", "reads_in"]


def holds(roles: frozenset[str], role: Role) -> bool:
    """Return whether who has `roles` is at least a `role`."""
    return role in with_implied(roles)


def everywhere(roles: frozenset[str]) -> bool:
    """Return whether who has `roles` acts in every project: an admin, and a service for others."""
    return Role.ADMIN in roles or Role.SERVICE in roles


def reads_in(roles: frozenset[str], own: ProjectId | None, owner: ProjectId | None) -> bool:
    """Return whether somebody sees what belongs to a project.

    Args:
        roles: that it has in the project that it calls for.
        own: the project that it calls for.
        owner: whose it is.
    """
    return everywhere(roles) or _within(roles, Role.READER, own, owner)


def changes_in(roles: frozenset[str], own: ProjectId | None, owner: ProjectId | None) -> bool:
    """Return whether somebody makes, changes and deletes what belongs to a project."""
    return everywhere(roles) or _within(roles, Role.MEMBER, own, owner)


def manages_in(roles: frozenset[str], own: ProjectId | None, owner: ProjectId | None) -> bool:
    """Return whether somebody does what only managers of a project do."""
    return everywhere(roles) or _within(roles, Role.MANAGER, own, owner)


def _within(
    roles: frozenset[str], role: Role, own: ProjectId | None, owner: ProjectId | None
) -> bool:
    return own is not None and own == owner and holds(roles, role)
