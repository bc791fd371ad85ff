"""Who calls, and which call it is."""

import attrs

from computekit.clock import Deadline
from computekit.ids import ProjectId, UserId

__all__ = ["NOBODY", "CallContext", "Identity"]


@attrs.frozen
class Identity:
    """Who calls, as far as an authentication has found out.

    Attributes:
        user: None for somebody who has not said who it is.
        project: None if the call is not made for one.
        roles: what the caller may be, in lower case: `admin`, `service`, `reader`.
        system: whether the call is made for the whole system and not for a project.
    """

    user: UserId | None = None
    project: ProjectId | None = None
    roles: frozenset[str] = frozenset()
    system: bool = False


NOBODY = Identity()
"""Somebody who has not said who it is."""


@attrs.frozen
class CallContext:
    """What a call comes with beside its input.

    Attributes:
        identity: who calls.
        request_id: `req-<uuid>`; in the answer, in errors and in logs.
        deadline: when nobody waits for the answer any more.
    """

    identity: Identity
    request_id: str
    deadline: Deadline
