"""Instances in memory."""

from computekit.errors import AlreadyExists, GenerationConflict
from computekit.guest import GuestConfig
from computekit.ids import HostName, InstanceId, ServerGroupId
from computekit.model import Instance, InstanceState
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

    def add_instance(self, tx: Tx, instance: Instance) -> None:
        """Do what `InstanceWriter.add_instance` says."""
        if instance.id in self._instances:
            raise AlreadyExists("instance", instance.id)
        self._store.transaction(tx).on_rollback(lambda: self._instances.__delitem__(instance.id))
        self._instances[instance.id] = instance

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
        self._instances[after.id] = after

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

        def undo() -> None:
            if row is not None:
                self._instances[instance] = row
            if guest is not None:
                self._guests[instance] = guest

        self._store.transaction(tx).on_rollback(undo)
