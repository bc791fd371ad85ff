"""Nova's side of the comparison of weighers; run by the Python of an environment that has nova.

Reads one case a line as JSON: hosts, a request, settings. Answers the weight of each host by name.
"""

import datetime
import json
import sys
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import conf, context, objects  # type: ignore[import-not-found]  # noqa: E402  # only there
from nova.scheduler import (  # type: ignore[import-not-found]  # noqa: E402  # only there
    host_manager,
    weights,
)

objects.register_all()
# The weigher of image properties asks the database of the cell for the metadata of instances.
objects.CellMapping.get_by_uuid = lambda *_: None
objects.InstanceList.fill_metadata = lambda *_: None
context.target_cell = lambda *_: nullcontext()
_NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def host_of(case: Mapping[str, Any]) -> "host_manager.HostState":
    """Return the host in Nova's objects."""
    host = host_manager.HostState(case["name"], case["name"], case["cell"])
    host.free_ram_mb = case["free_ram_mb"]
    host.free_disk_mb = case["free_disk_gb"] * 1024
    host.vcpus_total = 64
    host.cpu_allocation_ratio = 1.0
    host.vcpus_used = 64 - case["free_vcpus"]
    host.num_instances = case["instances"]
    host.num_io_ops = case["io_ops"]
    host.hypervisor_version = case["version"]
    host.failed_builds = case["failed_builds"]
    host.pci_stats = SimpleNamespace(pools=[{"count": case["devices"]}])
    host.metrics = objects.MonitorMetricList(
        objects=[
            objects.MonitorMetric(name=name, value=value, timestamp=_NOW, source="s")
            for name, value in case["metrics"].items()
        ]
    )
    host.aggregates = [
        objects.Aggregate(id=at, name=str(at), metadata=metadata, hosts=[case["name"]])
        for at, metadata in enumerate(case["aggregates"])
    ]
    host.instances = {
        uuid: objects.Instance(
            uuid=uuid,
            image_ref="",
            system_metadata={f"image_{key}": value for key, value in image.items()},
        )
        for uuid, image in case["members"].items()
    }
    return host


def spec_of(case: Mapping[str, Any]) -> "objects.RequestSpec":
    """Return the request in Nova's objects."""
    spec = objects.RequestSpec(
        context=None,
        image=objects.ImageMeta.from_dict({"properties": case["image"]}),
        instance_group=None,
        requested_destination=None,
    )
    if case["policy"]:
        spec.instance_group = objects.InstanceGroup(
            policy=case["policy"], members=case["group"], hosts=[]
        )
    if case["cell"]:
        spec.requested_destination = objects.Destination(
            cell=objects.CellMapping(uuid=case["cell"]), allow_cross_cell_move=True
        )
    return spec


def answer(case: Mapping[str, Any]) -> object:
    """Return what Nova says."""
    conf.CONF.reset()
    for group, options in case["settings"].items():
        for name, value in options.items():
            conf.CONF.set_override(name, value, group)
    handler = weights.HostWeightHandler()
    kinds = handler.get_matching_classes(["nova.scheduler.weights.all_weighers"])
    weighers = [kind() for kind in kinds]
    hosts = [host_of(host) for host in case["hosts"]]
    found = handler.get_weighed_objects(weighers, hosts, spec_of(case["request"]))
    return {weighed.obj.host: weighed.weight for weighed in found}


def main() -> None:
    """Answer until the input ends."""
    conf.CONF([], project="nova", default_config_files=[])
    for line in sys.stdin:
        case = json.loads(line)
        try:
            said: object = answer(case)
        except Exception as error:  # noqa: BLE001  # a crash of the peer is an answer of its own
            said = f"{type(error).__name__}: {error}"[:200]
        print(json.dumps(said), flush=True)


main()
