"""What the aggregates of hosts say of each row: for each key, the values that hold there."""

from collections.abc import Iterable, KeysView, Mapping
from typing import TypeAlias

from computekit.ids import AggregateId, HostName
from computekit.model import Aggregate
from computekit.placement.columns import Coded, Cow, IntArray

__all__ = ["HostAggregates", "Values"]

Values: TypeAlias = frozenset[str]
"""The values of one key over the aggregates of one host, each as it was written."""

_NONE: Values = frozenset()


class HostAggregates:
    """Aggregates, and a column of values for each key of their metadata.

    Whoever changes an aggregate writes the rows of the hosts that are returned.
    """

    __slots__ = ("_columns", "_of_host", "_rows", "_values")

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._columns: dict[str, Coded[Values]] = {}
        self._values: Cow[dict[AggregateId, Aggregate]] = Cow({})
        self._of_host: Cow[dict[HostName, frozenset[AggregateId]]] = Cow({})

    def fork(self) -> "HostAggregates":
        """Return a copy that shares until written."""
        other = HostAggregates(self._rows)
        other._columns = {key: column.fork() for key, column in self._columns.items()}
        other._values, other._of_host = self._values.fork(), self._of_host.fork()
        return other

    def relay(self, source: IntArray) -> None:
        """Take the rows in a new order; new rows are to be written."""
        self._rows = len(source)
        for column in self._columns.values():
            column.relay(source)

    @property
    def all(self) -> Mapping[AggregateId, Aggregate]:
        """Every aggregate."""
        return self._values.value

    @property
    def keys(self) -> KeysView[str]:
        """The keys that some aggregate has, or had."""
        return self._columns.keys()

    def column(self, key: str) -> Coded[Values]:
        """Return the values of a key on each row; empty where no aggregate has it."""
        found = self._columns.get(key)
        return Coded(_NONE, self._rows) if found is None else found

    def of(self, host: HostName) -> tuple[Aggregate, ...]:
        """Return the aggregates that a host belongs to, by number."""
        uuids = self._of_host.value.get(host, frozenset[AggregateId]())
        return tuple(sorted((self.all[uuid] for uuid in uuids), key=lambda found: found.id))

    def values(self, row: int) -> dict[str, Values]:
        """Return the values of each key that holds on a row."""
        return {key: found for key, column in self._columns.items() if (found := column[row])}

    def put(self, aggregates: Iterable[Aggregate]) -> set[HostName]:
        """Write aggregates, new or not; return the hosts of which something else is said now."""
        touched: set[HostName] = set()
        for aggregate in aggregates:
            before = self.all.get(aggregate.uuid)
            if before != aggregate:
                touched |= self._replace(aggregate.uuid, before, aggregate)
        return touched

    def remove(self, uuids: Iterable[AggregateId]) -> set[HostName]:
        """Forget aggregates; return the hosts of which something else is said now."""
        touched: set[HostName] = set()
        for uuid in uuids:
            before = self.all.get(uuid)
            if before is not None:
                touched |= self._replace(uuid, before, None)
        return touched

    def _replace(
        self, uuid: AggregateId, before: Aggregate | None, after: Aggregate | None
    ) -> set[HostName]:
        old = frozenset[HostName]() if before is None else before.hosts
        new = frozenset[HostName]() if after is None else after.hosts
        values, of_host = self._values.own(), self._of_host.own()
        if after is None:
            del values[uuid]
        else:
            values[uuid] = after
            for key in after.metadata.keys() - self._columns.keys():
                self._columns[key] = Coded(_NONE, self._rows)
        for host in new - old:
            of_host[host] = of_host.get(host, frozenset()) | {uuid}
        for host in old - new:
            of_host[host] -= {uuid}
        same = before is not None and after is not None and before.metadata == after.metadata
        return set(old ^ new if same else old | new)

    def write(self, row: int, host: HostName) -> None:
        """Write what holds for a host into its row."""
        if not self._columns:
            return
        mine = [self.all[uuid].metadata for uuid in self._of_host.value.get(host, ())]
        for key, column in self._columns.items():
            column.set(row, frozenset(found[key] for found in mine if key in found) or _NONE)
