"""A few people to try access with; their hashes are quick to try."""

import functools

import bcrypt

from computekit.access import Directory, Grant, Project, Role, User
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

DEMO, OTHER = Project(ProjectId("d1"), "demo"), Project(ProjectId("o1"), "other")


@functools.cache
def hashed(password: str) -> Secret:
    return Secret(bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)))


def user(name: str, *grants: tuple[Project, Role], password: str = "") -> User:
    held = tuple(Grant(project.id, frozenset({role})) for project, role in grants)
    return User(UserId(f"id-{name}"), name, hashed(password or f"pass-{name}"), held)


PEOPLE = Directory(
    (DEMO, OTHER),
    (
        user("admin", (DEMO, Role.ADMIN)),
        user("ann", (DEMO, Role.MEMBER), (OTHER, Role.READER)),
        user("bob", (OTHER, Role.MEMBER)),
        user("rea", (DEMO, Role.READER)),
        user("lost"),
    ),
)
