"""Nova's side of the comparison of PCI devices; run by the Python of an environment that has nova.

Reads one case a line as JSON: device specs in order, devices. Answers for each case what each spec
alone makes of each device, and the providers of the host; or that Nova refuses.
"""

import json
import sys
import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import conf, exception, objects  # type: ignore[import-not-found]  # noqa: E402
from nova.compute import (  # type: ignore[import-not-found]  # noqa: E402  # only there
    pci_placement_translator,
    provider_tree,
)
from nova.pci import devspec  # type: ignore[import-not-found]  # noqa: E402  # only there

objects.register_all()
conf.CONF([], project="nova", default_config_files=[])
conf.CONF.set_override("report_in_placement", True, "pci")
HOST = "h1"
ROOT = "6f1c9d60-0000-4000-8000-000000000001"


def specs_of(case: Mapping[str, Any]) -> "list[devspec.PciDeviceSpec] | None":
    """Return Nova's specs; None if it refuses one."""
    pfs = {it["address"] for it in case["devices"] if it["dev_type"] == "type-PF"}
    # Nova asks the sysfs of its own machine while it reads a spec.
    devspec.utils.is_physical_function = lambda domain, bus, slot, func: (
        f"{domain}:{bus}:{slot}.{func}" in pfs
    )
    try:
        return [devspec.PciDeviceSpec(dict(spec)) for spec in case["specs"]]
    except (exception.NovaException, ValueError):
        return None


def providers(case: Mapping[str, Any], specs: "list[devspec.PciDeviceSpec]") -> object:
    """Return the providers that Nova makes; None if it refuses."""
    devices = [
        objects.PciDevice.create(None, {**it, "compute_node_id": 1}) for it in case["devices"]
    ]
    for number, device in enumerate(devices):
        device.id = number
        device.instance_uuid = None
    by_address = {device.address: device for device in devices}
    for device in devices:
        parent = by_address.get(device.parent_addr)
        if parent is not None:
            device.parent_device = parent
            parent.child_devices = [*(parent.child_devices or []), device]
    by_spec = {}
    for raw, device in zip(case["devices"], devices, strict=True):
        by_spec[device.address] = next((spec for spec in specs if spec.match(raw)), None)
    listed = [device for device in devices if by_spec[device.address] is not None]
    tracker = SimpleNamespace(
        pci_devs=listed,
        stats=SimpleNamespace(populate_pools_metadata_from_assigned_devices=lambda: None),
        dev_filter=SimpleNamespace(specs=specs, get_devspec=lambda device: by_spec[device.address]),
    )
    tree = provider_tree.ProviderTree()
    tree.new_root(HOST, ROOT, generation=0)
    try:
        pci_placement_translator.update_provider_tree_for_pci(tree, HOST, tracker, {}, [])
    except exception.NovaException as error:
        return {"refused": type(error).__name__}
    found = {}
    for uuid in tree.get_provider_uuids():
        data = tree.data(uuid)
        if uuid != ROOT:
            found[data.name] = {
                "inventory": {name: stock["total"] for name, stock in data.inventory.items()},
                "traits": sorted(data.traits),
            }
    return found


def answer(case: Mapping[str, Any]) -> object:
    """Return what Nova says of a case."""
    specs = specs_of(case)
    if specs is None:
        return {"specs": None}
    matches = [[bool(spec.match(it)) for it in case["devices"]] for spec in specs]
    return {"specs": matches, "tree": providers(case, specs)}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
