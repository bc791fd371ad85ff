"""How an index follows the rows of hosts, providers, aggregates and server groups."""

from collections.abc import Collection, Iterable
from itertools import groupby
from operator import attrgetter

import attrs

from computekit.ids import AggregateId, ConsumerId, HostName, ProviderId, ServerGroupId
from computekit.model import ServerGroup
from computekit.placement import (
    COUNTERS_CHANGED,
    PROVIDER_CHANGED,
    CounterHold,
    FleetIndex,
    PlacementReader,
    ProviderUse,
)
from computekit.scheduler.aggregates import AGGREGATE_CHANGED, AggregateReader
from computekit.scheduler.cells import CELLS_CHANGED, CellReader, write_cells
from computekit.scheduler.groups import GROUP_CHANGED, GroupReader
from computekit.scheduler.hosts import HOST_CHANGED, Host, HostReader
from computekit.scheduler.loads import LOAD_CHANGED, LoadReader, write_loads
from computekit.work import Change, Store

__all__ = ["FleetFollower"]


class FleetFollower:
    """Reads what was committed since the last time, and nothing else.

    Everything is read before anything is written to the index. Rows may be newer than the head
    that was seen; they are then read once more, with the same result.

    Args:
        store: whose commits are followed.
        placement: the providers.
        hosts: the hosts.
        aggregates: the aggregates of hosts; without it there are none.
        groups: the server groups; without it there are none.
        cells: what is held of NUMA nodes; without it nothing is.
        loads: what instances make of figures; without it they are not known.
    """

    def __init__(
        self,
        store: Store,
        placement: PlacementReader,
        hosts: HostReader,
        aggregates: AggregateReader | None = None,
        groups: GroupReader | None = None,
        cells: CellReader | None = None,
        loads: LoadReader | None = None,
    ) -> None:
        self._store = store
        self._placement = placement
        self._hosts = hosts
        self._aggregates = aggregates
        self._groups = groups
        self._cells = cells
        self._loads = loads
        self._head: int | None = None

    def bring(self, index: FleetIndex) -> None:
        """Write into `index` what has changed; everything the first time, or after too long.

        Raises:
            StoreUnavailable: the rows cannot be read; the index is as it was.
        """
        head = self._store.head()
        if head == self._head:
            return
        news = None if self._head is None else self._store.changes(self._head)
        if news is None:
            self._reload(index)
            self._head = head
            return
        providers = frozenset(
            ProviderId(change.key) for change in news.changes if change.kind == PROVIDER_CHANGED
        )
        names = frozenset(
            HostName(change.key) for change in news.changes if change.kind == HOST_CHANGED
        )
        uuids = frozenset(
            AggregateId(change.key) for change in news.changes if change.kind == AGGREGATE_CHANGED
        )
        touched = names | {
            HostName(change.key) for change in news.changes if change.kind == CELLS_CHANGED
        }
        holds = self._cells.cell_holds(touched) if self._cells and touched else ()
        busy = names | {
            HostName(change.key) for change in news.changes if change.kind == LOAD_CHANGED
        }
        loads = self._loads.loads(busy) if self._loads and busy else {}
        aggregates = self._aggregates.aggregates(uuids) if self._aggregates and uuids else ()
        groups = self._read_groups(news.changes)
        read = self._update(index, providers, names) if providers or names else {}
        write_cells(index, touched, holds, {host.name: host.topology for host in read.values()})
        if uuids:
            index.remove_aggregates(uuids - {aggregate.uuid for aggregate in aggregates})
            index.put_aggregates(aggregates)
        if self._loads:
            write_loads(index, busy, loads)
        groups.write(index)
        self._head = news.head

    def _read_groups(self, changes: Iterable[Change] | None) -> "_Groups":
        """Read the groups, and the counters of consumers, that were written; all with None."""
        if self._groups is None:
            return _Groups()
        if changes is None:
            return _Groups(self._groups.groups(), self._placement.counted())
        named, members = set[ServerGroupId](), set[ConsumerId]()
        for change in changes:
            if change.kind == GROUP_CHANGED:
                named.add(ServerGroupId(change.key))
            elif change.kind == COUNTERS_CHANGED:
                members.add(ConsumerId(change.key))
        found = self._groups.groups(frozenset(named)) if named else ()
        holds = self._placement.counted(frozenset(members)) if members else ()
        return _Groups(found, holds, named, members)

    def _reload(self, index: FleetIndex) -> None:
        hosts = self._hosts.hosts()
        trees = _by_root(self._placement.uses())
        aggregates = self._aggregates.aggregates() if self._aggregates else ()
        known = {aggregate.uuid for aggregate in aggregates}
        groups = self._read_groups(None)
        with index.lock:
            index.groups.clear()
            groups.write(index)
        index.remove_aggregates([uuid for uuid in index.aggregates.all if uuid not in known])
        index.put_aggregates(aggregates)
        holds = self._cells.cell_holds() if self._cells else ()
        loads = self._loads.loads() if self._loads else {}
        index.remove(set(index.names) - {host.name for host in hosts})
        index.put((host, trees.get(host.provider, ())) for host in hosts)
        topologies = {host.name: host.topology for host in hosts}
        write_cells(index, topologies, holds, topologies)
        if self._loads:
            write_loads(index, topologies, loads)

    def _update(
        self, index: FleetIndex, providers: frozenset[ProviderId], names: frozenset[HostName]
    ) -> dict[HostName, Host]:
        hosts = {host.name: host for host in (self._hosts.hosts(names) if names else ())}
        read = self._placement.uses(providers) if providers else ()
        moved = [host for host in hosts.values() if not self._at_home(index, host)]
        touched = {use.root for use in read} | self._roots_of(index, providers)
        roots = {root for root in touched if index.home(root) is not None}
        roots |= {host.provider for host in moved}
        members = self._members(index, roots, read)
        if not members <= providers:
            read = self._placement.uses(members)
        trees = _by_root(read)

        index.remove(names - hosts.keys())
        index.put((host, trees.get(host.provider, ())) for host in moved)
        for host in hosts.values():
            if self._at_home(index, host):
                index.put_host(host)
        for root in roots:
            home = index.home(root)
            if home is not None:
                index.put_tree(home, trees.get(root, ()))
        return hosts

    def _members(
        self, index: FleetIndex, roots: Iterable[ProviderId], read: Iterable[ProviderUse]
    ) -> frozenset[ProviderId]:
        """Return every provider of these trees, as known to the index and as just read."""
        found = {use.provider.id for use in read if use.root in roots}
        for root in roots:
            home = index.home(root)
            row = None if home is None else index.row(home)
            if row is None:
                tree = self._placement.tree(root)
                found.update(provider.id for provider in tree or ())
            else:
                found.update(index.providers(row))
        return frozenset(found)

    @staticmethod
    def _at_home(index: FleetIndex, host: Host) -> bool:
        row = index.row(host.name)
        return row is not None and index.root(row) == host.provider

    @staticmethod
    def _roots_of(index: FleetIndex, providers: Iterable[ProviderId]) -> set[ProviderId]:
        homes = {home for provider in providers if (home := index.home(provider)) is not None}
        return {index.root(row) for home in homes if (row := index.row(home)) is not None}


@attrs.frozen
class _Groups:
    """Groups and counters as they were read; what was to be read and is not there has gone."""

    groups: tuple[ServerGroup, ...] = ()
    holds: tuple[CounterHold, ...] = ()
    named: Collection[ServerGroupId] = ()
    members: Collection[ConsumerId] = ()

    def write(self, index: FleetIndex) -> None:
        """Write them into an index."""
        if not (self.groups or self.holds or self.named or self.members):
            return
        with index.lock:
            into = index.groups
            for group in self.groups:
                into.put(group)
            for gone in {*self.named} - {group.id for group in self.groups}:
                into.remove(gone)
            for member, mine in groupby(self.holds, attrgetter("consumer")):
                into.place(member, mine)
            for member in {*self.members} - {hold.consumer for hold in self.holds}:
                into.place(member, ())
            index.epoch += 1


def _by_root(uses: Iterable[ProviderUse]) -> dict[ProviderId, list[ProviderUse]]:
    trees: dict[ProviderId, list[ProviderUse]] = {}
    for use in uses:
        trees.setdefault(use.root, []).append(use)
    return trees
