"""Opening the placement in a database, ready for use."""

import random

from computekit.clock import Clock
from computekit.placement import LocalPlacement
from computekit.store.placement import SqlPlacement
from computekit.store.sql_store import SqlStore

__all__ = ["open_placement"]


def open_placement(url: str, clock: Clock, source: random.Random) -> LocalPlacement:
    """Return the placement that a database keeps, made or brought up to date if need be.

    Close it, or use it in a `with`.

    Args:
        url: `sqlite://` (in memory), `sqlite:///PATH` or `postgresql://...`.
        clock: says when something was written, and measures deadlines.
        source: spreads repeated attempts.

    Raises:
        InvalidInput: the URL is none of these.
        StoreUnavailable: the database cannot be used, or is of a newer version.
    """
    store = SqlStore(url, clock, source)
    return LocalPlacement(store, SqlPlacement(store, clock), on_close=store.close)
