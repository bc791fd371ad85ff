"""What somebody sends who proves who it is: the body of `POST /v3/auth/tokens`."""

from typing import Annotated

import attrs

from computekit.access import NamedProject, NamedUser
from computekit.api.identity.tokens import Proof, View
from computekit.errors import AccessRefused, Fault, InvalidInput
from computekit.forms import String
from computekit.secret import Secret

__all__ = ["DOMAIN_ID", "DOMAIN_NAME", "AuthBody", "proof_of"]

DOMAIN_ID, DOMAIN_NAME = "default", "Default"
"""The one domain that all users and projects are in."""

Name = Annotated[str, String(most=255)]
Given = Annotated[str, String(most=4096, least=0)]


@attrs.frozen
class DomainBody:
    """A domain by id or by name.

    Attributes:
        id: None if it is named.
        name: None if the id is given.
    """

    id: Name | None = None
    name: Name | None = None


@attrs.frozen
class UserBody:
    """A user by id or by name, and the password.

    Attributes:
        password: as it was typed.
        id: None if it is named.
        name: None if the id is given.
        domain: of the name.
    """

    password: Given = attrs.field(repr=False)
    id: Name | None = None
    name: Name | None = None
    domain: DomainBody | None = None


@attrs.frozen
class PasswordBody:
    """The method `password`.

    Attributes:
        user: who, and the password.
    """

    user: UserBody


@attrs.frozen
class TokenBody:
    """The method `token`.

    Attributes:
        id: the token.
    """

    id: Given = attrs.field(repr=False)


@attrs.frozen
class IdentityBody:
    """How somebody proves who it is.

    Attributes:
        methods: `password` or `token`.
        password: of that method.
        token: of that method.
    """

    methods: tuple[Name, ...]
    password: PasswordBody | None = None
    token: TokenBody | None = None


@attrs.frozen
class ProjectBody:
    """A project by id or by name.

    Attributes:
        id: None if it is named.
        name: None if the id is given.
        domain: of the name.
    """

    id: Name | None = None
    name: Name | None = None
    domain: DomainBody | None = None


@attrs.frozen
class ScopeBody:
    """What a token is to be for.

    Attributes:
        project: the only thing that one can be for here.
    """

    project: ProjectBody


@attrs.frozen
class Auth:
    """Who, and for what.

    Attributes:
        identity: who.
        scope: for what; None: for the user's first project.
    """

    identity: IdentityBody
    scope: ScopeBody | None = None


@attrs.frozen
class AuthBody:
    """The whole body.

    Attributes:
        auth: all of it.
    """

    auth: Auth


def proof_of(body: AuthBody, view: View) -> Proof:
    """Return what a body says.

    Args:
        body: as it came.
        view: how the token is to be shown.

    Raises:
        InvalidInput: parts do not fit each other; all of them are told.
        AccessRefused: another domain is named.
    """
    identity, scope = body.auth.identity, body.auth.scope
    faults: list[Fault] = []
    if set(identity.methods) not in ({"password"}, {"token"}):
        message = "one method: password or token"
        faults.append(Fault("body.auth.identity.methods", "unknown_method", message))
    for method, said in (("password", identity.password), ("token", identity.token)):
        if method in identity.methods and said is None:
            faults.append(Fault(f"body.auth.identity.{method}", "missing", "must be given"))
    project = None if scope is None else scope.project
    if project is not None and (project.id is None) == (project.name is None):
        faults.append(Fault("body.auth.scope.project", "named_twice", "an id or a name"))
    user = None if identity.password is None else identity.password.user
    if user is not None and (user.id is None) == (user.name is None):
        faults.append(Fault("body.auth.identity.password.user", "named_twice", "an id or a name"))
    if faults:
        raise InvalidInput(tuple(faults))
    for domain in (user.domain if user else None, project.domain if project else None):
        if domain is not None and not (
            domain.id in (None, DOMAIN_ID) and domain.name in (None, DOMAIN_NAME)
        ):
            raise AccessRefused("the user, the password or the project is not right")
    by_password = "password" in identity.methods and user is not None
    return Proof(
        NamedUser(user.id, user.name) if by_password and user is not None else None,
        Secret(user.password.encode() if by_password and user is not None else b""),
        Secret(b"" if identity.token is None else identity.token.id.encode()),
        None if project is None else NamedProject(project.id, project.name),
        view,
    )
