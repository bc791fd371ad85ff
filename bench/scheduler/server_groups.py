"""What a decision costs for a member of a server group with many members, by kind of rule."""

import time
from collections.abc import Iterator
from statistics import median

import numpy as np

from bench.measure import Measure
from computekit.ids import AggregateId, ConsumerId, HostName, ProjectId, ServerGroupId
from computekit.model import (
    MEMORY_MB,
    VCPU,
    Aggregate,
    FrozenMap,
    Inventory,
    PlacementRequest,
    PlacementRule,
    RequestGroup,
    RuleKind,
    RuleMode,
    ServerGroup,
    TopologyLevel,
    TopologyLevels,
)
from computekit.placement import FleetIndex
from computekit.scheduler import Placed, PlacementIntent, Request, Scheduler

LEVELS = TopologyLevels(
    (TopologyLevel("az", "availability_zone"), TopologyLevel("rack", "topology:rack"))
)
GROUP = ServerGroupId("g")
HOSTS_PER_RACK = 40
SIZES = ((10_000, 10), (10_000, 1_000), (10_000, 2_000), (20_000, 1_000))
_SPREAD, _TOGETHER = RuleKind.SPREAD, RuleKind.TOGETHER
RULES: dict[str, tuple[PlacementRule, ...]] = {
    "no rule": (),
    "at most 1 per host": (PlacementRule(_SPREAD, "host"),),
    "at most 9 per rack": (PlacementRule(_SPREAD, "rack", max_per_domain=9),),
    "skew of 9 between racks": (PlacementRule(_SPREAD, "rack", max_skew=9),),
    "the same rack": (PlacementRule(_TOGETHER, "rack"),),
    "apart on hosts if possible": (PlacementRule(_SPREAD, "host", RuleMode.SOFT),),
    "hosts, racks and zones": (
        PlacementRule(_SPREAD, "host"),
        PlacementRule(_SPREAD, "rack", max_per_domain=9),
        PlacementRule(_SPREAD, "az", max_skew=9),
    ),
}


def fleet(hosts: int, members: int, rules: tuple[PlacementRule, ...]) -> FleetIndex:
    """Return a fleet in racks and zones, with a group whose members are spread over it."""
    names = [HostName(f"h{number:06}") for number in range(hosts)]
    dice = np.random.default_rng(1)
    index = FleetIndex.from_columns(
        names,
        {VCPU: Inventory(64), MEMORY_MB: Inventory(262_144)},
        used={VCPU: dice.integers(0, 40, hosts), MEMORY_MB: dice.integers(0, 200_000, hosts)},
        labels={"zone": [f"z{number % 3}" for number in range(hosts)]},
    )
    index.groups.levels = LEVELS
    index.put_aggregates(
        Aggregate(
            number,
            AggregateId(f"r{number}"),
            f"r{number}",
            FrozenMap({"topology:rack": f"r{number}"}),
            frozenset(names[number * HOSTS_PER_RACK : (number + 1) * HOSTS_PER_RACK]),
        )
        for number in range(hosts // HOSTS_PER_RACK)
    )
    if rules:
        index.groups.put(ServerGroup(GROUP, "web", ProjectId("p"), rules))
    for number in range(members):
        row = number * 7_919 % hosts
        places = {
            "host": frozenset({str(names[row])}),
            "rack": frozenset({f"r{row // HOSTS_PER_RACK}"}),
            "az": frozenset({f"z{row % 3}"}),
        }
        index.groups.move(ConsumerId(f"m{number}"), {GROUP: places})
    return index


def measure(seconds: float) -> Iterator[Measure]:
    """Decide for one more member again and again, each time with a host of the fleet changed."""
    amounts = FrozenMap({VCPU: 1, MEMORY_MB: 1_024})
    asked = PlacementRequest((RequestGroup(resources=amounts),))
    request = Request(asked, PlacementIntent(group=GROUP))
    for hosts, members in SIZES:
        for words, rules in RULES.items():
            index = fleet(hosts, members, rules)
            scheduler = Scheduler(index)
            taken_us: list[float] = []
            end = time.monotonic() + seconds
            while len(taken_us) < 20 or (time.monotonic() < end and len(taken_us) < 200):
                began = time.process_time()
                decision = scheduler.place(request)
                taken_us.append((time.process_time() - began) * 1e6)
                assert isinstance(decision, Placed)
                index.apply_claim(decision.allocation)
            name = f"{hosts} hosts, {members} members, {words}"
            yield Measure(name, median(taken_us[5:]), "us of CPU")
