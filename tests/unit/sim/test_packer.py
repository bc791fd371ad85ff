"""Replays pack as the scheduler places, never over capacity, and the same every time."""

import random
from collections import Counter

import numpy as np
import pytest

from computekit.ids import HostName, ProviderId
from computekit.model import (
    MEMORY_MB,
    VCPU,
    FrozenMap,
    Inventory,
    PlacementRequest,
    Provider,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler import Explanation, Host, Placed, Policy, Request, Scheduler
from computekit.scheduler.packing import Demand, Fragmentation, Packing, PackingWeigher
from computekit.sim import OPENB_POLICIES, Cluster, Packed, Packer, openb_policy
from tests.unit.scheduler.fleet import facts
from tests.unit.sim.clusters import cluster, demands

GPU = ResourceClass("CUSTOM_GPU_MILLI")
TRAITS = (Trait("CUSTOM_GPU_G2"), Trait("CUSTOM_GPU_T4"))


def fleet_of(made: Cluster) -> FleetIndex:
    """Return the cluster as a fleet: a provider for each host, one below it for each GPU."""
    index = FleetIndex()
    rows: list[tuple[Host, tuple[ProviderUse, ...]]] = []
    for row, name in enumerate(made.names):
        root = ProviderId(name)
        cpu, memory = made.capacity[:, row].tolist()
        held = FrozenMap({VCPU: Inventory(cpu), MEMORY_MB: Inventory(memory)})
        model = frozenset({TRAITS[int(made.model_of[row])]})
        uses = [ProviderUse(Provider(root, root, None, held, model), root)]
        for device in np.flatnonzero(made.devices[row]).tolist():
            gpu = ProviderId(f"{root}-gpu{device}")
            inventory = FrozenMap({GPU: Inventory(1_000)})
            uses.append(ProviderUse(Provider(gpu, gpu, root, inventory), root))
        rows.append((Host(HostName(name), root, facts(name)), tuple(uses)))
    index.put(rows)
    return index


def request_for(demand: Demand) -> Request:
    amounts = FrozenMap({VCPU: demand.amounts[0], MEMORY_MB: demand.amounts[1]})
    gpus = (
        RequestGroup(f"_gpu{number}", FrozenMap({GPU: demand.each}))
        for number in range(demand.devices)
    )
    required = frozenset(Trait(f"CUSTOM_GPU_{name}") for name in demand.models)
    groups = (RequestGroup("", amounts), *gpus)
    return Request(PlacementRequest(groups, "isolate", root_required=required))


def test_a_packing_policy_decides_in_the_scheduler_as_in_a_replay() -> None:
    made = cluster()
    asked = demands(90, random.Random(3))
    named = {
        demand: Demand(
            demand.amounts,
            demand.devices,
            demand.each,
            frozenset(f"CUSTOM_GPU_{name}" for name in demand.models),
        )
        for demand in asked
    }
    mix = Counter(named[demand] for demand in asked)
    policy = Fragmentation.of(made.columns(), tuple(map(str, TRAITS)), mix)
    index = fleet_of(made)
    weigher = PackingWeigher(policy, device=GPU, models=TRAITS)
    scheduler = Scheduler(index, Policy((weigher,)))
    # The replay knows the models by the names of the traits.
    renamed = Cluster(
        made.names,
        made.resources,
        made.capacity,
        made.devices,
        made.whole,
        tuple(map(str, TRAITS)),
        made.model_of,
    )
    packer = Packer(renamed, policy)
    refused = 0
    hosts: set[str] = set()
    for demand in asked:
        decision = scheduler.place(request_for(demand))
        packed = packer.place(named[demand])
        if packed is None:
            refused += 1
            assert not isinstance(decision, Placed)
            continue
        assert isinstance(decision, Placed)
        assert decision.host == made.names[packed.row]
        hosts.add(decision.host)
        index.apply_claim(decision.allocation)
        left = [
            1_000 - use.used.get(GPU, 0)
            for use in index.tree(packed.row)
            if GPU in use.provider.inventories
        ]
        assert sorted(left) == sorted(packer.devices[packed.row][made.devices[packed.row] > 0])
    assert refused
    assert len(hosts) == len(made.names)


def test_an_explanation_ranks_by_the_packing_policy() -> None:
    made = cluster()
    policy = Fragmentation.of(made.columns(), (), Counter(demands(50, random.Random(1))))
    weigher = PackingWeigher(policy, device=GPU)
    decision = Scheduler(fleet_of(made), Policy((weigher,))).place(
        request_for(Demand((3, 5_600), 1, 810))
    )
    assert isinstance(decision, Placed)
    explanation = decision.explain()
    assert isinstance(explanation, Explanation)
    assert explanation.ranking[0].host == decision.host
    assert explanation.ranking[0].parts[0][0] == "fragmentation"


@pytest.mark.parametrize("name", OPENB_POLICIES)
def test_nothing_is_ever_packed_where_it_does_not_fit(name: str) -> None:
    made = cluster()
    source = random.Random(11)
    asked = demands(400, source)
    packer = Packer(made, openb_policy(name, made, asked, 1))
    free, devices = made.capacity.copy(), made.devices.copy()
    there: list[Packed] = []
    dropped = 0
    for demand in asked:
        packed = packer.place(demand)
        fitting = fitting_rows(made, free, devices, demand)
        if packed is None:
            dropped += 1
            assert not fitting
        else:
            assert packed.row in fitting
            assert len(set(packed.devices)) == demand.devices
            change(free, devices, packed, -1)
            there.append(packed)
        if there and source.random() < 0.3:
            gone = there.pop(source.randrange(len(there)))
            packer.remove(gone)
            change(free, devices, gone, 1)
        assert (packer.free == free).all()
        assert (packer.devices == devices).all()
        assert (devices >= 0).all()
        assert (packer.idle == devices.sum(axis=1)).all()
    assert dropped


def fitting_rows(
    made: Cluster,
    free: np.typing.NDArray[np.int64],
    devices: np.typing.NDArray[np.int64],
    demand: Demand,
) -> list[int]:
    """Return the rows that a demand fits, one by one and by the words of the rule."""
    found: list[int] = []
    for row in range(len(made.names)):
        enough = all(free[at, row] >= amount for at, amount in enumerate(demand.amounts))
        slots = sum(1 for left in devices[row] if demand.each and left >= demand.each)
        model = made.models[int(made.model_of[row])]
        if enough and slots >= demand.devices and (not demand.models or model in demand.models):
            found.append(row)
    return found


def change(
    free: np.typing.NDArray[np.int64],
    devices: np.typing.NDArray[np.int64],
    packed: Packed,
    sign: int,
) -> None:
    free[:, packed.row] += sign * np.array(packed.demand.amounts)
    for device in packed.devices:
        devices[packed.row, device] += sign * packed.demand.each


@pytest.mark.parametrize("name", [n for n in OPENB_POLICIES if n != "random"])
def test_kept_scores_say_what_fresh_ones_do(name: str) -> None:
    made = cluster()
    asked = demands(150, random.Random(7))
    policy = openb_policy(name, made, asked, 1)
    kept = Packer(made, policy)
    so_far: list[Packed] = []
    for demand in asked:
        fresh = Packer(made, policy)
        for packed in so_far:
            fresh.put(packed)
        wanted = fresh.place(demand)
        assert kept.place(demand) == wanted
        if wanted is not None:
            so_far.append(wanted)


def test_random_fit_reaches_every_host_and_repeats_by_seed() -> None:
    made = cluster()
    asked = (Demand((1, 100)),) * 200

    def rows(seed: int) -> list[int]:
        packing: Packing = openb_policy("random", made, asked, seed)
        packer = Packer(made, packing)
        return [packed.row for demand in asked if (packed := packer.place(demand)) is not None]

    assert set(rows(1)) == set(range(len(made.names)))
    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_an_empty_host_is_opened_only_when_no_other_fits() -> None:
    made = cluster()
    packer = Packer(made, openb_policy("best-fit", made, (), 0), occupied_only=True)
    demand = Demand((20, 1_000))
    rows = [packed.row for _ in range(4) if (packed := packer.place(demand)) is not None]
    assert rows == [0, 0, 1, 1]
    packer.remove(Packed(0, demand, ()))
    packer.remove(Packed(0, demand, ()))
    again = packer.place(demand)
    assert again is not None
    assert again.row == 1


def test_cpu_for_a_device_is_told_apart_by_eighths_where_cpu_runs_out_first() -> None:
    made = cluster()  # 12 to 32 CPUs a device
    little, much = Demand((2, 1_024), 1, 1_000), Demand((10, 1_024), 1, 1_000)
    none = Demand((12, 1_024))

    def cpu_per_device(mix: dict[Demand, float]) -> list[float]:
        policy = Fragmentation.of(made.columns(), made.models, mix)
        return [1_000 * cpu for cpu in policy.cpu_per_unit]

    assert cpu_per_device({little: 2, much: 2}) == pytest.approx([6])
    assert cpu_per_device({little: 2, much: 2, none: 1}) == pytest.approx([6])
    assert cpu_per_device({little: 2, much: 6, none: 40}) == pytest.approx([2, 2] + [10] * 6)
    assert cpu_per_device({none: 3}) == []
    halves = cpu_per_device({little: 1, much: 15, none: 80})
    assert halves == pytest.approx([6] + [10] * 7)
