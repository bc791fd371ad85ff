"""The aggregates of hosts, as rows."""

from typing import Protocol

from computekit.errors import AlreadyExists, InUse, NotFound
from computekit.ids import AggregateId, HostName
from computekit.model import Aggregate, FrozenMap
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = ["AGGREGATE_CHANGED", "AggregateReader", "AggregateWriter", "MemoryAggregates"]

AGGREGATE_CHANGED = "aggregate"
"""`Change.kind` of an aggregate whose row, or members, were written; the key is its UUID."""


class AggregateReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def aggregate(self, uuid: AggregateId) -> Aggregate | None:
        """Return an aggregate, or None."""
        ...

    def aggregates(self, uuids: frozenset[AggregateId] | None = None) -> tuple[Aggregate, ...]:
        """Return these aggregates (all, with None), by id; those not there are left out."""
        ...

    def metadata_of(self, host: HostName) -> tuple[FrozenMap[str, str], ...]:
        """Return the metadata of each aggregate that a host belongs to, by the aggregates' ids."""
        ...


class AggregateWriter(AggregateReader, Protocol):
    """Writes; each belongs to a transaction."""

    def create_aggregate(
        self,
        tx: Tx,
        uuid: AggregateId,
        name: str,
        metadata: FrozenMap[str, str] = FrozenMap(),
    ) -> Aggregate:
        """Make an aggregate without hosts, and give it the next number.

        Raises:
            AlreadyExists: the UUID (kind `aggregate`) or the name (`aggregate name`) is taken.
        """
        ...

    def put_aggregate(self, tx: Tx, aggregate: Aggregate) -> None:
        """Replace name, metadata and hosts; replicas hear of it only if something differs.

        Raises:
            NotFound: there is none of this UUID.
            AlreadyExists: the name is taken.
        """
        ...

    def delete_aggregate(self, tx: Tx, uuid: AggregateId) -> None:
        """Remove an aggregate; nothing happens if there is none.

        Raises:
            InUse: it has hosts.
        """
        ...


class MemoryAggregates:
    """An `AggregateWriter` whose rows live as long as the process.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._rows: MemoryTable[AggregateId, Aggregate] = MemoryTable()
        self._last = 0

    def aggregate(self, uuid: AggregateId) -> Aggregate | None:
        with self._store.lock:
            return self._rows.rows.get(uuid)

    def aggregates(self, uuids: frozenset[AggregateId] | None = None) -> tuple[Aggregate, ...]:
        with self._store.lock:
            rows = self._rows.rows
            wanted = rows.keys() if uuids is None else uuids & rows.keys()
            return tuple(sorted((rows[uuid] for uuid in wanted), key=lambda row: row.id))

    def metadata_of(self, host: HostName) -> tuple[FrozenMap[str, str], ...]:
        return tuple(row.metadata for row in self.aggregates() if host in row.hosts)

    def create_aggregate(
        self,
        tx: Tx,
        uuid: AggregateId,
        name: str,
        metadata: FrozenMap[str, str] = FrozenMap(),
    ) -> Aggregate:
        mine = self._store.transaction(tx)
        if uuid in self._rows.rows:
            raise AlreadyExists("aggregate", uuid)
        self._check_name(uuid, name)
        self._last += 1
        made = Aggregate(self._last, uuid, name, metadata)
        self._rows.put(mine, uuid, made)
        tx.changed(AGGREGATE_CHANGED, uuid)
        return made

    def put_aggregate(self, tx: Tx, aggregate: Aggregate) -> None:
        mine = self._store.transaction(tx)
        before = self._rows.rows.get(aggregate.uuid)
        if before is None:
            raise NotFound("aggregate", aggregate.uuid)
        self._check_name(aggregate.uuid, aggregate.name)
        if before != aggregate:
            self._rows.put(mine, aggregate.uuid, aggregate)
            tx.changed(AGGREGATE_CHANGED, aggregate.uuid)

    def delete_aggregate(self, tx: Tx, uuid: AggregateId) -> None:
        mine = self._store.transaction(tx)
        before = self._rows.rows.get(uuid)
        if before is None:
            return
        if before.hosts:
            raise InUse("aggregate", uuid, _hosts(before.hosts))
        self._rows.remove(mine, uuid)
        tx.changed(AGGREGATE_CHANGED, uuid)

    def _check_name(self, uuid: AggregateId, name: str) -> None:
        if any(row.name == name and row.uuid != uuid for row in self._rows.rows.values()):
            raise AlreadyExists("aggregate name", name)


def _hosts(hosts: frozenset[HostName]) -> str:
    return f"{len(hosts)} hosts" if len(hosts) > 1 else f"host {min(hosts)}"
