"""Nova's side of the comparison of flavors; run by the Python of an environment that has nova.

Reads one case a line as JSON, answers one line each: the topology, null, or why it is refused.
"""

import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import objects  # type: ignore[import-not-found]  # noqa: E402  # only where it runs
from nova.virt import hardware  # type: ignore[import-not-found]  # noqa: E402


def answer(case: Mapping[str, Any]) -> dict[str, object]:
    """Ask Nova about one case."""
    flavor = objects.Flavor(
        vcpus=case["vcpus"], memory_mb=case["memory"], extra_specs=case["specs"]
    )
    try:
        image = objects.ImageMeta.from_dict({"properties": case["properties"]})
        found = hardware.numa_get_constraints(flavor, image)
    except Exception as error:  # noqa: BLE001  # every refusal is one
        return {"refused": f"{type(error).__name__}: {error}"}
    if found is None:
        return {"topology": None}
    nodes = [
        [sorted(cell.pcpuset), sorted(cell.cpuset), cell.memory, cell.pagesize]
        for cell in found.cells
    ]
    threads = found.cells[0].cpu_thread_policy
    return {"topology": [nodes, threads, found.emulator_threads_policy]}


def main() -> None:
    """Answer until the input ends."""
    objects.register_all()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


main()
