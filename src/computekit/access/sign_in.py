"""Who says who it is gets a token: by password, or by another token."""

import attrs

from computekit.access.directory import Directory, Project, User
from computekit.access.passwords import Passwords
from computekit.access.tokens import Token, Tokens
from computekit.errors import AccessRefused
from computekit.ids import ProjectId, UserId
from computekit.secret import Secret

__all__ = ["Issued", "NamedProject", "NamedUser", "SignIn"]

_REFUSED = "the user, the password or the project is not right"
"""Which of them is not said: it would tell who there is."""


@attrs.frozen
class NamedUser:
    """A user by id or by name.

    Attributes:
        id: None if it is named.
        name: None if the id is given.
    """

    id: str | None = None
    name: str | None = None


@attrs.frozen
class NamedProject:
    """A project by id or by name.

    Attributes:
        id: None if it is named.
        name: None if the id is given.
    """

    id: str | None = None
    name: str | None = None


@attrs.frozen
class Issued:
    """A token, what it says, and what that means now.

    Attributes:
        text: what the caller keeps.
        token: what it says.
        user: whose it is.
        project: that it is for.
        roles: what its user is there, with what that implies.
    """

    text: Secret
    token: Token
    user: User
    project: Project | None
    roles: frozenset[str]


@attrs.frozen
class SignIn:
    """Gives tokens to who can prove who it is.

    Attributes:
        directory: who there is.
        passwords: whether one is right.
        tokens: issues them.
    """

    directory: Directory
    passwords: Passwords
    tokens: Tokens

    def by_password(
        self, named: NamedUser, password: Secret, project: NamedProject | None
    ) -> Issued:
        """Return a token for who knows a password.

        Args:
            named: who it says it is.
            password: as it was given.
            project: that the token is to be for; None: the user's first, if it has one.

        Raises:
            AccessRefused: user, password or project is not right.
            Overloaded: too many wrong passwords for this name.
        """
        user = self._user(named)
        name = user.name if user is not None else f"?{named.id or named.name}"
        if not self.passwords.right(name, password.reveal()) or user is None:
            raise AccessRefused(_REFUSED)
        wanted = project or _first(user)
        return self._issue(user, wanted, ("password",))

    def by_token(self, text: str, project: NamedProject | None) -> Issued:
        """Return another token for who has one; it ends with that.

        Raises:
            AccessRefused: the token is not good, or its user not in the project.
        """
        token = self.tokens.good(text)
        if token is None:
            raise AccessRefused("the token is not good")
        user = self.directory.user_by_id[token.user]
        wanted = project or (None if token.project is None else NamedProject(token.project))
        methods = tuple(sorted({*token.methods, "token"}))
        return self._issue(user, wanted, methods, token.expires_s)

    def shown(self, text: str) -> Issued | None:
        """Return what a token means now; None if it is not good."""
        token = self.tokens.good(text)
        if token is None:
            return None
        return self._meaning(Secret(text.encode()), token)

    def _user(self, named: NamedUser) -> User | None:
        if named.id is not None:
            return self.directory.user_by_id.get(UserId(named.id))
        return self.directory.user_by_name.get(named.name or "")

    def _issue(
        self,
        user: User,
        wanted: NamedProject | None,
        methods: tuple[str, ...],
        expires_s: int | None = None,
    ) -> Issued:
        project = None
        if wanted is not None:
            project = self._project(wanted)
            if project is None or not user.roles_in(project.id):
                raise AccessRefused(_REFUSED)
        text, token = self.tokens.issue(
            user.id, None if project is None else project.id, methods, expires_s
        )
        return self._meaning(text, token)

    def _project(self, named: NamedProject) -> Project | None:
        if named.id is not None:
            return self.directory.project_by_id.get(ProjectId(named.id))
        return self.directory.project_by_name.get(named.name or "")

    def _meaning(self, text: Secret, token: Token) -> Issued:
        user = self.directory.user_by_id[token.user]
        if token.project is None:
            return Issued(text, token, user, None, frozenset())
        project = self.directory.project_by_id[token.project]
        return Issued(text, token, user, project, user.roles_in(project.id))


def _first(user: User) -> NamedProject | None:
    return NamedProject(user.grants[0].project) if user.grants else None
