"""Nova's side of the comparison of NUMA policies of devices; run by a Python that has nova.

Reads one case a line as JSON: the node of each device, the socket of each node, the nodes of the
guest, a policy, a count. Answers whether the host supports the request.
"""

import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import conf, objects  # type: ignore[import-not-found]  # noqa: E402  # only there
from nova.pci import stats, whitelist  # type: ignore[import-not-found]  # noqa: E402  # only there

objects.register_all()
conf.CONF([], project="nova", default_config_files=[])
SPEC = json.dumps({"vendor_id": "10de", "product_id": "0001"})


def answer(case: Mapping[str, Any]) -> bool:
    """Return whether the host supports the request."""
    cells = [
        objects.NUMACell(
            id=node,
            cpuset={node},
            pcpuset=set(),
            memory=1,
            cpu_usage=0,
            memory_usage=0,
            pinned_cpus=set(),
            siblings=[],
            mempages=[],
            socket=socket,
        )
        for node, socket in enumerate(case["sockets"])
    ]
    pools = stats.PciDeviceStats(
        objects.NUMATopology(cells=cells), dev_filter=whitelist.Whitelist([SPEC])
    )
    for at, node in enumerate(case["devices"]):
        device = {
            "compute_node_id": 1,
            "address": f"0000:{at + 1:02x}:00.0",
            "vendor_id": "10de",
            "product_id": "0001",
            "numa_node": node,
            "dev_type": "type-PCI",
            "parent_addr": None,
            "label": "x",
            "dev_id": f"d{at}",
            "capabilities": {},
        }
        pools.add_device(objects.PciDevice.create(None, device))
    request = objects.InstancePCIRequest(
        count=case["count"],
        spec=[{"vendor_id": "10de", "product_id": "0001"}],
        alias_name="a",
        numa_policy=case["policy"],
        request_id="6f1c9d60-0000-4000-8000-000000000001",
    )
    guest = [objects.InstanceNUMACell(id=node) for node in case["guest"]] or None
    return bool(pools.support_requests([request], {}, numa_cells=guest))


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
