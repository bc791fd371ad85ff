"""Compare what hosts weigh with Nova's own weighers, all thirteen of them together.

    python -m tests.parity.weighers [--peer PYTHON] [--cases 10000] [--seed 1]

Weights are sums of floating numbers; they may differ by what rounding does to them.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping

import attrs

from computekit.ids import (
    AggregateId,
    ConsumerId,
    FlavorId,
    HostName,
    ImageId,
    InstanceId,
    ProjectId,
    ServerGroupId,
)
from computekit.model import (
    DISK_GB,
    HOST_LEVEL,
    MEMORY_MB,
    VCPU,
    Aggregate,
    Flavor,
    FrozenMap,
    Image,
    Inventory,
    PlacementRequest,
    RequestGroup,
    ServerGroup,
    TopologyLevels,
    parse_group_rules,
)
from computekit.placement import FleetIndex
from computekit.scheduler import (
    AnyWeigher,
    CrossCellWeigher,
    FigureWeigher,
    FreeWeigher,
    ImagePropertiesWeigher,
    MetricsWeigher,
    PciWeigher,
    PlacementIntent,
    Request,
    Scheduler,
    SchedulingRun,
    SoftAffinityWeigher,
    SoftAntiAffinityWeigher,
    image_property_figure,
    nova_policy,
    weigher_named,
)
from computekit.units import Bytes, Mib
from tests.parity.nova_side import arguments, ask, report

CELLS = ("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b")
OPTIONS = {
    "ram_weight_multiplier": "RAMWeigher",
    "cpu_weight_multiplier": "CPUWeigher",
    "disk_weight_multiplier": "DiskWeigher",
    "io_ops_weight_multiplier": "IoOpsWeigher",
    "num_instances_weight_multiplier": "NumInstancesWeigher",
    "hypervisor_version_weight_multiplier": "HypervisorVersionWeigher",
    "pci_weight_multiplier": "PCIWeigher",
    "build_failure_weight_multiplier": "BuildFailureWeigher",
    "soft_affinity_weight_multiplier": "ServerGroupSoftAffinityWeigher",
    "soft_anti_affinity_weight_multiplier": "ServerGroupSoftAntiAffinityWeigher",
    "cross_cell_move_weight_multiplier": "CrossCellWeigher",
    "image_props_weight_multiplier": "ImagePropertiesWeigher",
}
POSITIVE = ("pci_weight_multiplier", "soft_affinity_weight_multiplier")
IMAGES: Mapping[str, tuple[str, ...]] = {
    "hw_disk_bus": ("scsi", "virtio"),
    "os_type": ("linux", "windows"),
    "hw_video_model": ("vga",),
}
METRICS = ("cpu.frequency", "cpu.percent")


def generated(source: random.Random) -> dict[str, object]:
    """Return a case."""
    names = [f"h{at}" for at in range(source.choice((1, 2, 3, 5)))]
    members = [f"00000000-0000-0000-0000-00000000001{at}" for at in range(6)]
    multipliers: dict[str, float] = {}
    for option in OPTIONS:
        if source.random() < 0.4:
            signs = (1.0,) if option in POSITIVE or "anti" in option else (1.0, -1.0)
            multipliers[option] = source.choice((0.0, 0.5, 1.0, 3.0)) * source.choice(signs)
    settings = source.random() < 0.5
    metrics = {"weight_setting": [f"{m}={source.choice(('1.0', '-0.5'))}" for m in METRICS]}
    return {
        "hosts": [_host(name, members, source) for name in names],
        "request": {
            "image": _image(source),
            "policy": source.choice(("", "soft-affinity", "soft-anti-affinity")),
            "group": source.sample(members, 3),
            "cell": source.choice(("", "", *CELLS)),
        },
        "settings": {
            "filter_scheduler": {
                **multipliers,
                "image_props_weight_setting": (
                    ["os_type=2.0", "hw_disk_bus=0.5"] if source.random() < 0.4 else []
                ),
            },
            "metrics": {
                "weight_setting": metrics["weight_setting"] if settings else [],
                "required": False,
                "weight_multiplier": source.choice((1.0, 2.0)),
            },
        },
    }


def _image(source: random.Random) -> dict[str, str]:
    return {key: source.choice(values) for key, values in IMAGES.items() if source.random() < 0.5}


def _host(name: str, members: list[str], source: random.Random) -> dict[str, object]:
    metadata = [
        {
            option: source.choice(("2", "-1.5", "0", "x", "7"))
            for option in OPTIONS
            if source.random() < 0.1
        }
        for _ in range(source.choice((0, 0, 1, 2)))
    ]
    return {
        "name": name,
        "cell": source.choice(CELLS),
        "free_ram_mb": source.choice((512, 4_096, 9_000, 16_384)),
        "free_disk_gb": source.choice((1, 7, 100)),
        "free_vcpus": source.choice((1, 5, 64)),
        "instances": source.choice((0, 1, 7)),
        "io_ops": source.choice((0, 1, 4)),
        "version": source.choice((0, 6_002_000, 7_000_001)),
        "failed_builds": source.choice((0, 0, 1, 3)),
        "devices": source.choice((0, 3, 200)),
        "metrics": {metric: source.randrange(50) for metric in METRICS if source.random() < 0.8},
        "aggregates": metadata,
        "members": {uuid: _image(source) for uuid in members if source.random() < 0.3},
    }


def weighers_of(settings: Mapping[str, object], metrics: Mapping[str, object]) -> list[AnyWeigher]:
    """Return our weighers with the settings of a case."""
    found: list[AnyWeigher] = []
    for option, name in OPTIONS.items():
        weigher = weigher_named(name)
        if option in settings:
            value = settings[option]
            assert isinstance(value, float)
            assert isinstance(
                weigher,
                FigureWeigher
                | FreeWeigher
                | PciWeigher
                | CrossCellWeigher
                | ImagePropertiesWeigher
                | SoftAffinityWeigher
                | SoftAntiAffinityWeigher,
            )
            negated = isinstance(weigher, FigureWeigher) and weigher.negated
            weigher = attrs.evolve(weigher, multiplier=-value if negated else value)
        if isinstance(weigher, ImagePropertiesWeigher):
            weigher = attrs.evolve(weigher, ratios=_ratios(settings["image_props_weight_setting"]))
        found.append(weigher)
    multiplier = metrics["weight_multiplier"]
    assert isinstance(multiplier, float)
    found.append(MetricsWeigher(_ratios(metrics["weight_setting"]), multiplier))
    return found


def _ratios(written: object) -> FrozenMap[str, float]:
    assert isinstance(written, list)
    pairs = (entry.partition("=") for entry in written)
    return FrozenMap({name: float(value) for name, _, value in pairs})


def fleet_of(hosts: list[dict[str, object]], asked: Mapping[str, object]) -> FleetIndex:
    """Return the fleet."""
    names = [HostName(str(host["name"])) for host in hosts]

    def column(key: str) -> list[int]:
        found = []
        for host in hosts:
            value = host[key]
            assert isinstance(value, int)
            found.append(value)
        return found

    fleet = FleetIndex.from_columns(
        names,
        {VCPU: Inventory(64), MEMORY_MB: Inventory(2**20), DISK_GB: Inventory(2**20)},
        used={
            VCPU: [64 - free for free in column("free_vcpus")],
            MEMORY_MB: [2**20 - free for free in column("free_ram_mb")],
            DISK_GB: [2**20 - free for free in column("free_disk_gb")],
        },
        figures={
            "instances": column("instances"),
            "io_ops": column("io_ops"),
            "hypervisor_version": column("version"),
            "failed_builds": column("failed_builds"),
            "free_pci_devices": column("devices"),
        },
    )
    group = ServerGroupId("g")
    if asked["policy"]:
        rules = parse_group_rules(str(asked["policy"]), {}, TopologyLevels())
        fleet.groups.put(ServerGroup(group, "g", ProjectId("p"), rules))
    of_group, number = asked["group"], 0
    assert isinstance(of_group, list)
    for host, name in zip(hosts, names, strict=True):
        members, metrics, aggregates = host["members"], host["metrics"], host["aggregates"]
        assert isinstance(members, dict)
        assert isinstance(metrics, dict)
        assert isinstance(aggregates, list)
        images: Counter[str] = Counter()
        for uuid, image in members.items():
            images.update(image_property_figure(key, value) for key, value in image.items())
            if uuid in of_group:
                # In Nova an instance may be seen on two hosts; a member of ours is another then.
                member = ConsumerId(f"{uuid} {name}")
                fleet.groups.move(member, {group: {HOST_LEVEL: frozenset({name})}})
        fleet.set_figures(name, {**metrics, **images})
        for metadata in (*aggregates, {"cell": str(host["cell"])}):
            number += 1
            uuid = AggregateId(str(number))
            fleet.put_aggregates(
                [Aggregate(number, uuid, uuid, FrozenMap(metadata), frozenset({name}))]
            )
    return fleet


def request_of(hosts: list[dict[str, object]], asked: Mapping[str, object]) -> Request:
    """Return the request; a move from a host that is in its cell, if it names one."""
    image, me = asked["image"], InstanceId("me")
    assert isinstance(image, dict)
    here = [HostName(str(host["name"])) for host in hosts if host["cell"] == asked["cell"]]
    return Request(
        PlacementRequest((RequestGroup(resources=FrozenMap({VCPU: 1})),)),
        PlacementIntent(
            flavor=Flavor(FlavorId("f"), "f", 1, Mib(1)),
            image=Image(
                ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=FrozenMap(image)
            ),
            group=ServerGroupId("g") if asked["policy"] else None,
        ),
        SchedulingRun(instance=me, hosts_of=FrozenMap({me: frozenset(here[:1])})),
    )


def _off_in_peer(hosts: list[dict[str, object]], settings: Mapping[str, object]) -> bool:
    """Return whether aggregates set a multiplier that the peer does not ask them about."""
    option = "image_props_weight_multiplier"
    return not settings.get(option) and option in json.dumps([h["aggregates"] for h in hosts])


def main() -> int:
    """Compare as the command line says."""
    given = arguments(__doc__)
    source = random.Random(given.seed)
    cases = [generated(source) for _ in range(given.cases)]
    for case in cases:
        asked, hosts = case["request"], case["hosts"]
        assert isinstance(asked, dict)
        assert isinstance(hosts, list)
        if asked["cell"] not in {host["cell"] for host in hosts}:
            asked["cell"] = ""
    answers = ask(given.peer, "weighers_peer.py", map(json.dumps, cases))
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for case, theirs in zip(cases, answers, strict=True):
        asked, hosts, settings = case["request"], case["hosts"], case["settings"]
        assert isinstance(asked, dict)
        assert isinstance(hosts, list)
        assert isinstance(settings, dict)
        weighers = weighers_of(settings["filter_scheduler"], settings["metrics"])
        scheduler = Scheduler(fleet_of(hosts, asked), nova_policy((), *weighers))
        candidates = tuple(scheduler.place(request_of(hosts, asked)).candidates())
        mine = {str(found.host): found.score for found in candidates}
        same = isinstance(theirs, dict) and mine.keys() == theirs.keys()
        if same and isinstance(theirs, dict):
            scale = max(1.0, *(abs(weight) for weight in theirs.values()))
            same = all(abs(mine[host] - theirs[host]) <= 1e-9 * scale for host in mine)
        counts[f"{len(hosts)} hosts"] += 1
        if not same and _off_in_peer(hosts, settings["filter_scheduler"]):
            counts["the peer looks at no image where its multiplier is configured to be 0"] += 1
        elif not same:
            wrong.append(f"peer {theirs}, ours {mine}: {json.dumps(case)}")
    return report({"cases": len(cases), **dict(sorted(counts.items()))}, wrong)


if __name__ == "__main__":
    sys.exit(main())
