"""Where claims are written: what was chosen is judged once more, by the rows of the transaction."""

from collections.abc import Sequence

import attrs

from computekit.errors import ClaimRefused, HostChanged
from computekit.ids import HostName
from computekit.model import Allocation, Consumer
from computekit.placement import Claim, PlacementWriter
from computekit.scheduler.cells import CellWriter, claim_cells
from computekit.scheduler.decision import Selection
from computekit.scheduler.group_claims import GroupSlots
from computekit.scheduler.hosts import Host, HostReader
from computekit.scheduler.request import Request
from computekit.scheduler.zones import DEFAULT_ZONE
from computekit.topology import TopologyFit
from computekit.work import Tx

__all__ = ["BookClaims", "Books", "Taken", "check_host"]


@attrs.frozen
class Taken:
    """What a claim was granted.

    Attributes:
        allocation: as it is in the books.
        cells: where the guest's NUMA nodes go; None where none were asked for.
    """

    allocation: Allocation
    cells: TopologyFit | None


@attrs.frozen
class Books:
    """Where claims are written.

    Attributes:
        placement: what is left of hosts.
        slots: what members of server groups take along.
        cells: what is left of NUMA nodes.
        default_zone: the zone of hosts that are in none.
    """

    placement: PlacementWriter
    slots: GroupSlots
    cells: CellWriter
    default_zone: str = DEFAULT_ZONE

    def claim(self, tx: Tx, consumer: Consumer, request: Request, selection: Selection) -> Taken:
        """Claim what was chosen, judged by the rows of the transaction.

        That is: whether the host is there and in its zone, what is left of it and of its NUMA
        nodes, and the rules of the server group.

        Args:
            tx: what it is written in.
            consumer: who claims, with the generation that was seen.
            request: what was asked.
            selection: what was chosen.

        Raises:
            ClaimRefused: it cannot be had any more; nothing was written.
        """
        intent = request.intent
        host = check_host(self.slots.hosts, selection.host, intent.zone, self.default_zone)
        counters = self.slots.enter(
            tx, intent.group, consumer.id, selection.host, selection.eligible
        )
        cells = None
        if request.topology is not None:
            cells = claim_cells(tx, self.cells, host, consumer.id, request.topology)
        claim = Claim(Allocation(consumer, selection.allocation), counters)
        try:
            (granted,) = self.placement.claim(tx, (claim,))
        except ClaimRefused:
            if cells is not None:
                self.cells.release_cells(tx, consumer.id, selection.host)
            raise
        return Taken(granted, cells)


@attrs.frozen
class BookClaims:
    """Claims for requests by their numbers: the usual `ClaimOne`.

    Attributes:
        books: where it is written.
        consumers: who claims, by number, each with the generation that was seen.
        requests: what was asked, by number.
    """

    books: Books
    consumers: Sequence[Consumer]
    requests: Sequence[Request]

    def __call__(self, tx: Tx, number: int, selection: Selection) -> Taken:
        """Claim for one request."""
        return self.books.claim(tx, self.consumers[number], self.requests[number], selection)


def check_host(
    hosts: HostReader, name: HostName, zone: str | None, default_zone: str = DEFAULT_ZONE
) -> Host:
    """Return the row of a host that was chosen, if it is still there and in its zone.

    Args:
        hosts: the rows, as a transaction sees them.
        name: of the host.
        zone: that was asked for; None: any.
        default_zone: the zone of hosts that are in none.

    Raises:
        HostChanged: it is not.
    """
    row = hosts.host(name)
    if row is None:
        raise HostChanged(name, "has gone")
    if zone not in {None, default_zone if row.zone is None else row.zone}:
        now = "in no zone" if row.zone is None else f"in zone {row.zone}"
        raise HostChanged(name, f"is {now}, not in {zone}")
    return row
