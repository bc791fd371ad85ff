"""Take off a host what is left there of an instance that has its place elsewhere, or none.

A host that does not answer keeps nobody waiting: who leaves it raises the instance's epoch and
writes, in the same transaction, what is owed there. That is an operation of its own, which ends
when the host has done it, or is no longer in the books.
"""

import attrs

from computekit.agent import Fence, HostInstances, RemoveInstance
from computekit.compute.services import Services
from computekit.ids import HostName, InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.work import Tx

__all__ = [
    "OrphanParams",
    "leave_behind",
    "orphan_kind",
    "orphan_subject",
    "remove_orphan",
    "remove_orphans",
]


@attrs.frozen
class OrphanParams:
    """What is left, and where.

    Attributes:
        host: that has it.
        instance: whose domain or files they are.
    """

    host: HostName
    instance: InstanceId


def orphan_subject(host: HostName, instance: InstanceId) -> str:
    """Return what the removal works on: an instance may have left something on several hosts."""
    return f"orphan:{host}:{instance}"


def leave_behind(services: Services, tx: Tx, host: HostName, instance: InstanceId) -> Operation:
    """Write, in the transaction that takes an instance's place away, what its host still owes."""
    subject = orphan_subject(host, instance)
    live = services.journal.live(subject)
    if live is not None:
        services.journal.wake(tx, subject)
        return live
    services.journal.forget(tx, subject)  # an earlier removal says nothing any more
    params = OrphanParams(host, instance)
    return services.journal.submit(tx, services.operation(orphan_kind(services), params, subject))


def remove_orphan(services: Services, host: HostName, instance: InstanceId) -> Operation | None:
    """Write down that what a host has of an instance is to go, or wake the operation that says so.

    Returns:
        The operation, or None where nothing is to go: the instance has its place there, something
        is under way on it, or nobody knows it. What nobody knows may be dear to somebody.
    """
    if not _is_orphan(services, host, instance) or services.journal.live(instance) is not None:
        return None
    return services.store.write(lambda tx: leave_behind(services, tx, host, instance))


def remove_orphans(
    services: Services, host: HostName, there: HostInstances
) -> tuple[Operation, ...]:
    """Write down the removal of everything on a host that belongs elsewhere; return which."""
    named = there.files | {domain.mark.instance for domain in there.domains}
    removals = (remove_orphan(services, host, instance) for instance in sorted(named))
    return tuple(removal for removal in removals if removal is not None)


def orphan_kind(services: Services) -> OperationKind[OrphanParams]:
    """Return the one step of `instance.remove_orphan`.

    It shows the epoch of the instance's place elsewhere: once the instance is back on the host,
    its agent has seen a later one and refuses. There is no way back, and no end before it is done.
    """

    def remove(ctx: Context[OrphanParams]) -> Outcome:
        host, instance = ctx.params.host, ctx.params.instance
        row = services.instances.instance(instance)
        gone = services.hosts.host(host) is None
        if row is not None and not gone and _is_orphan(services, host, instance):
            fence = Fence(instance, row.epoch)
            services.client.call(host, RemoveInstance(instance), fence, ctx.operation)
        return Done()

    return OperationKind(
        name="instance.remove_orphan",
        params=OrphanParams,
        steps=(Step("remove", remove, point_of_no_return=True),),
        yields=True,
    )


def _is_orphan(services: Services, host: HostName, instance: InstanceId) -> bool:
    row = services.instances.instance(instance)
    return row is not None and row.host != host
