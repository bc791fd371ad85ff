"""The file that says who there is: JSON, read whole, with every fault at once."""

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated

import attrs

from computekit.access.directory import Directory, Grant, Project, User
from computekit.access.private import read_private
from computekit.access.roles import Role
from computekit.errors import Fault, InvalidInput
from computekit.forms import String, read_form, read_json
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

__all__ = ["AccessForm", "read_access_file"]

ROOT = "access"
_LONGEST = 16 * 1024**2
_HASH = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")

Name = Annotated[str, String(most=255)]
Id = Annotated[str, String(most=64, pattern="[A-Za-z0-9_.-]+", what="an id")]
Note = Annotated[str, String(most=1024, least=0)]


@attrs.frozen
class ProjectForm:
    """A project in the file.

    Attributes:
        id: of it.
        name: unique.
        description: for people.
    """

    id: Id
    name: Name
    description: Note = ""


@attrs.frozen
class GrantForm:
    """What a user is in a project.

    Attributes:
        project: its name.
        roles: of `admin`, `manager`, `member`, `reader`, `service`.
    """

    project: Name
    roles: tuple[Name, ...]


@attrs.frozen
class UserForm:
    """A user in the file.

    Attributes:
        id: of it.
        name: unique.
        password: bcrypt hash (`htpasswd -nB NAME` prints one); never the password.
        grants: the first is of the project that calls are for which name none.
        description: for people.
    """

    id: Id
    name: Name
    password: Annotated[str, String(most=255)] = attrs.field(repr=False)
    grants: tuple[GrantForm, ...] = ()
    description: Note = ""


@attrs.frozen
class AccessForm:
    """The whole file.

    Attributes:
        projects: what things belong to.
        users: who may say who it is.
    """

    projects: tuple[ProjectForm, ...]
    users: tuple[UserForm, ...]


def read_access_file(path: Path) -> Directory:
    """Return who there is.

    Raises:
        FileNotFoundError: there is no such file.
        PermissionRefused: it cannot be read, or others may read it: it has hashes of passwords.
        InvalidInput: with every fault.
    """
    content = read_private(path)
    form = read_form(read_json(content, ROOT, most_bytes=_LONGEST), AccessForm, ROOT)
    faults = tuple(_faults(form))
    if faults:
        raise InvalidInput(faults)
    ids = {project.name: ProjectId(project.id) for project in form.projects}
    return Directory(
        tuple(Project(ProjectId(it.id), it.name, it.description) for it in form.projects),
        tuple(
            User(
                UserId(it.id),
                it.name,
                Secret(it.password.encode()),
                tuple(Grant(ids[g.project], frozenset(map(Role, g.roles))) for g in it.grants),
                it.description,
            )
            for it in form.users
        ),
    )


def _faults(form: AccessForm) -> Iterator[Fault]:
    yield from _repeated(f"{ROOT}.projects", form.projects)
    yield from _repeated(f"{ROOT}.users", form.users)
    projects = {project.name for project in form.projects}
    for at, user in enumerate(form.users):
        path = f"{ROOT}.users[{at}]"
        if not _HASH.fullmatch(user.password):
            yield Fault(f"{path}.password", "not_a_hash", "not a bcrypt hash (htpasswd -B)")
        granted = Counter(grant.project for grant in user.grants)
        for number, grant in enumerate(user.grants):
            where = f"{path}.grants[{number}]"
            if granted[grant.project] > 1:
                yield Fault(f"{where}.project", "repeated", f"{grant.project!a} twice")
            yield from _of_grant(where, grant, projects)


def _repeated(path: str, rows: tuple[ProjectForm | UserForm, ...]) -> Iterator[Fault]:
    ids, names = Counter(row.id for row in rows), Counter(row.name for row in rows)
    for at, row in enumerate(rows):
        if ids[row.id] > 1:
            yield Fault(f"{path}[{at}].id", "repeated", f"{row.id!a} twice")
        if names[row.name] > 1:
            yield Fault(f"{path}[{at}].name", "repeated", f"{row.name!a} twice")


def _of_grant(where: str, grant: GrantForm, projects: AbstractSet[str]) -> Iterator[Fault]:
    if grant.project not in projects:
        yield Fault(f"{where}.project", "unknown", f"there is no project {grant.project!a}")
    if not grant.roles:
        yield Fault(f"{where}.roles", "empty", "a grant has one role or more")
    for place, role in enumerate(grant.roles):
        if role not in set(Role):
            message = f"{role!a} is not one of {', '.join(Role)}"
            yield Fault(f"{where}.roles[{place}]", "unknown_role", message)
