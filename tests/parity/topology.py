"""Compare what flavors and images ask of NUMA nodes with Nova's reading, on generated cases.

    python -m tests.parity.topology [--peer PYTHON] [--cases 10000] [--seed 1]

Both must refuse, or
both must read the same. Listed differences are stricter on purpose, see `EXPECTED`.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping

from computekit.errors import InvalidInput
from computekit.guest import topology_of
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image
from computekit.topology import EmulatorThreads, GuestTopology, PageSize
from computekit.units import Bytes, Mib
from tests.parity.nova_side import arguments, ask, report

PAGES = {PageSize.SMALL: -1, PageSize.LARGE: -2, PageSize.ANY: -3}
SPECS: Mapping[str, list[str]] = {
    "hw:numa_nodes": ["1", "2", "2", "3", "0", "x"],
    "hw:cpu_policy": ["shared", "dedicated", "dedicated", "mixed", "mixed", "odd"],
    "hw:cpu_thread_policy": ["prefer", "isolate", "require"],
    "hw:cpu_dedicated_mask": ["0-1", "^0", "^0-1", "0-3", "9", "0,2"],
    "hw:cpu_realtime": ["yes", "true", "no"],
    "hw:cpu_realtime_mask": ["^0", "0-1", "^0-1", "2-3"],
    "hw:emulator_threads_policy": ["share", "isolate"],
    "hw:mem_page_size": ["small", "large", "any", "2048", "2MB", "1GB", "0", "huge"],
    "resources:PCPU": ["4", "5", "3"],
    "resources:VCPU": ["4"],
    "trait:HW_CPU_HYPERTHREADING": ["required", "forbidden"],
}
PROPERTIES: Mapping[str, list[str]] = {
    "hw_numa_nodes": ["1", "2"],
    "hw_cpu_policy": ["shared", "dedicated", "mixed"],
    "hw_cpu_thread_policy": ["prefer", "isolate", "require"],
    "hw_mem_page_size": ["small", "2048"],
    "hw_cpu_realtime_mask": ["^0"],
}
MANUAL: list[Mapping[str, str]] = [
    {"numa_cpus.0": "0,1", "numa_mem.0": "512", "numa_cpus.1": "2-3", "numa_mem.1": "512"},
    {"numa_cpus.0": "0", "numa_mem.0": "256", "numa_cpus.1": "1-3", "numa_mem.1": "768"},
    {"numa_cpus.0": "0,1", "numa_mem.0": "512", "numa_cpus.1": "1-3", "numa_mem.1": "512"},
    {"numa_cpus.0": "0,1", "numa_mem.0": "512", "numa_cpus.1": "2-4", "numa_mem.1": "512"},
    {"numa_cpus.0": "0,1", "numa_mem.0": "512", "numa_cpus.1": "2-3", "numa_mem.1": "513"},
    {"numa_cpus.0": "0-3"},
    {"numa_mem.0": "1024"},
]
EXPECTED = {
    "an image's thread policy within prefer of the flavor": "the image's is kept, not dropped",
    "pages of no size": "refused, not taken as a size",
    "a part of a node that there is not": "refused, not passed over",
    "all vCPUs dedicated in mixed": "refused, not run without a floating vCPU",
}
"""Where ours is stricter, and what it does."""


def generated(source: random.Random) -> tuple[Flavor, Image]:
    """Return one case with a few keys."""
    vcpus, memory = source.choice([(4, 1024), (4, 1024), (3, 1000), (6, 1536)])
    specs = {k: source.choice(v) for k, v in SPECS.items() if source.random() < 0.22}
    properties = {k: source.choice(v) for k, v in PROPERTIES.items() if source.random() < 0.1}
    if source.random() < 0.3:
        specs |= {f"hw:{key}": text for key, text in source.choice(MANUAL).items()}
        specs.setdefault("hw:numa_nodes", "2")
    return (
        Flavor(FlavorId("f"), "f", vcpus, Mib(memory), extra_specs=FrozenMap(specs)),
        Image(ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=FrozenMap(properties)),
    )


def as_json(case: tuple[Flavor, Image]) -> str:
    """Return a case as the peer's side reads it."""
    flavor, image = case
    return json.dumps(
        {
            "vcpus": flavor.vcpus,
            "memory": flavor.memory_mib,
            "specs": dict(flavor.extra_specs),
            "properties": dict(image.properties),
        }
    )


def ours(case: tuple[Flavor, Image]) -> Mapping[str, object]:
    """Return our reading in the peer's words."""
    try:
        found = topology_of(*case)
    except InvalidInput as error:
        return {"refused": error.message}
    return {"topology": None if found is None else _words(found)}


def _words(found: GuestTopology) -> list[object]:
    page = PAGES[found.page_size] if isinstance(found.page_size, PageSize) else found.page_size
    nodes = [
        [sorted(node.pinned), sorted(node.floating), node.memory_mib, page] for node in found.nodes
    ]
    emulator = None if found.emulator is EmulatorThreads.FLOAT else found.emulator.value
    return [nodes, None if found.threads is None else found.threads.value, emulator]


def expected(case: tuple[Flavor, Image], mine: Mapping[str, object]) -> str | None:
    """Return which of the listed differences a case shows, if any."""
    flavor, image = case
    specs = flavor.extra_specs
    refused = str(mine.get("refused", ""))
    if specs.get("hw:cpu_thread_policy") == "prefer" and "hw_cpu_thread_policy" in image.properties:
        return "an image's thread policy within prefer of the flavor"
    if specs.get("hw:mem_page_size") == "0":
        return "pages of no size"
    if "there are the nodes" in refused:
        return "a part of a node that there is not"
    if "leaves no vCPU that floats" in refused:
        return "all vCPUs dedicated in mixed"
    return None


def main() -> int:
    """Compare as the command line says."""
    given = arguments(__doc__)
    source = random.Random(given.seed)
    cases = [generated(source) for _ in range(given.cases)]
    answers = ask(given.peer, "topology_peer.py", map(as_json, cases))
    listed: Counter[str] = Counter()
    wrong: list[str] = []
    accepted = 0
    for case, theirs in zip(cases, answers, strict=True):
        mine = ours(case)
        assert isinstance(theirs, dict)
        accepted += "topology" in theirs
        same = theirs.keys() == mine.keys() and theirs.get("topology") == mine.get("topology")
        if same:
            continue
        if (reason := expected(case, mine)) is not None:
            listed[reason] += 1
        else:
            wrong.append(f"{as_json(case)}\n  peer {theirs}\n  ours {mine}")
    return report({"cases": len(cases), "accepted": accepted, "listed": listed}, wrong)


if __name__ == "__main__":
    sys.exit(main())
