"""Compare which devices are near enough to a guest with Nova's own NUMA policies.

    python -m tests.parity.pci_numa [--peer PYTHON] [--cases 10000] [--seed 1]

Each case is a host with a few equal devices on nodes on sockets, and a guest on some of the nodes.
"""

import json
import random
import sys
from collections.abc import Mapping

from computekit.ids import ProviderId
from computekit.model import FrozenMap, ResourceClass
from computekit.pci import (
    AliasOption,
    DeviceUnit,
    DeviceWant,
    GuestPlace,
    KeptUnit,
    NumaPolicy,
    PciAddress,
    PciDevice,
    PciState,
    UnitChoice,
    UnitMember,
    choose_units,
)
from computekit.pci.unit import device_id
from tests.parity.nova_side import arguments, ask, report

NAME = ResourceClass("CUSTOM_PCI_10DE_0001")
OPTION = AliasOption("alias[0]", vendor_id=0x10DE, product_id=1)


def generated(source: random.Random) -> dict[str, object]:
    """Return a case."""
    nodes = source.choice((1, 2, 4))
    return {
        "sockets": [source.choice((None, 0, 0, 1)) for _ in range(nodes)],
        "devices": [
            source.choice((None, *range(nodes), *range(nodes)))
            for _ in range(source.choice((1, 2, 3, 5)))
        ],
        "guest": source.sample(range(nodes), source.randint(0, nodes)),
        "policy": source.choice([policy.value for policy in NumaPolicy]),
        "count": source.choice((1, 1, 2, 3)),
    }


def ours(case: Mapping[str, object]) -> bool:
    """Return whether ours finds devices."""
    devices, sockets, guest = case["devices"], case["sockets"], case["guest"]
    count, policy = case["count"], NumaPolicy(case["policy"])
    assert isinstance(devices, list)
    assert isinstance(sockets, list)
    assert isinstance(guest, list)
    assert isinstance(count, int)
    units = []
    for at, node in enumerate(devices):
        device = PciDevice(PciAddress(0, at + 1, 0, 0), 0x10DE, 1, 0x030000, numa_node=node)
        member = UnitMember(device, device_id(device, None))
        provider = ProviderId(f"p-{at}")
        units.append(KeptUnit(DeviceUnit(provider, provider, NAME, frozenset(), (member,))))
    place = GuestPlace(frozenset(guest), FrozenMap(enumerate(sockets))) if guest else None
    wants = [DeviceWant(f"w-{at}", OPTION, policy) for at in range(count)]
    return isinstance(choose_units(PciState(tuple(units)), wants, (), place), UnitChoice)


def main() -> int:
    options = arguments(__doc__)
    source = random.Random(options.seed)
    cases = [generated(source) for _ in range(options.cases)]
    answers = ask(options.peer, "pci_numa_peer.py", map(json.dumps, cases))
    wrong: list[str] = []
    fits = 0
    for case, answer in zip(cases, answers, strict=True):
        found = ours(case)
        fits += found
        if found != answer:
            wrong.append(f"{json.dumps(case)} nova {answer} ours {found}")
    return report({"cases": len(cases), "fits": fits}, wrong)


if __name__ == "__main__":
    sys.exit(main())
