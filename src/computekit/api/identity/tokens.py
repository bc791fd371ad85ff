"""Operations on tokens."""

from types import NoneType

import attrs

from computekit.access import Issued, NamedProject, NamedUser, SignIn, everywhere
from computekit.api.access import Rule
from computekit.api.context import CallContext
from computekit.api.identity.base import SINCE
from computekit.api.operation import ApiOperation
from computekit.errors import AccessRefused, NotFound, Overloaded
from computekit.secret import Secret

__all__ = [
    "CHECK_TOKEN",
    "ISSUE_TOKEN",
    "REVOKE_TOKEN",
    "SHOW_TOKEN",
    "Proof",
    "Shown",
    "SubjectToken",
    "TokenCalls",
    "View",
]

_PATH = "/v3/auth/tokens"


@attrs.frozen
class View:
    """How a token is to be shown.

    Attributes:
        root: of the server, as the caller named it.
        catalog: whether all services are shown with it.
    """

    root: str
    catalog: bool = True


@attrs.frozen
class Proof:
    """How somebody proves who it is.

    Attributes:
        user: who it says it is; None if it has a token.
        password: of the user.
        token: in place of both.
        project: that the new token is to be for.
        view: how it is to be shown.
    """

    user: NamedUser | None
    password: Secret
    token: Secret
    project: NamedProject | None
    view: View


@attrs.frozen
class SubjectToken:
    """The token that a call is about.

    Attributes:
        text: of it.
        view: how it is to be shown.
    """

    text: Secret
    view: View


@attrs.frozen
class Shown:
    """A token, and how it is to be shown.

    Attributes:
        issued: the token.
        view: how.
    """

    issued: Issued
    view: View


ISSUE_TOKEN = ApiOperation(
    name="issue_token",
    method="POST",
    path=_PATH,
    summary="Prove who you are, and get a token.",
    input=Proof,
    output=Shown,
    since=SINCE,
    rule=Rule.ANYONE,
    has_body=True,
    errors=(AccessRefused, Overloaded),
)

SHOW_TOKEN = ApiOperation(
    name="show_token",
    method="GET",
    path=_PATH,
    summary="What a token means.",
    input=SubjectToken,
    output=Shown,
    since=SINCE,
    rule=Rule.KNOWN,
    errors=(NotFound,),
)

CHECK_TOKEN = ApiOperation(
    name="check_token",
    method="HEAD",
    path=_PATH,
    summary="Whether a token is good.",
    input=SubjectToken,
    output=Shown,
    since=SINCE,
    rule=Rule.KNOWN,
    errors=(NotFound,),
)

REVOKE_TOKEN = ApiOperation(
    name="revoke_token",
    method="DELETE",
    path=_PATH,
    summary="Let a token not count any more.",
    input=SubjectToken,
    output=NoneType,
    since=SINCE,
    rule=Rule.KNOWN,
    errors=(NotFound,),
)


class TokenCalls:
    """What carries out the operations on tokens.

    Args:
        sign_in: gives them.
    """

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    def issue(self, asked: Proof, _context: CallContext) -> Shown:
        """Carry out `ISSUE_TOKEN`."""
        if asked.user is None:
            issued = self._sign_in.by_token(asked.token.reveal().decode(), asked.project)
        else:
            issued = self._sign_in.by_password(asked.user, asked.password, asked.project)
        return Shown(issued, asked.view)

    def show(self, asked: SubjectToken, context: CallContext) -> Shown:
        """Carry out `SHOW_TOKEN`: its own to everybody, all to an admin or a service.

        Raises:
            NotFound: it is not good, or somebody else's.
        """
        issued = self._sign_in.shown(asked.text.reveal().decode("latin-1"))
        caller = context.identity
        if issued is None or not (everywhere(caller.roles) or issued.user.id == caller.user):
            raise NotFound("token", "that is good")
        return Shown(issued, asked.view)

    def revoke(self, asked: SubjectToken, context: CallContext) -> None:
        """Carry out `REVOKE_TOKEN`.

        Raises:
            NotFound: as `show`.
        """
        self._sign_in.tokens.revoke(self.show(asked, context).issued.token)
