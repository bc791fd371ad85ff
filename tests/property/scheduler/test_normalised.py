"""Weighing relative to the others, kept up to date piece by piece, against weighing all anew."""

import random
from typing import ClassVar

import attrs
import numpy as np
import pytest

from computekit.ids import HostName, ProviderId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    RequestGroup,
)
from computekit.placement import FleetIndex, Rows
from computekit.scheduler import (
    FreeWeigher,
    Normalised,
    Placed,
    Policy,
    RangeWeigher,
    Request,
    Scheduler,
    SchedulingRun,
    nova_weighing,
)
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.normalised import RowWeigher
from tests.property.effort import examples

TOTALS = {VCPU: 64, MEMORY_MB: 262_144, DISK_GB: 2_000}
FLAVORS = tuple(
    Request(
        PlacementRequest(
            (RequestGroup(resources=FrozenMap({VCPU: n, MEMORY_MB: 2_048 * n, DISK_GB: 20})),)
        )
    )
    for n in (1, 2, 8)
)


@attrs.frozen
class ByZone:
    """Counts for more in one zone than in another, as a value of an aggregate makes it."""

    name: ClassVar[str] = "by zone"
    multiplier: float = 0.0
    least: float | None = None

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        return fleet.figures.vector("load", rows)

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        inside = fleet.labels["zone"].where("a", lambda zone: zone == "a", rows)
        return np.where(inside, -2.5, self.multiplier) if inside.any() else None


WEIGHINGS = {
    "Nova's": nova_weighing(),
    "with multipliers of rows": nova_weighing(ByZone()),
    "packing": nova_weighing(
        FreeWeigher("CPUWeigher", VCPU, -1.0), FreeWeigher("RAMWeigher", MEMORY_MB, -0.7)
    ),
    "nothing": Normalised(()),
}


def fleet_of(count: int, dice: random.Random, *, alike: bool) -> FleetIndex:
    """Return hosts of few kinds, so that many scores are equal."""
    kinds = 1 if alike else 6
    used = np.array([dice.randrange(kinds) for _ in range(count)])
    return FleetIndex.from_columns(
        [HostName(f"h{number:03}") for number in range(count)],
        {name: Inventory(total) for name, total in TOTALS.items()},
        used={name: used * (total // 8) for name, total in TOTALS.items()},
        labels={"zone": [dice.choice("abb") for _ in range(count)]},
        figures={
            "io_ops": [0 if alike else dice.randrange(3) for _ in range(count)],
            "failed_builds": [int(dice.random() < 0.03) for _ in range(count)],
            "hypervisor_version": [dice.choice((8, 9)) for _ in range(count)],
            "load": [dice.choice((0.0, 1.0, 7.5)) for _ in range(count)],
        },
    )


def reference(weighing: Normalised, fleet: FleetIndex, request: Request) -> list[tuple[float, str]]:
    """Return score and name of each host that passes, best first, one number after the other."""
    asked = request.placement.groups[0].resources
    rows = [
        row
        for row, name in enumerate(fleet.names)
        if fleet.disabled[row] is None
        and name not in request.run.ignored_hosts
        and all(fleet.resources[c].free.value[row] >= amount for c, amount in asked.items())
    ]
    scores = dict.fromkeys(rows, 0.0)
    for weigher in weighing.weighers if len(rows) > 1 else ():
        one = np.array(rows)
        raw = weigher.raw(fleet, one).tolist()
        if weigher.least is not None:
            raw = [max(weight, weigher.least) for weight in raw]
        low = min(raw) if weigher.least is None else weigher.least
        counts = weigher.multipliers(fleet, one)
        for at, row in enumerate(rows):
            if max(raw) != low:
                count = weigher.multiplier if counts is None else counts.tolist()[at]
                scores[row] += (raw[at] - low) / (max(raw) - low) * count
    return [(score, fleet.names[row]) for row, score in sorted(scores.items(), key=_order)]


def _order(pair: tuple[int, float]) -> tuple[float, int]:
    return -pair[1], pair[0]


@pytest.mark.parametrize("name", WEIGHINGS)
@pytest.mark.parametrize("seed", range(max(1, examples(4))))
def test_the_best_is_always_that_of_weighing_all_anew(name: str, seed: int) -> None:
    dice = random.Random(f"{name} {seed}")
    fleet = fleet_of(dice.choice((1, 2, 12, 150)), dice, alike=dice.random() < 0.3)
    weighing = WEIGHINGS[name]
    scheduler = Scheduler(fleet, Policy(weighing))
    for _step in range(120):
        request = dice.choice(FLAVORS)
        if dice.random() < 0.1:
            ignored = frozenset(dice.sample(list(fleet.names), k=min(3, len(fleet))))
            request = attrs.evolve(request, run=SchedulingRun(ignored_hosts=ignored))
        if dice.random() < 0.3:
            scheduler.catch_up()
        expected = reference(weighing, fleet, request)
        decision = scheduler.place(request)
        if not isinstance(decision, Placed):
            assert not expected
            break
        assert (decision.candidate.score, decision.host) == expected[0]
        if dice.random() < 0.1:
            found = [(one.score, one.host) for one in decision.candidates()]
            assert found == expected
        change(
            fleet, decision.host if dice.random() < 0.7 else dice.choice(fleet.names), dice, request
        )


def change(fleet: FleetIndex, host: HostName, dice: random.Random, request: Request) -> None:
    """Claim, release, or alter what is known of a host."""
    amounts = {ProviderId(host): request.placement.groups[0].resources}
    chance = dice.random()
    if chance < 0.75:
        fleet.apply_claim(amounts, {"io_ops": 1, "instances": 1})
    elif chance < 0.85:
        fleet.apply_release(amounts)
    elif chance < 0.9:
        fleet.set_status(host, disabled=dice.choice((None, "fan")), up=True)
    else:
        fleet.set_figures(host, {"load": dice.choice((0.0, 3.0, 9.0)), "failed_builds": 0})


@pytest.mark.parametrize("weigher", nova_weighing().weighers, ids=lambda weigher: weigher.name)
def test_the_weight_of_a_row_is_that_of_all_rows(weigher: RangeWeigher) -> None:
    fleet = fleet_of(40, random.Random(3), alike=False)
    fleet.set_figures(fleet.names[7], {"free_pci_devices": 120.0})
    assert isinstance(weigher, RowWeigher)
    every = weigher.raw(fleet, slice(None)).tolist()
    assert [weigher.weight(fleet, row) for row in range(40)] == every
