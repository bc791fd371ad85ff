"""Moves that free hosts: each has room at its turn, and whole hosts become empty."""

import random

import pytest

from computekit.ids import ConsumerId
from computekit.scheduler.packing import BestFit, Demand, WorstFit
from computekit.sim import Cluster, Packed, Packer, alike_hosts, plan_moves
from tests.unit.sim.clusters import cluster, demands


def spread(made: Cluster, asked: tuple[Demand, ...]) -> dict[ConsumerId, Packed]:
    scale = tuple(float(amount) for amount in made.capacity.max(axis=1))
    packer = Packer(made, WorstFit(BestFit((0.5, 0.5), scale)))
    found: dict[ConsumerId, Packed] = {}
    for number, demand in enumerate(asked):
        packed = packer.place(demand)
        if packed is not None:
            found[ConsumerId(f"guest-{number:03}")] = packed
    return found


def small(count: int) -> tuple[Demand, ...]:
    source = random.Random(8)
    return tuple(Demand((source.choice((2, 4, 8)), 8_192)) for _ in range(count))


@pytest.mark.parametrize("most", [None, 7])
@pytest.mark.parametrize("devices", [False, True])
def test_each_move_has_room_at_its_turn_and_the_named_hosts_become_empty(
    devices: bool, most: int | None
) -> None:
    made = cluster(20) if devices else alike_hosts(30)
    guests = spread(made, demands(18, random.Random(2)) if devices else small(60))
    plan = plan_moves(made, guests, most_moves=most)
    assert plan.freed
    assert plan.occupied == len({packed.row for packed in guests.values()})
    if most is not None:
        assert len(plan.moves) <= most
    where = dict(guests)
    row_of = {name: row for row, name in enumerate(made.names)}
    state = Packer(made, BestFit((1.0, 0.0), (1.0, 1.0)))
    for packed in where.values():
        state.put(packed)
    for move in plan.moves:
        before = where[move.guest]
        assert made.names[before.row] == move.source
        after = Packed(row_of[move.target], before.demand, move.devices)
        assert state.guests[after.row]
        state.put(after)
        assert (state.free >= 0).all()
        assert (state.devices >= 0).all()
        state.remove(before)
        where[move.guest] = after
    empty = {name for name, row in row_of.items() if not state.guests[row]}
    started_empty = {n for n, row in row_of.items() if row not in {p.row for p in guests.values()}}
    assert set(plan.freed) == empty - started_empty
    assert len({move.guest for move in plan.moves}) == len(plan.moves)


def test_most_hosts_of_a_spread_fleet_become_free() -> None:
    made = alike_hosts(40)
    guests = spread(made, small(80))
    plan = plan_moves(made, guests)
    taken = sum(packed.demand.amounts[0] for packed in guests.values())
    assert plan.occupied == 40
    assert len(plan.freed) >= 40 - -(-taken // 64) - 1


def test_nothing_is_planned_where_nothing_can_be_freed() -> None:
    made = alike_hosts(3)
    full = {ConsumerId(str(row)): Packed(row, Demand((60, 1_024)), ()) for row in range(3)}
    assert plan_moves(made, full).moves == ()
    assert plan_moves(made, {}).occupied == 0
    spare = {ConsumerId(str(row)): Packed(row, Demand((6, 1_024)), ()) for row in range(3)}
    assert plan_moves(made, spare, most_moves=0).moves == ()
