"""Compare what device specs make of a host's PCI devices with Nova's own matching and providers.

    python -m tests.parity.pci [--peer PYTHON] [--cases 10000] [--seed 1]

Each case is a host with cards and a few specs. Compared is which spec alone means which device, and
the providers with totals and traits. Ours is otherwise on purpose:

- Nova lets the first spec decide, ours the most specific one; cases list them in that order.
- Nova refuses VFs of one PF with several classes or traits; ours counts them apart.
- Nova keeps the space after a comma of a list of traits as a part of the next name; ours drops it.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping

from computekit.errors import Fault, InvalidInput
from computekit.pci import (
    HostDevices,
    PciAddress,
    PciDevice,
    PciHost,
    parse_device_specs,
    parse_pci_config,
    plan_devices,
)
from computekit.pci.matching import match_devices
from tests.parity.nova_side import arguments, ask, report

IDS = ("0001", "0002")
VENDOR = "10de"
GLOBS = (
    "*:*:*.*",
    "0000:01:00.0",
    "0000:01:00.1",
    "01:00.1",
    ":01:",
    "*:02:*.*",
    "02:00.*",
    "0000:02:00.2",
    "*:*:00.1",
    ".1",
    "1:",
    "0000:*:*.[1-2]",
)
EXPRESSIONS = (
    {"bus": "01"},
    {"bus": "0[12]", "function": "[1-2]"},
    {"domain": "0000", "bus": "02", "slot": "00", "function": "1"},
    {"function": ".*"},
    {"slot": "0"},
)
CLASSES = ("vf", "CUSTOM_X", "my-card", "VGPU", "a.b c")
BEYOND = frozenset({"PlacementPciMixedResourceClassException", "PlacementPciMixedTraitsException"})
"""What Nova refuses and ours counts apart; only different traits of one class are refused."""

REFUSALS = {
    "PlacementPciDependentDeviceException": "H01",
    "PlacementPciException": "H03",
}
TRAITS = ("", "fast", "HW_NIC_SRIOV", "fast,HW_NIC_SRIOV", "a-b,CUSTOM_C")


def generated(source: random.Random) -> dict[str, object]:
    """Return a case: specs in the order in which ours decide too, devices in Nova's words."""
    devices = _devices(source)
    specs = [_spec(source) for _ in range(source.choice((1, 1, 2, 3)))]
    specs.sort(key=_precedence)
    return {"specs": specs, "devices": devices}


def _devices(source: random.Random) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for bus in range(1, 1 + source.choice((1, 2))):
        card = f"0000:{bus:02x}:00"
        virtual = source.random() < 0.6
        for function in range(source.choice((1, 2, 4))):
            kind = "type-PCI"
            if virtual:
                kind = "type-VF" if function else "type-PF"
            found.append(
                {
                    "address": f"{card}.{function}",
                    "vendor_id": VENDOR,
                    "product_id": source.choice(IDS) if not virtual else IDS[function > 0],
                    "numa_node": source.choice((None, 0)),
                    "dev_type": kind,
                    "label": "x",
                    "parent_addr": f"{card}.0" if kind == "type-VF" else None,
                    "dev_id": f"d{bus}{function}",
                    "capabilities": {},
                }
            )
    return found


def _spec(source: random.Random) -> dict[str, object]:
    spec: dict[str, object] = {}
    if source.random() < 0.7:
        spec["vendor_id"] = source.choice((VENDOR, VENDOR.upper(), "*", "8086"))
    if source.random() < 0.7:
        spec["product_id"] = source.choice((*IDS, "*"))
    if source.random() < 0.6:
        spec["address"] = source.choice((*GLOBS, *EXPRESSIONS))
    if source.random() < 0.4:
        spec["resource_class"] = source.choice(CLASSES)
    if source.random() < 0.4:
        spec["traits"] = source.choice(TRAITS)
    for key in ("managed", "one_time_use", "tag"):
        if source.random() < 0.1:
            spec[key] = source.choice(("true", "false"))
    return spec


def _precedence(spec: Mapping[str, object]) -> int:
    faults: list[Fault] = []
    (parsed,) = parse_device_specs([dict(spec)], faults)
    if parsed.address is None or not parsed.address.narrows:
        return 2
    return 1 if parsed.address.exact is None else 0


def host_of(devices: list[Mapping[str, str]]) -> HostDevices:
    """Return the devices as ours."""
    found: list[PciDevice] = []
    for it in devices:
        kind = it["dev_type"]
        found.append(
            PciDevice(
                PciAddress.parse(it["address"]),
                int(it["vendor_id"], 16),
                int(it["product_id"], 16),
                0x020000,
                physical_function=PciAddress.parse(it["parent_addr"])
                if kind == "type-VF"
                else None,
                max_vfs=8 if kind == "type-PF" else 0,
            )
        )
    return HostDevices.of(found, ())


def matches(spec: Mapping[str, object], host: HostDevices) -> list[bool] | None:
    """Return which devices one spec alone means; None if it is refused."""
    try:
        config = parse_pci_config(json.dumps({"device_spec": [spec]}), syntax="json")
    except InvalidInput:
        return None
    found, _findings = match_devices(config.specs, host)
    meant = {match.device.address for match in found}
    return [device.address in meant for device in host.devices]


def tree(specs: list[Mapping[str, object]], host: HostDevices) -> object:
    """Return the providers that ours makes, as the peer says them."""
    try:
        config = parse_pci_config(json.dumps({"device_spec": specs}), syntax="json")
        plan = plan_devices(config, host, PciHost.named("h1"))
    except InvalidInput as error:
        return {"refused": sorted({fault.code for fault in error.faults})}
    return {
        it.name: {
            "inventory": {str(name): stock.total for name, stock in it.inventories.items()},
            "traits": sorted(it.traits),
        }
        for it in plan.tree
        if it.parent is not None
    }


def judged(case: Mapping[str, object], answer: object, wrong: list[str]) -> str:
    """Return what kind of answer both give; tell of one that ours gives without a reason."""
    specs, devices = case["specs"], case["devices"]
    assert isinstance(answer, dict)
    assert isinstance(specs, list)
    assert isinstance(devices, list)
    host = host_of(devices)
    ours = [matches(spec, host) for spec in specs]
    if answer["specs"] is None or None in ours:
        if (answer["specs"] is None) != (None in ours):
            wrong.append(f"refused by one: {json.dumps(specs)} nova {answer} ours {ours}")
        return "refused"
    if answer["specs"] != ours:
        wrong.append(f"matched otherwise: {json.dumps(case)} nova {answer['specs']} ours {ours}")
    made, theirs = tree(specs, host), answer["tree"]
    assert isinstance(made, dict)
    assert isinstance(theirs, dict)
    refusal = theirs.get("refused")
    if isinstance(refusal, str) and refusal in BEYOND:
        return "taken by ours only" if made.get("refused") in (None, ["H11"]) else "refused"
    if isinstance(refusal, str) or "refused" in made:
        if REFUSALS.get(str(refusal)) not in made.get("refused", ()):
            wrong.append(f"started by one: {json.dumps(case)} nova {theirs} ours {made}")
        return "refused"
    if made != theirs:
        wrong.append(f"provided otherwise: {json.dumps(case)} nova {theirs} ours {made}")
    return "same"


def main() -> int:
    options = arguments(__doc__)
    source = random.Random(options.seed)
    cases = [generated(source) for _ in range(options.cases)]
    answers = ask(options.peer, "pci_peer.py", map(json.dumps, cases))
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    for case, answer in zip(cases, answers, strict=True):
        kinds[judged(case, answer, wrong)] += 1
    return report({"cases": len(cases), **kinds}, wrong)


if __name__ == "__main__":
    sys.exit(main())
