"""What consumers hold of the NUMA nodes of hosts, as rows."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from computekit.ids import ConsumerId, HostName
from computekit.scheduler.cells import CELLS_CHANGED, CellHold, check_free
from computekit.store.chunks import chunks
from computekit.store.sql_store import SqlStore
from computekit.store.tables import CELL_HOLD
from computekit.units import Kib, Mib
from computekit.work import Tx

__all__ = ["SqlCells"]

_ALL = select(
    CELL_HOLD.c.host,
    CELL_HOLD.c.consumer_id,
    CELL_HOLD.c.node,
    CELL_HOLD.c.cpus,
    CELL_HOLD.c.floating,
    CELL_HOLD.c.memory_mib,
    CELL_HOLD.c.page_kib,
)
_SOME = _ALL.where(CELL_HOLD.c.host.in_(bindparam("hosts", expanding=True)))
_HOSTS_OF = select(CELL_HOLD.c.host).where(CELL_HOLD.c.consumer_id == bindparam("consumer"))
_INSERT = insert(CELL_HOLD)
_DELETE = delete(CELL_HOLD).where(
    CELL_HOLD.c.consumer_id == bindparam("consumer"), CELL_HOLD.c.host == bindparam("place")
)


class SqlCells:
    """A `CellWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def cell_holds(self, hosts: frozenset[HostName] | None = None) -> tuple[CellHold, ...]:
        with self._store.reading() as connection:
            return _read(connection, hosts)

    def hold_cells(self, tx: Tx, holds: Iterable[CellHold]) -> None:
        connection = self._store.connection(tx)
        for hold in holds:
            check_free(hold, _read(connection, frozenset({hold.host})))
            row = {
                "host": hold.host,
                "consumer_id": hold.consumer,
                "node": hold.node,
                "cpus": ",".join(map(str, sorted(hold.cpus))),
                "floating": hold.floating,
                "memory_mib": hold.memory_mib,
                "page_kib": hold.page_kib,
            }
            connection.execute(_INSERT, row)
            tx.changed(CELLS_CHANGED, hold.host)

    def release_cells(self, tx: Tx, consumer: ConsumerId, host: HostName | None = None) -> None:
        connection = self._store.connection(tx)
        found = set(connection.execute(_HOSTS_OF, {"consumer": consumer}).scalars())
        for place in sorted(found if host is None else found & {host}):
            connection.execute(_DELETE, {"consumer": consumer, "place": place})
            tx.changed(CELLS_CHANGED, place)


def _read(connection: Connection, hosts: frozenset[HostName] | None) -> tuple[CellHold, ...]:
    if hosts is None:
        rows = list(connection.execute(_ALL))
    else:
        rows = [row for some in chunks(hosts) for row in connection.execute(_SOME, {"hosts": some})]
    found = (
        CellHold(
            ConsumerId(consumer),
            HostName(host),
            node,
            frozenset(map(int, cpus.split(","))) if cpus else frozenset(),
            floating,
            Mib(memory_mib),
            None if page_kib is None else Kib(page_kib),
        )
        for host, consumer, node, cpus, floating, memory_mib, page_kib in rows
    )
    return tuple(sorted(found, key=lambda hold: (hold.host, hold.consumer, hold.node)))
