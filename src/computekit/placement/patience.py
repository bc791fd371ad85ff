"""How long a search may go on: choosing providers for groups is bin packing, and may never end."""

from collections.abc import Iterator
from contextlib import contextmanager

from computekit.clock import Deadline

__all__ = ["Patience"]


class Patience:
    """What the searches of one index ask whether somebody still waits for them.

    Set by who holds the lock of the index; without a deadline there is no end.
    """

    __slots__ = ("_deadline",)

    def __init__(self) -> None:
        self._deadline: Deadline | None = None

    @contextmanager
    def until(self, deadline: Deadline | None) -> Iterator[None]:
        """Let searches go on until `deadline`; None: as long as they take."""
        before, self._deadline = self._deadline, deadline
        try:
            yield
        finally:
            self._deadline = before

    def check(self) -> None:
        """Go on only if somebody waits.

        Raises:
            DeadlineExceeded: nobody does.
        """
        if self._deadline is not None:
            self._deadline.check("the search for candidates")
