"""Projects, users, roles and versions on the wire."""

import msgspec

from computekit.access import Project, Role, User
from computekit.api import Microversion
from computekit.api.identity.base import Place
from computekit.api.identity.people import Named, ProjectPath, UserPath
from computekit.http.identity.answers import (
    Links,
    MediaType,
    ProjectAnswer,
    ProjectRow,
    ProjectsAnswer,
    RolesAnswer,
    UserAnswer,
    UserRow,
    UsersAnswer,
    VersionAnswer,
    VersionLink,
    VersionRow,
    VersionsAnswer,
    VersionValues,
)
from computekit.http.identity.bodies import DOMAIN_ID
from computekit.http.identity.tokens import role_row
from computekit.http.query import parse_query
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import ProjectId, UserId

__all__ = [
    "MyProjectsForm",
    "ProjectForm",
    "ProjectsForm",
    "RolesForm",
    "UserForm",
    "UserProjectsForm",
    "UsersForm",
    "VersionForm",
    "VersionsForm",
]

UPDATED = "2020-04-07T00:00:00Z"


def _named(request: HttpRequest) -> Named:
    return Named(parse_query(request.query).last.get("name"))


def _version(base: str) -> VersionRow:
    return VersionRow(
        "v3.14",
        "stable",
        UPDATED,
        [VersionLink("self", f"{base}/v3/")],
        [MediaType("application/json", "application/vnd.openstack.identity-v3+json")],
    )


class VersionsForm:
    """Which versions there are; 300 says that there is a choice, as Keystone does."""

    def parse(self, request: HttpRequest, version: Microversion) -> Place:
        return Place(request.base)

    def render(self, output: Place, version: Microversion) -> Answer:
        said = VersionsAnswer(VersionValues([_version(output.url)]))
        return Answer(300, msgspec.json.encode(said))


class VersionForm:
    """What this version is."""

    def parse(self, request: HttpRequest, version: Microversion) -> Place:
        return Place(request.base)

    def render(self, output: Place, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(VersionAnswer(_version(output.url))))


def _project(project: Project) -> ProjectRow:
    return ProjectRow(
        id=project.id,
        name=project.name,
        description=project.description,
        domain_id=DOMAIN_ID,
        enabled=True,
        is_domain=False,
        parent_id=DOMAIN_ID,
        links=Links(f"/v3/projects/{project.id}"),
        options={},
        tags=[],
    )


def _projects(output: tuple[Project, ...]) -> Answer:
    links = Links("/v3/projects", None, None)
    said = ProjectsAnswer([_project(project) for project in output], links)
    return Answer(200, msgspec.json.encode(said))


class ProjectsForm:
    """Several projects."""

    def parse(self, request: HttpRequest, version: Microversion) -> Named:
        return _named(request)

    def render(self, output: tuple[Project, ...], version: Microversion) -> Answer:
        return _projects(output)


class MyProjectsForm:
    """The projects of the caller."""

    def parse(self, request: HttpRequest, version: Microversion) -> None:
        return None

    def render(self, output: tuple[Project, ...], version: Microversion) -> Answer:
        return _projects(output)


class UserProjectsForm:
    """The projects of a user."""

    def parse(self, request: HttpRequest, version: Microversion) -> UserPath:
        return UserPath(UserId(request.values["user_id"]))

    def render(self, output: tuple[Project, ...], version: Microversion) -> Answer:
        return _projects(output)


class ProjectForm:
    """One project."""

    def parse(self, request: HttpRequest, version: Microversion) -> ProjectPath:
        return ProjectPath(ProjectId(request.values["project_id"]))

    def render(self, output: Project, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(ProjectAnswer(_project(output))))


def _user(user: User) -> UserRow:
    return UserRow(
        id=user.id,
        name=user.name,
        description=user.description,
        domain_id=DOMAIN_ID,
        enabled=True,
        default_project_id=user.grants[0].project if user.grants else None,
        password_expires_at=None,
        links=Links(f"/v3/users/{user.id}"),
        options={},
    )


class UsersForm:
    """Several users."""

    def parse(self, request: HttpRequest, version: Microversion) -> Named:
        return _named(request)

    def render(self, output: tuple[User, ...], version: Microversion) -> Answer:
        links = Links("/v3/users", None, None)
        said = UsersAnswer([_user(user) for user in output], links)
        return Answer(200, msgspec.json.encode(said))


class UserForm:
    """One user."""

    def parse(self, request: HttpRequest, version: Microversion) -> UserPath:
        return UserPath(UserId(request.values["user_id"]))

    def render(self, output: User, version: Microversion) -> Answer:
        return Answer(200, msgspec.json.encode(UserAnswer(_user(output))))


class RolesForm:
    """What somebody may be."""

    def parse(self, request: HttpRequest, version: Microversion) -> Named:
        return _named(request)

    def render(self, output: tuple[Role, ...], version: Microversion) -> Answer:
        links = Links("/v3/roles", None, None)
        said = RolesAnswer([role_row(role.value) for role in output], links)
        return Answer(200, msgspec.json.encode(said))
