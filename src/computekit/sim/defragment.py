"""Which guests to move so that most hosts become free."""

from collections.abc import Mapping

import attrs

from computekit.ids import ConsumerId, HostName
from computekit.scheduler.packing import BalancedFit, Packing
from computekit.sim.cluster import Cluster, Packed, Packer

__all__ = ["Move", "MovePlan", "plan_moves"]

_BALANCED = BalancedFit()


@attrs.frozen
class Move:
    """One guest goes from one host to another.

    Attributes:
        guest: who.
        source: the host that it leaves.
        target: the host that takes it; it has room when the earlier moves are done.
        devices: which devices it takes of there.
    """

    guest: ConsumerId
    source: HostName
    target: HostName
    devices: tuple[int, ...]


@attrs.frozen
class MovePlan:
    """Moves, and what they come to.

    Attributes:
        moves: in an order in which each has room when it is its turn.
        freed: the hosts that are empty afterwards, in the order in which they become so.
        occupied: how many hosts had guests before.
    """

    moves: tuple[Move, ...]
    freed: tuple[HostName, ...]
    occupied: int


def plan_moves(
    cluster: Cluster,
    guests: Mapping[ConsumerId, Packed],
    *,
    packing: Packing = _BALANCED,
    most_moves: int | None = None,
) -> MovePlan:
    """Return moves that free hosts, those first that need the fewest.

    A host is emptied whole or left as it is. Hosts are tried by how few guests they have, then by
    how little those take; guests by size, the largest first; they go where `packing` puts them,
    never to a host that is empty. No guest is moved twice. A heuristic: freeing the most hosts is
    bin packing.

    Args:
        cluster: as it is when empty.
        guests: where each is.
        packing: chooses targets.
        most_moves: of the plan; no limit without it.
    """
    state = Packer(cluster, packing)
    by_row: dict[int, list[ConsumerId]] = {}
    for guest, packed in guests.items():
        state.put(packed)
        by_row.setdefault(packed.row, []).append(guest)
    for row in range(len(cluster.names)):
        if row not in by_row:
            state.close(row)
    scale = [max(1.0, float(amount)) for amount in cluster.capacity.max(axis=1)]
    device_scale = max(1.0, float(cluster.devices.sum(axis=1).max()))

    def size(guest: ConsumerId) -> float:
        demand = guests[guest].demand
        shares = [amount / total for amount, total in zip(demand.amounts, scale, strict=True)]
        return max(*shares, demand.device_total / device_scale)

    moves: list[Move] = []
    freed: list[HostName] = []
    arrived: set[int] = set()
    left = len(guests) if most_moves is None else most_moves
    order = sorted(by_row, key=lambda row: (len(by_row[row]), sum(map(size, by_row[row])), row))
    for row in order:
        if row in arrived or len(by_row[row]) > left:
            continue
        found = _emptied(state, row, sorted(by_row[row], key=lambda g: (-size(g), g)), guests)
        if found is None:
            continue
        names = cluster.names
        for guest, packed in found:
            moves.append(Move(guest, names[row], names[packed.row], packed.devices))
            arrived.add(packed.row)
        left -= len(found)
        freed.append(cluster.names[row])
    return MovePlan(tuple(moves), tuple(freed), len(by_row))


def _emptied(
    state: Packer, row: int, leaving: list[ConsumerId], guests: Mapping[ConsumerId, Packed]
) -> list[tuple[ConsumerId, Packed]] | None:
    """Move all guests off a host, which stays closed; None, and all as before, if one cannot."""
    state.close(row)
    done: list[tuple[ConsumerId, Packed]] = []
    for guest in leaving:
        packed = state.place(guests[guest].demand)
        if packed is None:
            for earlier, target in reversed(done):
                state.remove(target)
                state.put(guests[earlier])
            state.close(row, closed=False)
            return None
        state.remove(guests[guest])
        done.append((guest, packed))
    return done
