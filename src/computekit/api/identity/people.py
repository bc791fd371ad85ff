"""Operations on projects, users and roles: they are read here, and written into a file."""

from types import NoneType

import attrs

from computekit.access import Directory, Project, Role, User, everywhere
from computekit.api.access import Rule
from computekit.api.context import CallContext, Identity
from computekit.api.identity.base import SINCE
from computekit.api.operation import ApiOperation
from computekit.errors import NotFound
from computekit.ids import ProjectId, UserId

__all__ = [
    "LIST_MY_PROJECTS",
    "LIST_PROJECTS",
    "LIST_ROLES",
    "LIST_USERS",
    "LIST_USER_PROJECTS",
    "SHOW_PROJECT",
    "SHOW_USER",
    "Named",
    "PeopleCalls",
    "ProjectPath",
    "UserPath",
]


@attrs.frozen
class Named:
    """Which of several are asked for.

    Attributes:
        name: only the one of this name; None for all.
    """

    name: str | None = None


@attrs.frozen
class ProjectPath:
    """Which project.

    Attributes:
        id: of it.
    """

    id: ProjectId


@attrs.frozen
class UserPath:
    """Which user.

    Attributes:
        id: of it.
    """

    id: UserId


LIST_PROJECTS = ApiOperation(
    name="list_projects",
    method="GET",
    path="/v3/projects",
    summary="The projects that the caller may know of.",
    input=Named,
    output=tuple[Project, ...],
    since=SINCE,
    rule=Rule.KNOWN,
)

LIST_MY_PROJECTS = ApiOperation(
    name="list_my_projects",
    method="GET",
    path="/v3/auth/projects",
    summary="The projects that the caller can get a token for.",
    input=NoneType,
    output=tuple[Project, ...],
    since=SINCE,
    rule=Rule.KNOWN,
)

LIST_USER_PROJECTS = ApiOperation(
    name="list_user_projects",
    method="GET",
    path="/v3/users/{user_id}/projects",
    summary="The projects that a user is in.",
    input=UserPath,
    output=tuple[Project, ...],
    since=SINCE,
    rule=Rule.KNOWN,
    errors=(NotFound,),
)

SHOW_PROJECT = ApiOperation(
    name="show_project",
    method="GET",
    path="/v3/projects/{project_id}",
    summary="One project.",
    input=ProjectPath,
    output=Project,
    since=SINCE,
    rule=Rule.KNOWN,
    errors=(NotFound,),
)

LIST_USERS = ApiOperation(
    name="list_users",
    method="GET",
    path="/v3/users",
    summary="The users that the caller may know of.",
    input=Named,
    output=tuple[User, ...],
    since=SINCE,
    rule=Rule.KNOWN,
)

SHOW_USER = ApiOperation(
    name="show_user",
    method="GET",
    path="/v3/users/{user_id}",
    summary="One user.",
    input=UserPath,
    output=User,
    since=SINCE,
    rule=Rule.KNOWN,
    errors=(NotFound,),
)

LIST_ROLES = ApiOperation(
    name="list_roles",
    method="GET",
    path="/v3/roles",
    summary="What somebody may be in a project.",
    input=Named,
    output=tuple[Role, ...],
    since=SINCE,
    rule=Rule.KNOWN,
)


class PeopleCalls:
    """What carries out the operations on projects, users and roles.

    An admin or a service sees all; everybody else itself and the projects that it is in, and of
    what it does not see nothing tells that it is there.

    Args:
        directory: who there is.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def projects(self, asked: Named, context: CallContext) -> tuple[Project, ...]:
        """Carry out `LIST_PROJECTS`."""
        seen = self._seen(context.identity)
        return tuple(it for it in seen if asked.name in (None, it.name))

    def my_projects(self, _asked: None, context: CallContext) -> tuple[Project, ...]:
        """Carry out `LIST_MY_PROJECTS`."""
        return self._of(context.identity.user)

    def user_projects(self, asked: UserPath, context: CallContext) -> tuple[Project, ...]:
        """Carry out `LIST_USER_PROJECTS`."""
        return self._of(self.user(asked, context).id)

    def project(self, asked: ProjectPath, context: CallContext) -> Project:
        """Carry out `SHOW_PROJECT`."""
        for project in self._seen(context.identity):
            if project.id == asked.id:
                return project
        raise NotFound("project", ascii(asked.id))

    def users(self, asked: Named, context: CallContext) -> tuple[User, ...]:
        """Carry out `LIST_USERS`."""
        return tuple(
            user
            for user in self._directory.users
            if self._may_see(context.identity, user) and asked.name in (None, user.name)
        )

    def user(self, asked: UserPath, context: CallContext) -> User:
        """Carry out `SHOW_USER`."""
        user = self._directory.user_by_id.get(asked.id)
        if user is None or not self._may_see(context.identity, user):
            raise NotFound("user", ascii(asked.id))
        return user

    def roles(self, asked: Named, _context: CallContext) -> tuple[Role, ...]:
        """Carry out `LIST_ROLES`."""
        return tuple(role for role in Role if asked.name in (None, role.value))

    def _may_see(self, identity: Identity, user: User) -> bool:
        return everywhere(identity.roles) or user.id == identity.user

    def _seen(self, identity: Identity) -> tuple[Project, ...]:
        everything = everywhere(identity.roles)
        return self._directory.projects if everything else self._of(identity.user)

    def _of(self, user: UserId | None) -> tuple[Project, ...]:
        found = None if user is None else self._directory.user_by_id.get(user)
        if found is None:
            return ()
        by_id = self._directory.project_by_id
        return tuple(by_id[grant.project] for grant in found.grants)
