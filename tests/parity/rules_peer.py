"""Nova's side of the comparison of filters; run by the Python of an environment that has nova.

Reads one case a line as JSON: the name of a filter, settings, a host, a request. Answers true,
false or the name of a crash; of a multiplier, the number.
"""

import datetime
import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import conf, objects  # type: ignore[import-not-found]  # noqa: E402  # only there
from nova.scheduler import (  # type: ignore[import-not-found]  # noqa: E402  # only there
    filters,
    host_manager,
    utils,
)

objects.register_all()
_NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class _Up:
    """A service group that finds what a case says."""

    def __init__(self, up: bool) -> None:
        self._up = up

    def service_is_up(self, _service: object) -> bool:
        return self._up


def host_of(case: Mapping[str, Any]) -> "host_manager.HostState":
    """Return the host in Nova's objects."""
    host = host_manager.HostState(case["name"], case["name"], None)
    host.free_ram_mb = case["free_ram_mb"]
    host.total_usable_ram_mb = case["total_usable_ram_mb"]
    host.vcpus_total = case["vcpus_total"]
    host.vcpus_used = case["vcpus_used"]
    host.num_instances = case["instances"]
    host.num_io_ops = case["io_ops"]
    host.hypervisor_type = case["hypervisor"]
    host.hypervisor_version = case["version"]
    host.hypervisor_hostname = case["name"]
    host.host_ip = case["address"]
    host.cpu_info = {"arch": case["arch"], "model": case["cpu_model"]}
    if case["bits"] is not None:
        host.cpu_info["maxphysaddr"] = {"mode": "emulate", "bits": case["bits"]}
    host.supported_instances = [kind.split("/") for kind in case["guests"]]
    host.stats = {}
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
    host.instances = {name: objects.Instance(uuid=name) for name in case["members"]}
    host.service = {"disabled": case["disabled"], "host": case["name"], "binary": "nova-compute"}
    return host


def spec_of(case: Mapping[str, Any]) -> "objects.RequestSpec":
    """Return the request in Nova's objects."""
    image = case["image"]
    return objects.RequestSpec(
        context=None,
        project_id=case["project"],
        flavor=objects.Flavor(
            name=case["flavor"],
            extra_specs=case["specs"],
            vcpus=1,
            memory_mb=512,
            root_gb=1,
            ephemeral_gb=0,
            swap=0,
        ),
        image=objects.ImageMeta.from_dict({"id": case["image_id"], "properties": image}),
        scheduler_hints={key: list(values) for key, values in case["hints"].items()},
        numa_topology=None,
        pci_requests=None,
        instance_uuid="00000000-0000-0000-0000-000000000000",
    )


def answer(case: Mapping[str, Any]) -> object:
    """Return what Nova says."""
    conf.CONF.reset()
    for group, options in case["settings"].items():
        for name, value in options.items():
            conf.CONF.set_override(name, value, group)
    host = host_of(case["host"])
    if case["filter"] == "multiplier":
        name, configured = case["option"]
        return utils.get_weight_multiplier(host, name, configured)
    kind = next(k for k in filters.all_filters() if k.__name__ == case["filter"])
    found = kind()
    if case["filter"] == "ComputeFilter":
        found.servicegroup_api = _Up(case["host"]["up"])
    return bool(found.host_passes(host, spec_of(case["request"])))


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
