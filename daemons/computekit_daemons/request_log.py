"""A line for each request that somebody may want to know of."""

import logging

from computekit.http import Seen
from computekit.units import Seconds

__all__ = ["RequestLog"]

_log = logging.getLogger(__name__)

LONG_S = Seconds(1.0)
"""A request that took this long is told of in any case."""


class RequestLog:
    """Logs requests: what was asked by whom and how it ended; no token, no query, no body.

    Args:
        all_of_them: also those that went well.
    """

    def __init__(self, *, all_of_them: bool) -> None:
        self._all = all_of_them

    def observe(self, seen: Seen) -> None:
        """Log a request, if it is to be logged."""
        odd = seen.status >= 500 or seen.duration_s >= LONG_S
        if not (odd or self._all):
            return
        _log.log(
            logging.WARNING if odd else logging.INFO,
            "%s %s %d",
            seen.method,
            seen.path,
            seen.status,
            extra={
                "request_id": seen.request_id,
                "operation": seen.operation,
                "status": seen.status,
                "bytes": seen.size,
                "duration_ms": round(seen.duration_s * 1000, 3),
                "version": str(seen.version or "-"),
                "user": seen.identity.user or "-",
                "project": seen.identity.project or "-",
            },
        )
