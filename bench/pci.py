"""What the PCI room costs: planning a host, finding devices for a guest.

- `plan`: devices, configuration and memory to state, providers and findings: 256 VFs of four cards
  in 64 groups, by topology and by name, for a host that starts anew and one that goes on.
- `choose`: units for one guest on one host.
- `first candidate`: from Placement, for 8 groups of one device each, where each of 1 000 hosts has
  8 equal devices: how long until the first is there. Nothing is permuted.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping

from bench.measure import Measure
from computekit.model import PlacementRequest, ResourceClass
from computekit.pci import (
    Affinity,
    AffinityKey,
    AliasOption,
    DeviceRequest,
    DeviceWant,
    HostDevices,
    NumaPolicy,
    PciAddress,
    PciConfig,
    PciDevice,
    PciHost,
    PciState,
    choose_units,
    parse_pci_config,
    plan_devices,
)
from computekit.placement import LocalPlacement

HOSTS = 1_000
GPU = AliasOption("alias[0]", resource_class=ResourceClass("CUSTOM_GPU"))


def measure(seconds: float) -> Iterator[Measure]:
    """Give medians in milliseconds."""
    yield from _plans(seconds)
    yield from _choices(seconds)
    yield _first_candidate()


def _plans(seconds: float) -> Iterator[Measure]:
    devices = _cards()
    by_topology = _config(
        {
            "vendor_id": "10de",
            "product_id": "0002",
            "group_by": "pf",
            "group_size": 4,
            "group_type": "t",
        }
    )
    by_name = _config(
        *(
            {
                "address": str(device.address),
                "group_name": f"g{at // 4}",
                "group_type": "t",
                "group_role": f"r{at % 4}",
            }
            for at, device in enumerate(it for it in devices if not it.max_vfs)
        )
    )
    host = PciHost.named("h")
    for name, config in (("by topology", by_topology), ("by name", by_name)):
        memory = plan_devices(config, HostDevices.of(devices, ()), host).state
        for state, words in ((PciState(), "anew"), (memory, "going on")):

            def plan(config: PciConfig = config, state: PciState = state) -> None:
                plan_devices(config, HostDevices.of(devices, ()), host, state)

            yield Measure(
                f"plan 256 VFs in 64 groups {name}, {words}", _median(plan, seconds), "ms"
            )


def _choices(seconds: float) -> Iterator[Measure]:
    config = _config({"vendor_id": "10de", "product_id": "0001", "resource_class": "gpu"})
    for count, switches in ((8, 2), (32, 8), (64, 16)):
        devices = HostDevices.of(_board(count, switches), ())
        state = plan_devices(config, devices, PciHost.named("h")).state
        half = [DeviceWant(f"w{at}", GPU, NumaPolicy.PREFERRED) for at in range(count // 2)]
        together = [Affinity(tuple(want.name for want in half), AffinityKey.NUMA_NODE)]
        for rules, words in (((), ""), (together, " on one node")):

            def choose(
                state: PciState = state,
                wants: list[DeviceWant] = half,
                rules: list[Affinity] | tuple[()] = rules,
            ) -> None:
                choose_units(state, wants, rules)

            name = f"choose {count // 2} of {count} behind {switches} switches{words}"
            yield Measure(name, _median(choose, seconds), "ms")


def _first_candidate() -> Measure:
    config = parse_pci_config(
        json.dumps(
            {
                "device_spec": [
                    {"vendor_id": "10de", "product_id": "0001", "resource_class": "gpu"}
                ],
                "alias": [{"name": "gpu", "resource_class": "gpu"}],
            }
        ),
        syntax="json",
    )
    placement = LocalPlacement.in_memory()
    devices = HostDevices.of(_board(8, 8), ())
    for at in range(HOSTS):
        placement.put_tree(plan_devices(config, devices, PciHost.named(f"h{at}")).tree)
    alias = config.aliases["gpu"]
    groups = DeviceRequest("r", alias, 8, NumaPolicy.LEGACY).groups()
    request = PlacementRequest(groups, group_policy="none")
    first = next(iter(placement.search(request)))  # the index reads what was written first
    taken: list[float] = []
    for _ in range(20):
        begun = time.perf_counter()
        next(iter(placement.search(request)))
        taken.append(time.perf_counter() - begun)
    return Measure(
        f"first candidate of 8 of 8 equal devices on each of {HOSTS} hosts",
        statistics.median(taken) * 1e3,
        "ms",
        {"providers": float(len(first.allocation))},
    )


def _cards() -> list[PciDevice]:
    found: list[PciDevice] = []
    for bus in range(1, 5):
        pf = PciDevice(
            PciAddress(0, bus, 0, 0),
            0x10DE,
            1,
            0x030200,
            numa_node=bus % 2,
            max_vfs=64,
            ports=(PciAddress(0, 0, bus, 0),),
        )
        found.append(pf)
        found.extend(
            PciDevice(
                PciAddress(0, bus, 1 + at // 8, at % 8),
                0x10DE,
                2,
                0x030200,
                numa_node=bus % 2,
                iommu_group=bus * 100 + at,
                physical_function=pf.address,
                vf_index=at,
                ports=pf.ports,
            )
            for at in range(64)
        )
    return found


def _board(count: int, switches: int) -> list[PciDevice]:
    return [
        PciDevice(
            PciAddress(0, 16 + at, 0, 0),
            0x10DE,
            1,
            0x030200,
            numa_node=at % switches * 2 // switches,
            ports=(
                PciAddress(0, 150 + at % switches, at // switches, 0),
                PciAddress(0, 100 + at % switches, 0, 0),
                PciAddress(0, 0, at % switches, 0),
            ),
        )
        for at in range(count)
    ]


def _config(*specs: Mapping[str, object]) -> PciConfig:
    return parse_pci_config(json.dumps({"device_spec": specs}), syntax="json")


def _median(run: Callable[[], None], seconds: float) -> float:
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while not taken or time.perf_counter() < until:
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3
