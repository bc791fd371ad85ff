"""Take a host for an instance: the first of those that were chosen that can still be had."""

from collections.abc import Sequence

import attrs

from computekit.compute.services import Services
from computekit.errors import ClaimRefused, ClaimsLost
from computekit.guest import GuestConfig
from computekit.ids import ConsumerId
from computekit.model import Consumer, Instance
from computekit.scheduler import Request, Selection
from computekit.work import Tx

__all__ = ["claim_first", "give_back"]


def claim_first(
    services: Services,
    tx: Tx,
    instance: Instance,
    request: Request,
    candidates: Sequence[Selection],
    guest: GuestConfig,
) -> Instance:
    """Claim for an instance that has no host yet, and write where it is and what it is promised.

    To claim is to be refused by the books: what is left, the NUMA nodes, the slots of the server
    group and the zone that the instance is pinned to are judged by the rows of this transaction.

    Args:
        services: the ports.
        tx: what it is written in.
        instance: as its row is.
        request: what was asked.
        candidates: best first.
        guest: what it is promised.

    Returns:
        The instance as it is written.

    Raises:
        ClaimsLost: none of them can be had any more; nothing was written.
    """
    reason = "there was none"
    consumer = Consumer(ConsumerId(instance.id), instance.project, instance.user)
    for candidate in candidates:
        try:
            taken = services.books.claim(tx, consumer, request, candidate)
        except ClaimRefused as error:
            reason = error.message
            continue
        placed = attrs.evolve(instance, host=candidate.host, epoch=instance.epoch + 1)
        services.instances.change_instance(tx, instance, placed)
        services.instances.put_guest(tx, instance.id, attrs.evolve(guest, cells=taken.cells))
        return placed
    raise ClaimsLost(tuple(candidate.host for candidate in candidates), reason)


def give_back(services: Services, tx: Tx, instance: Instance) -> None:
    """Give back all that an instance holds: resources, NUMA nodes, slots of its server group."""
    services.placement.release(tx, ConsumerId(instance.id))
    services.cells.release_cells(tx, ConsumerId(instance.id))
