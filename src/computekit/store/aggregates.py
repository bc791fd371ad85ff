"""Aggregates as rows: one for each, and one for each host that belongs to it."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from computekit.errors import AlreadyExists, InUse, NotFound
from computekit.ids import AggregateId, HostName
from computekit.model import Aggregate, FrozenMap, decode, encode
from computekit.scheduler.aggregates import AGGREGATE_CHANGED
from computekit.store.chunks import chunks
from computekit.store.sql_store import SqlStore
from computekit.store.tables import AGGREGATE, AGGREGATE_HOST
from computekit.work import Tx

__all__ = ["SqlAggregates"]

_ALL = select(AGGREGATE.c.id, AGGREGATE.c.uuid, AGGREGATE.c.name, AGGREGATE.c.metadata)
_SOME = _ALL.where(AGGREGATE.c.uuid.in_(bindparam("uuids", expanding=True)))
_HOSTS = select(AGGREGATE_HOST.c.aggregate_id, AGGREGATE_HOST.c.host)
_HOSTS_OF = _HOSTS.where(AGGREGATE_HOST.c.aggregate_id.in_(bindparam("ids", expanding=True)))
_METADATA_OF = (
    select(AGGREGATE.c.metadata)
    .join(AGGREGATE_HOST, AGGREGATE_HOST.c.aggregate_id == AGGREGATE.c.id)
    .where(AGGREGATE_HOST.c.host == bindparam("member"))
    .order_by(AGGREGATE.c.id)
)
_NAMED = select(AGGREGATE.c.uuid).where(AGGREGATE.c.name == bindparam("named"))
_INSERT = insert(AGGREGATE)
_UPDATE = update(AGGREGATE).where(AGGREGATE.c.id == bindparam("number"))
_DELETE = delete(AGGREGATE).where(AGGREGATE.c.id == bindparam("number"))
_ENTER = insert(AGGREGATE_HOST)
_LEAVE = delete(AGGREGATE_HOST).where(
    AGGREGATE_HOST.c.aggregate_id == bindparam("number"),
    AGGREGATE_HOST.c.host == bindparam("gone"),
)


class SqlAggregates:
    """An `AggregateWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def aggregate(self, uuid: AggregateId) -> Aggregate | None:
        found = self.aggregates(frozenset({uuid}))
        return found[0] if found else None

    def aggregates(self, uuids: frozenset[AggregateId] | None = None) -> tuple[Aggregate, ...]:
        with self._store.reading() as connection:
            return _read(connection, uuids)

    def metadata_of(self, host: HostName) -> tuple[FrozenMap[str, str], ...]:
        with self._store.reading(one_statement=True) as connection:
            found = connection.execute(_METADATA_OF, {"member": host}).scalars().all()
        return tuple(decode(metadata, FrozenMap[str, str]) for metadata in found)

    def create_aggregate(
        self,
        tx: Tx,
        uuid: AggregateId,
        name: str,
        metadata: FrozenMap[str, str] = FrozenMap(),
    ) -> Aggregate:
        connection = self._store.connection(tx)
        if _read(connection, frozenset({uuid})):
            raise AlreadyExists("aggregate", uuid)
        _check_name(connection, uuid, name)
        row = {"uuid": uuid, "name": name, "metadata": encode(metadata)}
        number = connection.execute(_INSERT.returning(AGGREGATE.c.id), row).scalar_one()
        tx.changed(AGGREGATE_CHANGED, uuid)
        return Aggregate(number, uuid, name, metadata)

    def put_aggregate(self, tx: Tx, aggregate: Aggregate) -> None:
        connection = self._store.connection(tx)
        before = next(iter(_read(connection, frozenset({aggregate.uuid}))), None)
        if before is None:
            raise NotFound("aggregate", aggregate.uuid)
        _check_name(connection, aggregate.uuid, aggregate.name)
        if before == aggregate:
            return
        row = {"name": aggregate.name, "metadata": encode(aggregate.metadata)}
        connection.execute(_UPDATE.values(row), {"number": before.id})
        entered = [
            {"aggregate_id": before.id, "host": host} for host in aggregate.hosts - before.hosts
        ]
        left = [{"number": before.id, "gone": host} for host in before.hosts - aggregate.hosts]
        if entered:
            connection.execute(_ENTER, entered)
        if left:
            connection.execute(_LEAVE, left)
        tx.changed(AGGREGATE_CHANGED, aggregate.uuid)

    def delete_aggregate(self, tx: Tx, uuid: AggregateId) -> None:
        connection = self._store.connection(tx)
        before = next(iter(_read(connection, frozenset({uuid}))), None)
        if before is None:
            return
        if before.hosts:
            count = len(before.hosts)
            by = f"{count} hosts" if count > 1 else f"host {min(before.hosts)}"
            raise InUse("aggregate", uuid, by)
        connection.execute(_DELETE, {"number": before.id})
        tx.changed(AGGREGATE_CHANGED, uuid)


def _check_name(connection: Connection, uuid: AggregateId, name: str) -> None:
    owner = connection.execute(_NAMED, {"named": name}).scalar_one_or_none()
    if owner not in (None, uuid):
        raise AlreadyExists("aggregate name", name)


def _read(connection: Connection, uuids: frozenset[AggregateId] | None) -> tuple[Aggregate, ...]:
    if uuids is None:
        rows = connection.execute(_ALL).all()
        members = connection.execute(_HOSTS).all()
    else:
        rows = [
            row
            for some in chunks(uuids)
            for row in connection.execute(_SOME, {"uuids": some}).all()
        ]
        members = [
            member
            for some in chunks([row[0] for row in rows])
            for member in connection.execute(_HOSTS_OF, {"ids": some}).all()
        ]
    hosts: dict[int, set[HostName]] = {}
    for number, host in members:
        hosts.setdefault(number, set()).add(HostName(host))
    found = (
        Aggregate(
            id=number,
            uuid=AggregateId(uuid),
            name=name,
            metadata=decode(metadata, FrozenMap[str, str]),
            hosts=frozenset(hosts.get(number, ())),
        )
        for number, uuid, name, metadata in rows
    )
    return tuple(sorted(found, key=lambda aggregate: aggregate.id))
