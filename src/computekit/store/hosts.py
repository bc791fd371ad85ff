"""Hosts as rows."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from computekit.ids import HostName, ProviderId
from computekit.model import HostFacts, decode, encode
from computekit.scheduler.hosts import HOST_CHANGED, Host
from computekit.store.chunks import chunks
from computekit.store.sql_store import SqlStore
from computekit.store.tables import HOST
from computekit.topology import HostTopology
from computekit.work import Tx

__all__ = ["SqlHosts"]

_COLUMNS = (
    HOST.c.name,
    HOST.c.provider_id,
    HOST.c.zone,
    HOST.c.disabled,
    HOST.c.up,
    HOST.c.incarnation,
    HOST.c.seen_s,
    HOST.c.facts,
    HOST.c.topology,
)
_ALL = select(*_COLUMNS)
_SOME = _ALL.where(HOST.c.name.in_(bindparam("names", expanding=True)))
_INSERT = insert(HOST)
_UPDATE = update(HOST).where(HOST.c.name == bindparam("host"))
_DELETE = delete(HOST).where(HOST.c.name == bindparam("host"))


class SqlHosts:
    """A `HostWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def host(self, name: HostName) -> Host | None:
        found = self.hosts(frozenset({name}))
        return found[0] if found else None

    def hosts(self, names: frozenset[HostName] | None = None) -> tuple[Host, ...]:
        with self._store.reading() as connection:
            if names is None:
                found = _read(connection, None)
            else:
                found = [host for some in chunks(names) for host in _read(connection, some)]
        return tuple(sorted(found, key=lambda host: host.name))

    def put_host(self, tx: Tx, host: Host) -> None:
        connection = self._store.connection(tx)
        before = _read(connection, [host.name])
        if before == [host]:
            return
        row = {
            "provider_id": host.provider,
            "zone": host.zone,
            "disabled": host.disabled,
            "up": host.up,
            "incarnation": host.incarnation,
            "seen_s": host.seen_s,
            "facts": encode(host.facts),
            "topology": encode(host.topology),
        }
        if before:
            connection.execute(_UPDATE.values(row), {"host": host.name})
        else:
            connection.execute(_INSERT, {"name": host.name, **row})
        tx.changed(HOST_CHANGED, host.name)

    def delete_host(self, tx: Tx, name: HostName) -> None:
        connection = self._store.connection(tx)
        if connection.execute(_DELETE, {"host": name}).rowcount:
            tx.changed(HOST_CHANGED, name)


def _read(connection: Connection, names: list[HostName] | None) -> list[Host]:
    rows = (
        connection.execute(_ALL) if names is None else connection.execute(_SOME, {"names": names})
    )
    return [
        Host(
            name=HostName(name),
            provider=ProviderId(provider),
            facts=decode(facts, HostFacts),
            zone=zone,
            disabled=disabled,
            up=up,
            incarnation=incarnation,
            seen_s=seen_s,
            topology=decode(topology, HostTopology),
        )
        for name, provider, zone, disabled, up, incarnation, seen_s, facts, topology in rows
    ]
