"""Compare what aliases and flavors ask for with Nova's own reading of them.

    python -m tests.parity.pci_alias [--peer PYTHON] [--cases 10000] [--seed 1]

Ours is otherwise on purpose:

- A count of 0, or above 64, is refused (A21). Nova takes both.
- Where Nova crashes (a count that is missing or no number), ours refuses (A20). Two aliases of one
  name that leave out the device type are taken; Nova says that `dev_type` is wrong.
- A flavor's faults count only if a flavor asks; ours reads all aliases when it starts, as Nova
  does with the first flavor.
- The type `vdpa` is not known here (A09).
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping

from computekit.errors import Fault
from computekit.pci import AliasOption, NumaPolicy, parse_alias_request, parse_aliases
from computekit.pci.names import resource_class_of, traits_of
from tests.parity.nova_side import arguments, ask, report

ASKED = ("a:1", "b:2", "a:1,b:3", "a:64", "a:1,a:2", "c:1", "a:0", "a:65", "a", "a:x", "a:1,")


def generated(source: random.Random) -> dict[str, object]:
    """Return a case."""
    names = source.choice((("a",), ("a", "b"), ("a", "b"), ("a", "a"), ("b", "a", "b")))
    aliases = [_alias(name, source) for name in names]
    return {
        "aliases": [json.dumps(alias) for alias in aliases],
        "in_placement": source.random() < 0.6,
        "asked": source.choice(ASKED[:3] if source.random() < 0.7 else ASKED),
    }


def _alias(name: str, source: random.Random) -> dict[str, object]:
    alias: dict[str, object] = {"name": name}
    words: Mapping[str, tuple[object, ...]] = {
        "vendor_id": ("10de", "10DE", "8086", "1de", "*"),
        "product_id": ("0001", "0001", "zzzz"),
        "device_type": ("type-PCI", "type-PF", "type-VF", "type-XX"),
        "numa_policy": ("required", "legacy", "preferred", "socket", "near"),
        "resource_class": ("x", "CUSTOM_Y", "VGPU", "a-b"),
        "traits": ("fast", "fast,HW_NIC_SRIOV", ""),
        "live_migratable": ("yes", "no", "maybe", True),
        "capability_type": ("pci", "usb"),
        "other": ("x",),
    }
    often = {"vendor_id": 0.95, "product_id": 0.95, "other": 0.02, "capability_type": 0.1}
    for key, values in words.items():
        if source.random() < often.get(key, 0.35):
            usual = len(values) if source.random() < 0.04 else max(1, len(values) - 2)
            alias[key] = source.choice(values[:usual])
    return alias


def ours(case: Mapping[str, object]) -> object:
    """Return what ours says of a case, as the peer says it."""
    faults: list[Fault] = []
    aliases, asked = case["aliases"], case["asked"]
    assert isinstance(aliases, list)
    assert isinstance(asked, str)
    read = parse_aliases(aliases, faults, in_placement=case["in_placement"] is True)
    counts = parse_alias_request(asked, read, "flavor", faults)
    if faults:
        return {"refused": sorted({fault.code for fault in faults})}
    return [
        {
            "alias": it.name,
            "count": it.count,
            "policy": (read[it.name].numa_policy or NumaPolicy.LEGACY).value,
            "options": [_plain(option) for option in read[it.name].options],
        }
        for it in counts
    ]


def _plain(option: AliasOption) -> dict[str, object]:
    said: dict[str, object] = {
        "vendor_id": option.vendor_id,
        "product_id": option.product_id,
        "dev_type": None if option.device_type is None else option.device_type.value,
        "resource_class": option.resource_class,
        "traits": sorted(option.traits) or None,
        "live_migratable": option.live_migratable,
    }
    return {key: value for key, value in said.items() if value is not None}


def theirs(answer: object) -> object:
    """Return a peer's answer with its words read as ours are."""
    if not isinstance(answer, list):
        return answer
    return [{**it, "options": [_read(option) for option in it["options"]]} for it in answer]


def _read(option: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in option.items():
        if key in {"vendor_id", "product_id"}:
            found[key] = int(value, 16)
        elif key == "resource_class":
            found[key] = resource_class_of(value)
        elif key == "traits":
            found[key] = sorted(traits_of(value))
        elif key == "live_migratable":
            found[key] = value == "true"
        else:
            found[key] = value
    return {key: value for key, value in found.items() if value != []}


def _untyped_twice(case: Mapping[str, object]) -> bool:
    """Return whether two aliases of one name leave out the device type."""
    aliases = case["aliases"]
    assert isinstance(aliases, list)
    read = [json.loads(alias) for alias in aliases]
    names = [alias["name"] for alias in read if "device_type" not in alias]
    return len(set(names)) < len(names)


def main() -> int:
    options = arguments(__doc__)
    source = random.Random(options.seed)
    cases = [generated(source) for _ in range(options.cases)]
    answers = ask(options.peer, "pci_alias_peer.py", map(json.dumps, cases))
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    for case, answer in zip(cases, answers, strict=True):
        mine, other = ours(case), theirs(answer)
        if _untyped_twice(case) and isinstance(mine, list) and isinstance(other, dict):
            kinds["nova misses device types"] += 1
        elif isinstance(other, dict) and "crashed" in other:
            kinds["nova crashed"] += 1
        elif isinstance(mine, dict) and mine["refused"] == ["A21"] and isinstance(other, list):
            kinds["refused for its count"] += 1
        elif isinstance(mine, dict) and isinstance(other, dict):
            kinds["refused"] += 1
        elif mine == other:
            kinds["same"] += 1
        else:
            wrong.append(f"{json.dumps(case)} nova {other} ours {mine}")
    return report({"cases": len(cases), **kinds}, wrong)


if __name__ == "__main__":
    sys.exit(main())
