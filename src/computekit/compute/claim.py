"""Take a host for an instance: the first of those that were chosen that can still be had."""

from collections.abc import Sequence

import attrs

from computekit.compute.services import Services
from computekit.errors import ClaimRefused, ClaimsLost, HostChanged
from computekit.guest import GuestConfig
from computekit.ids import ConsumerId
from computekit.model import Allocation, Consumer, Instance
from computekit.placement import Claim
from computekit.scheduler import Selection, claim_cells
from computekit.topology import TopologyFit
from computekit.work import Tx

__all__ = ["claim_first", "give_back"]


def claim_first(
    services: Services,
    tx: Tx,
    instance: Instance,
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
        candidates: best first.
        guest: what it is promised.

    Returns:
        The instance as it is written.

    Raises:
        ClaimsLost: none of them can be had any more; nothing was written.
    """
    reason = "there was none"
    for candidate in candidates:
        try:
            cells = _claim(services, tx, instance, candidate, guest)
        except ClaimRefused as error:
            reason = error.message
            continue
        placed = attrs.evolve(instance, host=candidate.host, epoch=instance.epoch + 1)
        services.instances.change_instance(tx, instance, placed)
        services.instances.put_guest(tx, instance.id, attrs.evolve(guest, cells=cells))
        return placed
    raise ClaimsLost(tuple(candidate.host for candidate in candidates), reason)


def give_back(services: Services, tx: Tx, instance: Instance) -> None:
    """Give back all that an instance holds: resources, NUMA nodes, slots of its server group."""
    services.placement.release(tx, ConsumerId(instance.id))
    services.cells.release_cells(tx, ConsumerId(instance.id))


def _claim(
    services: Services, tx: Tx, instance: Instance, candidate: Selection, guest: GuestConfig
) -> TopologyFit | None:
    row = services.hosts.host(candidate.host)
    if row is None:
        raise HostChanged(candidate.host, "has gone")
    if instance.zone is not None and row.zone != instance.zone:
        now = "in no zone" if row.zone is None else f"in zone {row.zone}"
        raise HostChanged(candidate.host, f"is {now}, not in {instance.zone}")
    consumer = Consumer(ConsumerId(instance.id), instance.project, instance.user)
    counters = services.slots.enter(
        tx, instance.group, consumer.id, candidate.host, candidate.eligible
    )
    allocation = Allocation(consumer, candidate.allocation)
    cells = None
    if guest.topology is not None:
        cells = claim_cells(tx, services.cells, row, consumer.id, guest.topology)
    try:
        services.placement.claim(tx, (Claim(allocation, counters),))
    except ClaimRefused:
        services.cells.release_cells(tx, consumer.id, row.name)
        raise
    return cells
