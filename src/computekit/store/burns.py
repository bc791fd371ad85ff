"""Devices for one use as rows, one for each device that was ever used."""

from sqlalchemy import bindparam, delete, insert, select

from computekit.ids import ConsumerId, ProviderId
from computekit.pci import Burn, BurnState, DeviceId
from computekit.store.sql_store import SqlStore
from computekit.store.tables import DEVICE_BURN
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["SqlBurns"]

_EVERYWHERE = ""
"""Stands for no host in a key."""

_ALL = select(
    DEVICE_BURN.c.root_id,
    DEVICE_BURN.c.device,
    DEVICE_BURN.c.state,
    DEVICE_BURN.c.consumer_id,
    DEVICE_BURN.c.started,
    DEVICE_BURN.c.published,
    DEVICE_BURN.c.uses,
    DEVICE_BURN.c.reason,
    DEVICE_BURN.c.cleaner,
    DEVICE_BURN.c.until_s,
)
_OF_HOST = _ALL.where(DEVICE_BURN.c.root_id.in_((_EVERYWHERE, bindparam("place"))))
_DELETE = delete(DEVICE_BURN).where(
    DEVICE_BURN.c.root_id == bindparam("place"), DEVICE_BURN.c.device == bindparam("named")
)
_INSERT = insert(DEVICE_BURN)


class SqlBurns:
    """A `BurnLedger` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def burns(self, root: ProviderId | None = None) -> tuple[Burn, ...]:
        with self._store.reading() as connection:
            if root is None:
                rows = list(connection.execute(_ALL))
            else:
                rows = list(connection.execute(_OF_HOST, {"place": root}))
        found = (
            Burn(
                ProviderId(place) if place else None,
                DeviceId(device),
                BurnState(state),
                ConsumerId(consumer),
                started,
                published,
                uses,
                reason,
                cleaner,
                None if until_s is None else Seconds(until_s),
            )
            for (
                place,
                device,
                state,
                consumer,
                started,
                published,
                uses,
                reason,
                cleaner,
                until_s,
            ) in rows
        )
        return tuple(sorted(found, key=lambda burn: (burn.root or "", burn.device)))

    def put_burn(self, tx: Tx, burn: Burn) -> None:
        connection = self._store.connection(tx)
        connection.execute(_DELETE, {"place": burn.root or _EVERYWHERE, "named": burn.device})
        row = {
            "root_id": burn.root or _EVERYWHERE,
            "device": burn.device,
            "state": burn.state.value,
            "consumer_id": burn.consumer,
            "started": burn.started,
            "published": burn.published,
            "uses": burn.uses,
            "reason": burn.reason,
            "cleaner": burn.cleaner,
            "until_s": burn.until_s,
        }
        connection.execute(_INSERT, row)
