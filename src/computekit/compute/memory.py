"""Instances in memory."""

from collections.abc import Mapping

import attrs

from computekit.errors import AlreadyExists, GenerationConflict
from computekit.guest import GuestConfig
from computekit.ids import HostName, InstanceId, ServerGroupId
from computekit.model import Image, Instance, InstanceState
from computekit.scheduler import load_changed, load_figures
from computekit.work import MemoryStore, Tx

__all__ = ["MemoryInstances"]


class MemoryInstances:
    """`InstanceWriter` over dictionaries, in the transactions of a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._instances: dict[InstanceId, Instance] = {}
        self._guests: dict[InstanceId, GuestConfig] = {}

    def instance(self, instance: InstanceId) -> Instance | None:
        """Return what `InstanceReader.instance` says."""
        with self._store.lock:
            return self._instances.get(instance)

    def instances(
        self,
        *,
        host: HostName | None = None,
        name: str | None = None,
        group: ServerGroupId | None = None,
        deleted: bool = False,
    ) -> tuple[Instance, ...]:
        """Return what `InstanceReader.instances` says."""
        with self._store.lock:
            found = [
                row
                for row in self._instances.values()
                if (host is None or row.host == host)
                and (name is None or row.name == name)
                and (group is None or row.group == group)
                and (deleted or row.state is not InstanceState.DELETED)
            ]
        return tuple(sorted(found, key=lambda row: (row.created_s, row.id)))

    def guest(self, instance: InstanceId) -> GuestConfig | None:
        """Return what `InstanceReader.guest` says."""
        with self._store.lock:
            return self._guests.get(instance)

    def loads(
        self, hosts: frozenset[HostName] | None = None
    ) -> Mapping[HostName, Mapping[str, float]]:
        """Return what `LoadReader.loads` says."""
        with self._store.lock:
            rows = [row for row in self._instances.values() if row.host is not None]
        counts: dict[HostName, list[tuple[InstanceState, Image, int]]] = {}
        for row in rows:
            if row.host is not None and (hosts is None or row.host in hosts):
                counts.setdefault(row.host, []).append((row.state, row.image, 1))
        return {host: load_figures(found) for host, found in counts.items()}

    def add_instance(self, tx: Tx, instance: Instance) -> None:
        """Do what `InstanceWriter.add_instance` says."""
        if instance.id in self._instances:
            raise AlreadyExists("instance", instance.id)
        self._store.transaction(tx).on_rollback(lambda: self._instances.__delitem__(instance.id))
        self._instances[instance.id] = instance
        load_changed(tx, None, (instance.host, instance.state))

    def change_instance(self, tx: Tx, before: Instance, after: Instance) -> None:
        """Do what `InstanceWriter.change_instance` says."""
        now = self._instances.get(before.id)
        if now is None or (now.state, now.host, now.epoch) != (
            before.state,
            before.host,
            before.epoch,
        ):
            actual = None if now is None else now.epoch
            raise GenerationConflict("instance", before.id, before.epoch, actual)
        self._store.transaction(tx).on_rollback(lambda: self._instances.update({now.id: now}))
        old, new = attrs.asdict(before, recurse=False), attrs.asdict(after, recurse=False)
        changed = {field: value for field, value in new.items() if value != old[field]}
        self._instances[now.id] = attrs.evolve(now, **changed)
        load_changed(tx, (now.host, now.state), (after.host, after.state))

    def put_guest(self, tx: Tx, instance: InstanceId, guest: GuestConfig) -> None:
        """Do what `InstanceWriter.put_guest` says."""
        before = self._guests.get(instance)

        def undo() -> None:
            if before is None:
                self._guests.pop(instance, None)
            else:
                self._guests[instance] = before

        self._store.transaction(tx).on_rollback(undo)
        self._guests[instance] = guest

    def remove_instance(self, tx: Tx, instance: InstanceId) -> None:
        """Do what `InstanceWriter.remove_instance` says."""
        row, guest = self._instances.pop(instance, None), self._guests.pop(instance, None)
        if row is not None:
            load_changed(tx, (row.host, row.state), None)

        def undo() -> None:
            if row is not None:
                self._instances[instance] = row
            if guest is not None:
                self._guests[instance] = guest

        self._store.transaction(tx).on_rollback(undo)
