"""Who there is: projects, users, and what each user is in which project."""

from functools import cached_property

import attrs

from computekit.access.roles import Role, with_implied
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

__all__ = ["Directory", "Grant", "Project", "User"]


@attrs.frozen
class Project:
    """What things belong to.

    Attributes:
        id: of it.
        name: unique.
        description: for people.
    """

    id: ProjectId
    name: str
    description: str = ""


@attrs.frozen
class Grant:
    """What a user is in a project.

    Attributes:
        project: the project.
        roles: without those that they imply.
    """

    project: ProjectId
    roles: frozenset[Role]


@attrs.frozen
class User:
    """Somebody who can say who it is.

    Attributes:
        id: of it.
        name: unique.
        hashed: bcrypt hash of the password.
        grants: the first is of the project that calls are for which name none.
        description: for people.
    """

    id: UserId
    name: str
    hashed: Secret
    grants: tuple[Grant, ...] = ()
    description: str = ""

    def roles_in(self, project: ProjectId) -> frozenset[str]:
        """Return what the user is in a project, with what that implies; nothing if not in it."""
        for grant in self.grants:
            if grant.project == project:
                return with_implied(grant.roles)
        return frozenset()


@attrs.frozen(slots=False)
class Directory:
    """Everybody, and all projects.

    Attributes:
        projects: in order.
        users: in order.
    """

    projects: tuple[Project, ...]
    users: tuple[User, ...]

    @cached_property
    def project_by_id(self) -> dict[ProjectId, Project]:
        """Projects by id."""
        return {project.id: project for project in self.projects}

    @cached_property
    def project_by_name(self) -> dict[str, Project]:
        """Projects by name."""
        return {project.name: project for project in self.projects}

    @cached_property
    def user_by_id(self) -> dict[UserId, User]:
        """Users by id."""
        return {user.id: user for user in self.users}

    @cached_property
    def user_by_name(self) -> dict[str, User]:
        """Users by name."""
        return {user.name: user for user in self.users}
