"""Forget instances that were deleted long ago, and their operations with them."""

from computekit.compute.orphan import OrphanParams
from computekit.compute.services import Services
from computekit.ids import InstanceId
from computekit.journal import Operation, OperationState
from computekit.model import InstanceState, decode
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["purge"]

_DELETE = frozenset({"instance.delete"})
_ASIDE = frozenset({"instance.remove_orphan", "instance.console"})
_UNDER_WAY = frozenset({OperationState.LIVE, OperationState.QUEUED})


def purge(services: Services, older_than_s: Seconds, limit: int = 100) -> int:
    """Forget what was deleted, or removed, longer ago than `older_than_s`; return how much it was.

    An instance of which some host still has something stays: without its row nobody would know
    whose that is.

    Args:
        services: the ports.
        older_than_s: how long it is kept.
        limit: the most that is forgotten in one transaction, of instances and of what else
            operations work on.
    """
    before_s = Seconds(services.clock.wall_s() - older_than_s)
    if not services.journal.ended(_DELETE | _ASIDE, before_s, 1):
        return 0
    owed = frozenset(_owed(services))
    deletes = services.journal.ended(_DELETE, before_s, limit + len(owed))
    gone = [row for row in deletes if row.subject not in owed][:limit]
    aside = services.journal.ended(_ASIDE, before_s, limit)

    def forget(tx: Tx) -> int:
        return sum(_forget(services, tx, row) for row in (*gone, *aside))

    return services.store.write(forget)


def _forget(services: Services, tx: Tx, ended: Operation) -> bool:
    instance = InstanceId(ended.subject)
    row = services.instances.instance(instance)
    lives = row is not None and row.state is not InstanceState.DELETED
    if lives or services.journal.live(ended.subject) is not None:
        return False
    services.instances.remove_instance(tx, instance)
    services.journal.forget(tx, ended.subject)
    return True


def _owed(services: Services) -> set[InstanceId]:
    """Return the instances of which something is still to be removed."""
    found: set[InstanceId] = set()
    page = services.journal.operations(_UNDER_WAY)
    while page:
        removals = (row for row in page if row.kind == "instance.remove_orphan")
        found |= {decode(row.params, OrphanParams).instance for row in removals}
        page = services.journal.operations(_UNDER_WAY, after=page[-1])
    return found
