"""Compare filters, and multipliers of weighers, with Nova's own on generated hosts and requests.

    python -m tests.parity.rules [--peer PYTHON] [--cases 10000] [--seed 1] [--filter NAME]

Where the peer crashes, ours must refuse the host. `EXCEPTIONS` says where ours is otherwise on
purpose; each is a defect of the peer that ours does not have.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs
import numpy as np

from computekit.ids import AggregateId, FlavorId, HostName, ImageId, InstanceId, ProjectId
from computekit.model import (
    MEMORY_MB,
    VCPU,
    Aggregate,
    Flavor,
    FrozenMap,
    Image,
    Inventory,
    PlacementRequest,
)
from computekit.placement import FleetIndex
from computekit.scheduler import (
    FILTERS,
    AggregateImagePropertiesIsolation,
    AggregateIoOpsFilter,
    AggregateNumInstancesFilter,
    HostRule,
    ImagePropertiesFilter,
    IoOpsFilter,
    IsolatedHostsFilter,
    MetricsFilter,
    NumInstancesFilter,
    OverlayRule,
    PlacementIntent,
    Request,
    SchedulingRun,
)
from computekit.scheduler.multipliers import multiplier_of
from computekit.units import Bytes, Mib
from tests.parity.nova_side import arguments, ask, report

Json: TypeAlias = Mapping[str, object]
_Rule: TypeAlias = HostRule | OverlayRule

HOST = "h1"
OTHER = "h2"
ISOLATED = "image-1"
OPERATORS = ("=", "==", "!=", ">=", "<=", "s==", "s!=", "s<", "s>=", "<in>", "<all-in>", "<or>", "")
WORDS = ("true", "false", "1", "2", "10", "x86_64", "QEMU", "ssd", "", "4096", "a,b", "nan")
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "hw_architecture": ("x86_64", "aarch64", "i386", "amd64"),
    "img_hv_type": ("kvm", "qemu", "xen"),
    "hw_vm_mode": ("hvm", "xen", "hv"),
    "img_hv_requested_version": (">=6.2", "<6.2,>1", "==6.2.0", "!=6.2", ">= 7.0.1"),
    "hw_video_model": ("vga", "qxl", "virtio"),
    "os_type": ("linux", "windows"),
    "hw_maxphysaddr_bits": ("40", "46"),
}


class Source(random.Random):
    """Random values of a case."""

    def words(self, *choices: str) -> str:
        return self.choice(choices)

    def condition(self) -> str:
        parts = [self.choice(OPERATORS), *self.choices(WORDS, k=self.choice((0, 1, 1, 1, 2, 3)))]
        return " ".join(part for part in parts if part)

    def metadata(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, values in {
            "ssd": WORDS,
            "num": WORDS,
            "instance_type": ("small", "big, small", "tiny", ""),
            "filter_tenant_id": ("p1", "p2", "p1, p2"),
            "filter_tenant_id_2": ("p3", "p1"),
            "max_io_ops_per_host": ("3", "10", "x", ""),
            "max_instances_per_host": ("3", " 10 ", "1.5"),
            "hw_architecture": ("x86_64", "aarch64,x86_64"),
            "hw_video_model": ("vga", "qxl, vga"),
            "os_type": ("linux", "windows,linux"),
            "ram_weight_multiplier": ("2", "-1", "0.5", "x", "", "1e3"),
        }.items():
            if self.random() < 0.3:
                found[key] = self.choice(values)
        return found

    def host(self) -> dict[str, object]:
        arch, kind = self.choice(("x86_64", "aarch64")), self.choice(("kvm", "qemu"))
        return {
            "name": HOST,
            "free_ram_mb": self.choice((0, 512, 4096, 9000)),
            "total_usable_ram_mb": 16_384,
            "vcpus_total": 16,
            "vcpus_used": self.choice((0, 2, 16)),
            "instances": self.choice((0, 2, 3, 9, 10, 49, 50)),
            "io_ops": self.choice((0, 2, 3, 7, 8, 10)),
            "hypervisor": self.choice(("QEMU", "fake")),
            "version": self.choice((0, 6_002_000, 7_000_001)),
            "address": self.choice(("10.1.2.3", "10.1.9.9", "192.168.0.1")),
            "arch": arch,
            "cpu_model": self.choice(("Milan", "N1")),
            "bits": self.choice((None, 40, 46)),
            "guests": [f"{arch}/{kind}/hvm"],
            "metrics": {
                name: 15 for name in ("cpu.frequency", "cpu.percent") if self.random() < 0.7
            },
            "aggregates": [self.metadata() for _ in range(self.choice((0, 1, 1, 2)))],
            "members": [name for name in ("i1", "i2") if self.random() < 0.5],
            "disabled": self.random() < 0.3,
            "up": self.random() < 0.7,
        }

    def request(self) -> dict[str, object]:
        specs: dict[str, str] = {}
        for key in (
            "ssd",
            "num",
            "aggregate_instance_extra_specs:ssd",
            "aggregate_instance_extra_specs:num",
            "hw:cpu_policy",
            "capabilities:cpu_info:arch",
            "capabilities:cpu_info:model",
            "capabilities:hypervisor_type",
            "capabilities:num_instances",
            "capabilities:nothing",
            "capabilities:cpu_info:nothing",
            "capabilities:free_ram_mb",
            "hypervisor_type",
            "num_instances",
            "unknown_here",
        ):
            if self.random() < 0.12:
                specs[key] = self.condition()
        if self.random() < 0.2:
            specs["hw:maxphysaddr_bits"] = self.choice(("40", "46"))
        hints: dict[str, list[str]] = {}
        for key in ("same_host", "different_host"):
            if self.random() < 0.6:
                hints[key] = self.sample(("i1", "i2", "i3"), self.choice((1, 2)))
        if self.random() < 0.8:
            hints["build_near_host_ip"] = [self.choice(("10.1.2.99", "10.1.8.1", "192.168.0.9"))]
            if self.random() < 0.5:
                hints["cidr"] = [self.choice(("/24", "/16", "/8", "16"))]
        if self.random() < 0.9:
            hints["query"] = [json.dumps(self.query(0))]
        image = {
            key: self.choice(values) for key, values in PROPERTIES.items() if self.random() < 0.3
        }
        return {
            "project": self.choice(("p1", "p2", "p3", "p4")),
            "flavor": self.choice(("small", "big", "huge")),
            "specs": specs,
            "image": image,
            "image_id": self.choice((ISOLATED, "image-2")),
            "hints": hints,
        }

    def query(self, depth: int) -> object:
        if depth > 2 or (depth and self.random() < 0.4):
            return self.choice(
                (
                    1,
                    5,
                    4096,
                    "x86_64",
                    HOST,
                    "$free_ram_mb",
                    "$num_instances",
                    "$host",
                    "$hypervisor_type",
                    "$cpu_info.arch",
                    "$nothing",
                    "$vcpus_used",
                    True,
                )
            )
        operator = self.choice(("=", "<", ">", "<=", ">=", "in", "not", "or", "and"))
        return [operator, *(self.query(depth + 1) for _ in range(self.choice((1, 2, 2, 3))))]

    def settings(self) -> dict[str, dict[str, object]]:
        chosen: dict[str, object] = {
            "max_io_ops_per_host": self.choice((3, 8)),
            "max_instances_per_host": self.choice((3, 50)),
            "isolated_hosts": self.sample((HOST, OTHER), self.choice((0, 1, 2))),
            "isolated_images": self.sample((ISOLATED, "image-3"), self.choice((0, 1, 2))),
            "restrict_isolated_hosts_to_isolated_images": self.random() < 0.5,
            "aggregate_image_properties_isolation_namespace": self.choice((None, None, "hw")),
            "aggregate_image_properties_isolation_separator": "_",
            "image_properties_default_architecture": self.choice((None, None, "x86_64")),
        }
        weighed = [
            f"{name}=1.0" for name in ("cpu.frequency", "cpu.percent") if self.random() < 0.5
        ]
        return {"filter_scheduler": chosen, "metrics": {"weight_setting": weighed}}


def rule_of(name: str, settings: Mapping[str, Mapping[str, object]]) -> _Rule:
    """Return our rule with the settings of a case."""
    given = settings["filter_scheduler"]
    io_ops, instances = given["max_io_ops_per_host"], given["max_instances_per_host"]
    assert isinstance(io_ops, int)
    assert isinstance(instances, int)
    weighed = settings["metrics"]["weight_setting"]
    assert isinstance(weighed, list)
    images, hosts = given["isolated_images"], given["isolated_hosts"]
    assert isinstance(images, list)
    assert isinstance(hosts, list)
    rules: Mapping[str, Callable[[], _Rule]] = {
        "AggregateIoOpsFilter": lambda: AggregateIoOpsFilter(io_ops),
        "IoOpsFilter": lambda: IoOpsFilter(io_ops),
        "AggregateNumInstancesFilter": lambda: AggregateNumInstancesFilter(instances),
        "NumInstancesFilter": lambda: NumInstancesFilter(instances),
        "MetricsFilter": lambda: MetricsFilter(frozenset(w.partition("=")[0] for w in weighed)),
        "IsolatedHostsFilter": lambda: IsolatedHostsFilter(
            frozenset(map(ImageId, images)),
            frozenset(map(HostName, hosts)),
            bool(given["restrict_isolated_hosts_to_isolated_images"]),
        ),
        "AggregateImagePropertiesIsolation": lambda: AggregateImagePropertiesIsolation(
            str(given["aggregate_image_properties_isolation_namespace"] or ""), "_"
        ),
        "ImagePropertiesFilter": lambda: ImagePropertiesFilter(
            str(given["image_properties_default_architecture"] or "")
        ),
    }
    return rules[name]() if name in rules else FILTERS[name]


@attrs.frozen
class Case:
    """A case as Python values that have types."""

    host: FleetIndex
    request: Request


def fleet_of(host: Mapping[str, object]) -> FleetIndex:
    """Return a fleet of the one host."""
    name = HostName(HOST)
    total, free = _int(host["total_usable_ram_mb"]), _int(host["free_ram_mb"])
    guests, metrics = host["guests"], host["metrics"]
    aggregates, bits = host["aggregates"], host["bits"]
    assert isinstance(guests, list)
    assert isinstance(metrics, dict)
    assert isinstance(aggregates, list)
    fleet = FleetIndex.from_columns(
        [name],
        {VCPU: Inventory(_int(host["vcpus_total"])), MEMORY_MB: Inventory(total)},
        used={VCPU: [_int(host["vcpus_used"])], MEMORY_MB: [total - free]},
        labels={
            "arch": [str(host["arch"])],
            "cpu_model": [str(host["cpu_model"])],
            "hypervisor": [str(host["hypervisor"])],
            "guests": [" ".join(guests)],
            "host_ip": [str(host["address"])],
        },
        figures={
            "instances": [_int(host["instances"])],
            "io_ops": [_int(host["io_ops"])],
            "hypervisor_version": [_int(host["version"])],
            **({} if bits is None else {"maxphysaddr_bits": [_int(bits)]}),
            **{key: [value] for key, value in metrics.items()},
        },
    )
    fleet.set_status(name, disabled="" if host["disabled"] else None, up=bool(host["up"]))
    fleet.put_aggregates(
        Aggregate(at, AggregateId(str(at)), str(at), FrozenMap(metadata), frozenset({name}))
        for at, metadata in enumerate(aggregates)
    )
    return fleet


def request_of(host: Mapping[str, object], asked: Mapping[str, object]) -> Request:
    """Return the request."""
    specs, image, hints, members = asked["specs"], asked["image"], asked["hints"], host["members"]
    assert isinstance(specs, dict)
    assert isinstance(image, dict)
    assert isinstance(hints, dict)
    assert isinstance(members, list)
    intent = PlacementIntent(
        hints=FrozenMap({key: tuple(values) for key, values in hints.items()}),
        project=ProjectId(str(asked["project"])),
        flavor=Flavor(
            FlavorId("f"), str(asked["flavor"]), 1, Mib(512), extra_specs=FrozenMap(specs)
        ),
        image=Image(
            ImageId(str(asked["image_id"])),
            "i",
            "raw",
            Bytes(1),
            Bytes(1),
            "",
            properties=FrozenMap(image),
        ),
    )
    where = {InstanceId(str(name)): frozenset({HostName(HOST)}) for name in members}
    run = SchedulingRun(hosts_of=FrozenMap(where))
    return Request(PlacementRequest(()), intent, run)


def mine(rule: _Rule, fleet: FleetIndex, request: Request) -> bool:
    """Return whether the host passes our rule."""
    passed = True
    if isinstance(rule, HostRule):
        at = np.array([0])
        passed &= all(bool(p.passed(fleet, at)[0]) for p in rule.predicates(request))
    if isinstance(rule, OverlayRule):
        passed &= all(overlay.limits(fleet).allow(0) for overlay in rule.overlays(request))
    return passed


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


COMPARED = sorted(
    FILTERS.keys()
    # Fits, and the rules of groups, are compared by comparisons of their own.
    - {"NUMATopologyFilter", "PciPassthroughFilter"}
    - {"ServerGroupAffinityFilter", "ServerGroupAntiAffinityFilter"}
)


def excused(name: str, case: Mapping[str, object], theirs: object, ours: bool) -> str:
    """Return which defect of the peer a difference comes from; "" if from none."""
    if isinstance(theirs, str) and not ours:
        return "the peer crashes, and ours refuses the host"
    asked = case["request"]
    assert isinstance(asked, dict)
    if "nan" in json.dumps([asked["specs"], case["host"]]) and theirs is True:
        return "to the peer nan is a number that is not equal to any"
    cidr = asked["hints"].get("cidr", ["/"])
    if name == "SimpleCIDRAffinityFilter" and not cidr[0].startswith("/"):
        return "the peer joins address and prefix without the slash that the hint lacks"
    kinds = {"hw_architecture", "img_hv_type", "hw_vm_mode"}
    if name == "ImagePropertiesFilter" and theirs is True and not kinds & asked["image"].keys():
        return "the peer looks at the version and the address bits only if a kind is asked too"
    return ""


def main() -> int:
    """Compare as the command line says."""
    given = arguments(__doc__)
    source = Source(given.seed)
    cases: list[dict[str, object]] = []
    for at in range(given.cases):
        name = [*COMPARED, "multiplier"][at % (len(COMPARED) + 1)]
        cases.append(
            {
                "filter": name,
                "host": source.host(),
                "request": source.request(),
                "settings": source.settings(),
                "option": ["ram_weight_multiplier", source.choice((1.0, -2.0))],
            }
        )
    answers = ask(given.peer, "rules_peer.py", map(json.dumps, cases))
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for case, theirs in zip(cases, answers, strict=True):
        name = str(case["filter"])
        host, asked, settings = (case[key] for key in ("host", "request", "settings"))
        assert isinstance(host, dict)
        assert isinstance(asked, dict)
        assert isinstance(settings, dict)
        fleet = fleet_of(host)
        if name == "multiplier":
            option = case["option"]
            assert isinstance(option, list)
            values = fleet.metadata(option[0])[0]
            ours: object = multiplier_of(values, option[1])[0]
        else:
            ours = mine(rule_of(name, settings), fleet, request_of(host, asked))
        counts[f"{name} {ours if isinstance(ours, bool) else 'number'}"] += 1
        if ours == theirs:
            continue
        why = excused(name, case, theirs, bool(ours))
        if why:
            counts[why] += 1
            continue
        wrong.append(f"{name}: peer {theirs}, ours {ours}: {json.dumps(case)}")
    return report({"cases": len(cases), **dict(sorted(counts.items()))}, wrong)


if __name__ == "__main__":
    sys.exit(main())
