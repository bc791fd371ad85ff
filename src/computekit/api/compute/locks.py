"""Locks: a server that is locked does not change, but for administrators."""

from computekit.api.compute.base import is_admin
from computekit.api.context import CallContext
from computekit.compute import ServerRow
from computekit.errors import StateConflict

__all__ = ["check_unlocked"]


def check_unlocked(row: ServerRow, context: CallContext) -> None:
    """Let a call pass that may change this server.

    Raises:
        StateConflict: it is locked, and the caller is no administrator.
    """
    if row.record.locked is not None and not is_admin(context.identity):
        raise StateConflict(f"instance {row.instance.id}", "locked", "unlocked")
