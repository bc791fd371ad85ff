"""The fleet in columns: what a scheduler needs of every host, without an object per host.

Rows are hosts, in the order of their names, so that the first of equals is the first by name. A
change of a host's values patches its row and is remembered, so that whoever keeps something
derived can follow row by row; a host that comes or goes lays the rows out anew.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from computekit.errors import NotFound
from computekit.ids import AggregateId, HostName, ProviderId
from computekit.model import (
    Aggregate,
    FrozenMap,
    Inventory,
    ResourceClass,
    Resources,
    TopologyLevels,
    Trait,
)
from computekit.placement.columns import BoolArray, Coded, Cow, Members, ResourceColumn, relaid
from computekit.placement.figures import Figures
from computekit.placement.flat_use import flat_use
from computekit.placement.fleet_source import FleetSource
from computekit.placement.groups import Groups
from computekit.placement.host_aggregates import HostAggregates, Values
from computekit.placement.host_cells import HostCells
from computekit.placement.host_view import LABELS, HostRow, HostView, labels_of, used_further
from computekit.placement.ports import ProviderUse
from computekit.placement.row_log import RowLog
from computekit.topology import HostTopology

__all__ = ["FleetIndex"]

_ZONES = TopologyLevels()


class FleetIndex:
    """All hosts in columns; the one mutable thing of a scheduler.

    Every read of columns and every write happens under `lock`. Write through the methods only.

    Attributes:
        lock: re-entrant.
        epoch: raised by each change.
        layout: raised when rows were renumbered.
        standing: raised by each change but those that only take or give back amounts.
        resources: by class.
        labels: words by name of the label.
        disabled: why a host takes nothing new; None while it is enabled.
        up: whether a host's agent answers.
        nested: whether a host has several providers.
        root_traits: traits of the root.
        deep_traits: traits of any provider below the root.
        root_aggregates: aggregates of the root.
        deep_aggregates: aggregates of any provider below the root.
        aggregates: those that the Compute API knows, and what they say of each row.
        groups: server groups and where their members are; whoever writes it raises `epoch`.
        cells: the NUMA nodes of each host, with what is taken of them.
        figures: `instances`, `io_ops`, `failed_builds`, `hypervisor_version` ... and any metric.
    """

    def __init__(
        self, source: FleetSource | None = None, *, levels: TopologyLevels = _ZONES
    ) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.epoch: int = 0
        self.layout: int = 0
        self.standing: int = 0
        self.resources: dict[ResourceClass, ResourceColumn] = {}
        self.labels: dict[str, Coded[str | None]] = {name: Coded(None, 0) for name in LABELS}
        self.disabled: Coded[str | None] = Coded(None, 0)
        self.root_traits: Members[Trait] = Members(0)
        self.deep_traits: Members[Trait] = Members(0)
        self.root_aggregates: Members[AggregateId] = Members(0)
        self.deep_aggregates: Members[AggregateId] = Members(0)
        self.aggregates: HostAggregates = HostAggregates(0)
        self.cells: HostCells = HostCells(0)
        self.figures: Figures = Figures(0)
        self.groups: Groups = Groups(levels)
        self._source = source
        self._up: Cow[BoolArray] = Cow(np.zeros(0, dtype=np.bool_))
        self._nested: Cow[BoolArray] = Cow(np.zeros(0, dtype=np.bool_))
        # Replaced, never changed, so that copies may share them.
        self._names: list[HostName] = []
        self._roots: list[ProviderId] = []
        self._homes: Cow[dict[ProviderId, HostName]] = Cow({})
        self._trees: Cow[dict[HostName, tuple[ProviderUse, ...]]] = Cow({})
        self._log = RowLog()

    @classmethod
    def from_columns(
        cls,
        names: Sequence[HostName],
        inventories: Mapping[ResourceClass, Inventory | tuple[npt.ArrayLike, Inventory]],
        *,
        providers: Sequence[ProviderId] | None = None,
        used: Mapping[ResourceClass, npt.ArrayLike] | None = None,
        traits: Mapping[Trait, npt.ArrayLike] | None = None,
        aggregates: Mapping[AggregateId, npt.ArrayLike] | None = None,
        labels: Mapping[str, Sequence[str | None]] | None = None,
        figures: Mapping[str, npt.ArrayLike] | None = None,
    ) -> "FleetIndex":
        """Return an index of hosts with one provider each, made from whole columns.

        Args:
            names: of the hosts, in ascending order.
            inventories: by class, what every host has; with an array, each host's capacity, and
                the inventory gives the units only.
            providers: the root provider of each host; without it, the host's name.
            used: by class, what is allocated on each host.
            traits: by trait, which hosts have it.
            aggregates: by aggregate, which hosts belong to it.
            labels: `zone`, `arch` ...: the word of each host.
            figures: `instances`, `io_ops` ...: the number of each host.

        Raises:
            ValueError: names are not ascending, or a column has another length.
        """
        index = cls()
        count = len(names)
        if any(a >= b for a, b in pairwise(names)):
            raise ValueError("names must be ascending and unique")
        roots = [ProviderId(n) for n in names] if providers is None else list(providers)
        if len(roots) != count:
            raise ValueError("there must be one provider for each name")
        index._lay_out(list(names), roots, np.full(count, -1, dtype=np.int64))
        index._homes = Cow(dict(zip(roots, names, strict=True)))
        index._up.own()[:] = True
        for name, given in inventories.items():
            column = index.resources[name] = ResourceColumn(count)
            amounts, inventory = given if isinstance(given, tuple) else (given.capacity, given)
            column.fill(amounts, (used or {}).get(name, 0), inventory)
        for trait, held in (traits or {}).items():
            index.root_traits.set_all(trait, np.asarray(held, dtype=np.bool_))
        for aggregate, held in (aggregates or {}).items():
            index.root_aggregates.set_all(aggregate, np.asarray(held, dtype=np.bool_))
        for label, words in (labels or {}).items():
            index._label(label).set_all(words)
        for figure, numbers in (figures or {}).items():
            index.figures.set_all(figure, numbers)
        return index

    def copy(self) -> "FleetIndex":
        """Return a copy to ask "what if": it shares memory until one side writes, follows nothing.

        Costs a few microseconds, whatever the size of the fleet.
        """
        with self.lock:
            other = FleetIndex()
            other.epoch, other.layout, other.standing = self.epoch, self.layout, self.standing
            other.resources = {name: column.fork() for name, column in self.resources.items()}
            other.labels = {name: column.fork() for name, column in self.labels.items()}
            other.disabled = self.disabled.fork()
            other.root_traits, other.deep_traits = self.root_traits.fork(), self.deep_traits.fork()
            other.root_aggregates = self.root_aggregates.fork()
            other.deep_aggregates = self.deep_aggregates.fork()
            other.aggregates, other.figures = self.aggregates.fork(), self.figures.fork()
            other.groups, other.cells = self.groups.fork(), self.cells.fork()
            other._up, other._nested = self._up.fork(), self._nested.fork()
            other._names, other._roots = self._names, self._roots
            other._homes, other._trees = self._homes.fork(), self._trees.fork()
            return other

    # Reading

    def refresh(self) -> None:
        """Bring the index up to what is committed; an index that follows nothing stays as it is.

        Raises:
            StoreUnavailable: the source cannot be read; the index is as it was.
        """
        if self._source is not None:
            with self.lock:
                self._source.bring(self)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> Sequence[HostName]:
        """The hosts by row."""
        return self._names

    @property
    def up(self) -> BoolArray:
        """Whether the agent of each host answers."""
        return self._up.value

    @property
    def nested(self) -> BoolArray:
        """Whether each host has several providers."""
        return self._nested.value

    @property
    def any_nested(self) -> bool:
        """Whether some host has several providers."""
        return bool(self._trees.value)

    def row(self, name: HostName) -> int | None:
        """Return the row of a host, or None if it is not there."""
        row = bisect_left(self._names, name)
        return row if row < len(self._names) and self._names[row] == name else None

    def root(self, row: int) -> ProviderId:
        """Return the root provider of a row."""
        return self._roots[row]

    def home(self, provider: ProviderId) -> HostName | None:
        """Return the host whose tree has `provider`, or None."""
        return self._homes.value.get(provider)

    def tree(self, row: int) -> tuple[ProviderUse, ...]:
        """Return the providers of a row with what is used of them, the root first.

        For a host with one provider it is put together from the columns.
        """
        name = self._names[row]
        found = self._trees.value.get(name)
        if found is not None:
            return found
        traits, aggregates = self.root_traits.of(row), self.root_aggregates.of(row)
        return (flat_use(self._roots[row], name, self.resources, row, traits, aggregates),)

    def metadata(self, key: str) -> Coded[Values]:
        """Return the values that the aggregates of each row have of a key."""
        return self.aggregates.column(key)

    def view(self, row: int) -> HostView:
        """Return everything that is known of a row."""
        labels = {name: column[row] for name, column in self.labels.items()}
        held = {n: c for n, c in self.resources.items() if c.units[row].rules}
        return HostView(
            name=self._names[row],
            up=bool(self.up[row]),
            disabled=self.disabled[row],
            labels=FrozenMap({name: word for name, word in labels.items() if word is not None}),
            capacity=FrozenMap({n: int(c.capacity.value[row]) for n, c in held.items()}),
            free=FrozenMap({n: int(c.free.value[row]) for n, c in held.items()}),
            traits=self.root_traits.of(row),
            providers=self.tree(row),
            metadata=FrozenMap(self.aggregates.values(row)),
            figures=FrozenMap(self.figures.values(row)),
        )

    # Following

    @property
    def version(self) -> int:
        """How many changes of rows there have been since the index was made."""
        return self._log.version

    def changed_since(self, version: int) -> npt.NDArray[np.intp] | None:
        """Return the rows changed after `version`, maybe repeated; None if no longer known.

        Good only while `layout` is the same.
        """
        return self._log.since(version)

    def _changed(self, row: int, *, amounts_only: bool = False) -> None:
        self.epoch += 1
        if not amounts_only:
            self.standing += 1
        self._log.append(row)

    # Writing

    def put(self, hosts: Iterable[tuple[HostRow, Sequence[ProviderUse]]]) -> None:
        """Write hosts, new or not, each with the providers of its tree, parents first."""
        with self.lock:
            given = {host.name: (host, tuple(uses)) for host, uses in hosts}
            new = [name for name in given if self.row(name) is None]
            if new:
                self._rename(sorted([*self._names, *new]))
            for name, (host, uses) in given.items():
                self._put(name, host, uses)

    def remove(self, names: Iterable[HostName]) -> None:
        """Forget hosts; those that are not there are passed over."""
        with self.lock:
            gone = {name for name in names if self.row(name) is not None}
            if not gone:
                return
            homes, trees = self._homes.own(), self._trees.own()
            self.cells.forget(gone)
            for name in gone:
                for provider in self.providers(self._there(name)):
                    homes.pop(provider, None)
                trees.pop(name, None)
            self._rename([name for name in self._names if name not in gone])

    def put_host(self, host: HostRow) -> None:
        """Write status and labels of a host that is there, and leave its providers."""
        with self.lock:
            row = self._there(host.name)
            self._put_status(row, host)
            self._changed(row)

    def put_tree(self, name: HostName, uses: Sequence[ProviderUse]) -> None:
        """Write the providers of a host that is there, the root first."""
        with self.lock:
            row = self._there(name)
            self._put_tree(row, tuple(uses))
            self._changed(row)

    def set_status(self, name: HostName, *, disabled: str | None, up: bool) -> None:
        """Write the status of a host that is there."""
        with self.lock:
            row = self._there(name)
            self.disabled.set(row, disabled)
            self._up.own()[row] = up
            self._changed(row)

    def set_figures(self, name: HostName, figures: Mapping[str, float]) -> None:
        """Write some figures of a host that is there."""
        with self.lock:
            row = self._there(name)
            self.figures.set(row, figures)
            self._changed(row)

    def put_aggregates(self, aggregates: Iterable[Aggregate]) -> None:
        """Write aggregates of hosts, new or not; their hosts need not be there yet."""
        with self.lock:
            self._regroup(self.aggregates.put(aggregates))

    def remove_aggregates(self, uuids: Iterable[AggregateId]) -> None:
        """Forget aggregates of hosts; those that are not there are passed over."""
        with self.lock:
            self._regroup(self.aggregates.remove(uuids))

    def _regroup(self, hosts: Iterable[HostName]) -> None:
        for name in hosts:
            row = self.row(name)
            if row is not None:
                self.aggregates.write(row, name)
                self._changed(row)

    def put_cells(self, name: HostName, topology: HostTopology) -> None:
        """Write the NUMA nodes of a host that is there."""
        with self.lock:
            self.cells.put(self._there(name), name, topology)
            self._changed(self._there(name), amounts_only=True)

    def apply_claim(
        self,
        resources: Mapping[ProviderId, Resources],
        figures: Mapping[str, float] | None = None,
    ) -> None:
        """Count what a claim took, before the source says so; nothing is checked.

        Args:
            resources: by provider.
            figures: what the claim adds to figures of each host that it touches.

        Raises:
            NotFound: a provider is not in the index; nothing was counted.
        """
        with self.lock:
            self._take(resources, 1)
            if figures:
                for row in {self.row(self._homes.value[provider]) for provider in resources}:
                    assert row is not None
                    self.figures.add(row, figures)

    def apply_release(self, resources: Mapping[ProviderId, Resources]) -> None:
        """Count what was given back, before the source says so.

        Raises:
            NotFound: a provider is not in the index; nothing was counted.
        """
        self._take(resources, -1)

    def _take(self, resources: Mapping[ProviderId, Resources], sign: int) -> None:
        with self.lock:
            homes = self._homes.value
            for provider in resources:
                if provider not in homes:
                    raise NotFound("provider", provider)
            for provider, amounts in resources.items():
                name = homes[provider]
                row = self._there(name)
                tree = self._trees.value.get(name)
                if tree is None:
                    self.take(row, amounts, sign)
                else:
                    after = tuple(used_further(u, provider, amounts, sign) for u in tree)
                    self._put_tree(row, after)
                    self._changed(row, amounts_only=True)

    def take(self, row: int, amounts: Resources, sign: int = 1) -> None:
        """Count what was taken (or, with -1, given back) of a row with one provider.

        For whoever holds the lock and knows the row; nothing is checked.
        """
        for resource_class, amount in amounts.items():
            self.resources[resource_class].take(row, sign * amount)
        self._changed(row, amounts_only=True)

    def _there(self, name: HostName) -> int:
        row = self.row(name)
        if row is None:
            raise NotFound("host", name)
        return row

    def _put(self, name: HostName, host: HostRow, uses: tuple[ProviderUse, ...]) -> None:
        row = self._there(name)
        if self._roots[row] != host.provider:
            homes = self._homes.own()
            for provider in self.providers(row):
                homes.pop(provider, None)
            self._roots = [*self._roots]
            self._roots[row] = host.provider
        self._put_status(row, host)
        self._put_tree(row, uses)
        self.aggregates.write(row, name)
        self._changed(row)

    def _put_status(self, row: int, host: HostRow) -> None:
        self.disabled.set(row, host.disabled)
        if self.up[row] != host.up:
            self._up.own()[row] = host.up
        for label, word in labels_of(host).items():
            self._label(label).set(row, word)
        self.figures.set(row, {"hypervisor_version": host.facts.hypervisor_version})

    def _put_tree(self, row: int, uses: tuple[ProviderUse, ...]) -> None:
        name = self._names[row]
        before = self.providers(row)
        # The root is known even before its provider is written: that is how it will be found.
        after = {self._roots[row], *(use.provider.id for use in uses)}
        if before != after or any(self._homes.value.get(p) != name for p in after):
            homes = self._homes.own()
            for provider in before - after:
                homes.pop(provider, None)
            homes.update(dict.fromkeys(after, name))
        if len(uses) > 1:
            self._trees.own()[name] = uses
        elif name in self._trees.value:
            del self._trees.own()[name]
        if self.nested[row] != (len(uses) > 1):
            self._nested.own()[row] = len(uses) > 1
        held: dict[ResourceClass, list[tuple[Inventory, int]]] = {}
        for use in uses:
            for resource_class, inventory in use.provider.inventories.items():
                amount = use.used.get(resource_class, 0)
                held.setdefault(resource_class, []).append((inventory, amount))
        for resource_class in held.keys() - self.resources.keys():
            self.resources[resource_class] = ResourceColumn(len(self))
        for resource_class, column in self.resources.items():
            column.set(row, held.get(resource_class, ()))
        root, deep = uses[:1], uses[1:]
        self.root_traits.set(row, (t for u in root for t in u.provider.traits))
        self.deep_traits.set(row, (t for u in deep for t in u.provider.traits))
        self.root_aggregates.set(row, (a for u in root for a in u.provider.aggregates))
        self.deep_aggregates.set(row, (a for u in deep for a in u.provider.aggregates))

    def providers(self, row: int) -> set[ProviderId]:
        """Return the ids of all providers of a row; its root even before that is written."""
        tree = self._trees.value.get(self._names[row], ())
        return {self._roots[row], *(use.provider.id for use in tree)}

    def _label(self, name: str) -> Coded[str | None]:
        column = self.labels.get(name)
        if column is None:
            column = self.labels[name] = Coded(None, len(self))
        return column

    def _rename(self, names: list[HostName]) -> None:
        """Lay the rows out anew for `names`, ascending."""
        old = {name: row for row, name in enumerate(self._names)}
        source = np.fromiter((old.get(name, -1) for name in names), np.int64, len(names))
        roots = [self._roots[row] if row >= 0 else ProviderId("") for row in source.tolist()]
        self._lay_out(names, roots, source)

    def _lay_out(
        self, names: list[HostName], roots: list[ProviderId], source: npt.NDArray[np.int64]
    ) -> None:
        self._names, self._roots = names, roots
        for column in self.resources.values():
            column.relay(source)
        for label in (*self.labels.values(), self.disabled):
            label.relay(source)
        for traits in (self.root_traits, self.deep_traits):
            traits.relay(source)
        for aggregates in (self.root_aggregates, self.deep_aggregates):
            aggregates.relay(source)
        self.aggregates.relay(source)
        self.cells.relay(source)
        self.figures.relay(source)
        self._up = Cow(relaid(self.up, source, 0))
        self._nested = Cow(relaid(self.nested, source, 0))
        self._log.forget()
        self.layout += 1
        self.epoch += 1
