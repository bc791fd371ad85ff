"""Where claims are written: what was chosen is judged once more, by the rows of the transaction."""

from collections.abc import Sequence

import attrs

from computekit.errors import ClaimRefused, HostChanged
from computekit.ids import HostName
from computekit.model import Allocation, Consumer, PlacementRequest, Trait
from computekit.placement import Claim, PlacementReader, PlacementWriter
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
        zones = request.run.zones if intent.zone is None else request.run.zones | {intent.zone}
        host = check_host(self.slots.hosts, selection.host, zones, self.default_zone)
        _check_traits(self.placement, host, request.placement, selection)
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
    hosts: HostReader, name: HostName, zones: frozenset[str], default_zone: str = DEFAULT_ZONE
) -> Host:
    """Return the row of a host that was chosen, if it is still there, taking guests, in its zone.

    Args:
        hosts: the rows, as a transaction sees them.
        name: of the host.
        zones: that were asked for; none: any will do.
        default_zone: the zone of hosts that are in none.

    Raises:
        HostChanged: it is not.
    """
    row = hosts.host(name)
    if row is None:
        raise HostChanged(name, "has gone")
    if not row.up:
        raise HostChanged(name, "is down")
    if row.disabled is not None:
        raise HostChanged(name, f"was disabled: {row.disabled}")
    if others := zones - {default_zone if row.zone is None else row.zone}:
        now = "in no zone" if row.zone is None else f"in zone {row.zone}"
        raise HostChanged(name, f"is {now}, not in {', '.join(sorted(others))}")
    return row


def _check_traits(
    books: PlacementReader, host: Host, request: PlacementRequest, selection: Selection
) -> None:
    """Raise `HostChanged` if a provider that was chosen has lost or gained a trait that matters.

    What an attestation took back meanwhile must not be claimed.
    """
    groups = [group for group in request.groups if group.required or group.forbidden]
    of_root = bool(request.root_required or request.root_forbidden)
    asked = {p for group in groups for p in selection.mappings.get(group.suffix, ())}
    asked.update({host.provider} if of_root else ())
    if not asked:
        return
    traits = {use.provider.id: use.provider.traits for use in books.uses(frozenset(asked))}
    root = traits.get(host.provider, frozenset[Trait]())
    lost = set(request.root_required - root) if of_root else set[Trait]()
    gained = set(request.root_forbidden & root)
    for group in groups:
        serving = [traits.get(p, frozenset[Trait]()) for p in selection.mappings[group.suffix]]
        held = frozenset[Trait]().union(*serving)
        lost.update(*(one_of for one_of in group.required if not one_of & held))
        gained |= group.forbidden & held
    if lost or gained:
        words = [f"lacks {trait} now" for trait in sorted(lost)]
        words += [f"has {trait} now" for trait in sorted(gained)]
        raise HostChanged(host.name, ", ".join(words))
