"""What operations work with: one value that holds every port."""

import random
from collections.abc import Callable
from typing import TypeVar

import attrs

from computekit.agent import HostClient
from computekit.clock import Clock
from computekit.compute.ports import InstanceWriter
from computekit.errors import NotFound
from computekit.guest import HostDefaults
from computekit.ids import InstanceId, OperationId, new_uuid
from computekit.journal import Journal, Operation, OperationKind, new_operation
from computekit.model import MOST_MEMBERS, Instance
from computekit.placement import PlacementWriter
from computekit.scheduler import AggregateWriter, Books, CellWriter, HostWriter, Scheduler
from computekit.scheduler.group_claims import GroupSlots
from computekit.virt.ports import ImageSource
from computekit.work import Store, Tx

__all__ = ["Services"]

P = TypeVar("P")

_GIVES_WAY = frozenset({"instance.observe"})
"""Kinds that nobody has asked for, and that nobody who asks for something waits for."""


@attrs.frozen
class Services:
    """The ports of one service; all that write share `store`.

    Attributes:
        store: commits.
        instances: their rows.
        placement: the books of resources.
        hosts: their rows.
        journal: operations.
        scheduler: chooses hosts; its index follows `store`.
        client: asks hosts.
        images: what instances boot.
        defaults: what a guest gets where flavor and image are silent.
        clock: time.
        random: ids.
        aggregates: of hosts.
        cells: what instances hold of NUMA nodes.
        slots: the server groups, and what their members take along with a claim.
        most_members: that a server group may have.
    """

    store: Store
    instances: InstanceWriter
    placement: PlacementWriter
    hosts: HostWriter
    journal: Journal
    scheduler: Scheduler
    client: HostClient
    images: ImageSource
    defaults: HostDefaults
    clock: Clock
    random: random.Random
    aggregates: AggregateWriter
    cells: CellWriter
    slots: GroupSlots
    most_members: int = MOST_MEMBERS

    @property
    def books(self) -> Books:
        """Where claims are written."""
        default_zone = self.scheduler.policy.default_zone
        return Books(self.placement, self.slots, self.cells, default_zone)

    def submit(
        self,
        kind: OperationKind[P],
        params: P,
        subject: str,
        *,
        also: Callable[[Tx], None] | None = None,
        preempt: str | None = None,
    ) -> Operation:
        """Write down an operation, and what `also` writes, in one transaction.

        Args:
            kind: of the operation.
            params: of the operation.
            subject: what it works on.
            also: writes what must be there with it.
            preempt: why the live operation of the subject, if any, is to end; None leaves it,
                unless it is one that nobody has asked for.

        Raises:
            OperationInProgress: the subject has a live operation, and `preempt` is None.
        """
        live = self.journal.live(subject)
        if preempt is None and live is not None and live.kind in _GIVES_WAY:
            preempt = f"{kind.name} is wanted"
        operation = self.operation(kind, params, subject)

        def write(tx: Tx) -> Operation:
            if also is not None:
                also(tx)
            return self.journal.submit(tx, operation, preempt)

        return self.store.write(write)

    def operation(self, kind: OperationKind[P], params: P, subject: str) -> Operation:
        """Return the row of a new operation, for who submits it in a transaction of its own."""
        return new_operation(
            kind, params, subject, OperationId(new_uuid(self.random)), self.clock.wall_s()
        )

    def existing(self, instance: InstanceId) -> Instance:
        """Return an instance.

        Raises:
            NotFound: there is none.
        """
        row = self.instances.instance(instance)
        if row is None:
            raise NotFound("instance", instance)
        return row
