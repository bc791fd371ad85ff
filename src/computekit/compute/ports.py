"""Where instances are kept."""

from typing import Protocol

from computekit.guest import GuestConfig
from computekit.ids import HostName, InstanceId, ServerGroupId
from computekit.model import Instance
from computekit.work import Tx

__all__ = ["InstanceReader", "InstanceWriter"]


class InstanceReader(Protocol):
    """Reads; each call sees every earlier commit."""

    def instance(self, instance: InstanceId) -> Instance | None:
        """Return an instance, deleted or not, or None."""
        ...

    def instances(
        self,
        *,
        host: HostName | None = None,
        name: str | None = None,
        group: ServerGroupId | None = None,
        deleted: bool = False,
    ) -> tuple[Instance, ...]:
        """Return instances by age, oldest first.

        Args:
            host: only those that are on this host.
            name: only those of this name.
            group: only the members of this one.
            deleted: deleted ones too.
        """
        ...

    def guest(self, instance: InstanceId) -> GuestConfig | None:
        """Return what the guest was promised when it was placed; None before that."""
        ...


class InstanceWriter(InstanceReader, Protocol):
    """Writes; each belongs to a transaction."""

    def add_instance(self, tx: Tx, instance: Instance) -> None:
        """Write a new instance.

        Raises:
            AlreadyExists: the id is taken.
        """
        ...

    def change_instance(self, tx: Tx, before: Instance, after: Instance) -> None:
        """Write `after` over the row that is as `before`.

        Raises:
            GenerationConflict: state, host or epoch are not as in `before`; the numbers in it are
                the epochs.
        """
        ...

    def put_guest(self, tx: Tx, instance: InstanceId, guest: GuestConfig) -> None:
        """Write what the guest is promised."""
        ...

    def remove_instance(self, tx: Tx, instance: InstanceId) -> None:
        """Forget an instance, and what it was promised; nothing happens if there is none."""
        ...
