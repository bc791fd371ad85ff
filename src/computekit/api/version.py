"""Microversions: which form of an API a caller speaks."""

from typing import NamedTuple

import attrs

__all__ = ["Microversion", "VersionRange"]


class Microversion(NamedTuple):
    """A version `major.minor`; a tuple, so that comparing two costs nothing.

    Attributes:
        major: raised when old callers would break; so far 1.
        minor: raised with each change of a form.
    """

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@attrs.frozen
class VersionRange:
    """The microversions that a service speaks.

    Attributes:
        service: its type in the header `OpenStack-API-Version`: `placement`.
        oldest: the first one; who names none gets it.
        newest: the last one; who asks for `latest` gets it.
    """

    service: str
    oldest: Microversion
    newest: Microversion

    def __contains__(self, version: Microversion) -> bool:
        return self.oldest <= version <= self.newest
