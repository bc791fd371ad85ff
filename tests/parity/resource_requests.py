"""Compare what flavors and images ask of resource providers with Nova's reading.

    python -m tests.parity.resource_requests [--peer PYTHON] [--cases 10000] [--seed 1]

Where both take a case they must ask the same: amounts, traits and group policy of each group. What
Nova passes over with a line in its log we refuse; that is counted by the code of the fault. What
Nova refuses we refuse.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Mapping

from computekit.errors import InvalidInput
from computekit.guest import HostDefaults, resolve
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image
from computekit.scheduler import translate
from computekit.units import Bytes, Gib, Mib
from tests.parity.nova_side import arguments, ask, report

SPECS: Mapping[str, list[str]] = {
    "resources:VCPU": ["0", "4", "2"],
    "resources:MEMORY_MB": ["0", "2048"],
    "resources:DISK_GB": ["0", "7"],
    "resources:VGPU": ["1", "2", "-1", "x"],
    "resources:CUSTOM_A": ["3"],
    "resources:NO_SUCH": ["1"],
    "resources:PCPU": ["4", "5"],
    "resources1:VGPU": ["1", "0"],
    "resources1:MEMORY_MB": ["1024"],
    "resources_b:CUSTOM_A": ["1"],
    "trait:HW_CPU_X86_AVX2": ["required", "forbidden", "maybe"],
    "trait:CUSTOM_GOLD": ["required"],
    "trait1:CUSTOM_GOLD": ["required", "forbidden"],
    "trait_b:CUSTOM_RED": ["required"],
    "group_policy": ["none", "isolate", "odd"],
    "hw:cpu_policy": ["shared", "dedicated", "mixed"],
    "hw:cpu_dedicated_mask": ["0-1"],
    "hw:cpu_thread_policy": ["prefer", "isolate", "require"],
    "hw:emulator_threads_policy": ["share", "isolate"],
    "hw:numa_nodes": ["1", "2"],
    "hw:firmware_type": ["uefi"],
    "os:secure_boot": ["required", "optional", "disabled"],
    "hw:tpm_version": ["1.2", "2.0"],
    "hw:tpm_model": ["tpm-tis", "tpm-crb"],
    "hw:maxphysaddr_mode": ["passthrough", "emulate"],
    "hw:pci_numa_affinity_policy": ["required", "socket"],
}
PROPERTIES: Mapping[str, list[str]] = {
    "trait:CUSTOM_SILVER": ["required"],
    "trait:CUSTOM_GOLD": ["required"],
    "hw_firmware_type": ["uefi"],
    "hw_firmware_stateless": ["true", "false"],
    "os_secure_boot": ["required", "disabled"],
    "hw_cpu_policy": ["shared", "dedicated"],
}
OF_OUR_OWN = frozenset({"HW_ARCH_X86_64", "COMPUTE_FIRMWARE_UEFI"})
"""What we ask of every host, or of every host for UEFI."""
BY_REQUEST_FILTER = "COMPUTE_SECURITY_TPM_SECRET_SECURITY_"
"""What Nova adds to the same request a moment earlier."""

Case = tuple[Flavor, Image]
Groups = Mapping[str, tuple[Mapping[str, int], list[str], list[str]]]


def generated(source: random.Random) -> Case:
    """Return one case with a few keys."""
    specs = {k: source.choice(v) for k, v in SPECS.items() if source.random() < 0.12}
    properties = {k: source.choice(v) for k, v in PROPERTIES.items() if source.random() < 0.12}
    flavor = Flavor(
        FlavorId("f"),
        "f",
        4,
        Mib(1024),
        Gib(source.choice([1, 10])),
        Gib(source.choice([0, 0, 1])),
        Mib(source.choice([0, 100, 1024, 1025])),
        extra_specs=FrozenMap(specs),
    )
    image = Image(
        ImageId("i"), "i", "raw", Bytes(1), Bytes(1), "", properties=FrozenMap(properties)
    )
    return flavor, image


def as_json(case: Case) -> str:
    """Return a case as the peer's side reads it."""
    flavor, image = case
    return json.dumps(
        {
            "vcpus": flavor.vcpus,
            "memory": flavor.memory_mib,
            "root": flavor.disk_gib,
            "ephemeral": flavor.ephemeral_gib,
            "swap": flavor.swap_mib,
            "specs": dict(flavor.extra_specs),
            "properties": dict(image.properties),
        }
    )


def ours(case: Case) -> tuple[Groups, str | None] | InvalidInput:
    """Return our reading in the peer's words, or why it is refused."""
    try:
        guest = resolve(*case, HostDefaults())
    except InvalidInput as error:
        return error
    asked = translate(guest)
    groups: dict[str, tuple[Mapping[str, int], list[str], list[str]]] = {
        group.suffix: (
            {str(name): amount for name, amount in group.resources.items()},
            sorted(trait for traits in group.required for trait in traits),
            sorted(group.forbidden),
        )
        for group in asked.groups
    }
    amounts, required, forbidden = groups.get("", ({}, [], []))
    of_root = {t for t in asked.root_required if not t.startswith(BY_REQUEST_FILTER)} - OF_OUR_OWN
    groups[""] = amounts, sorted({*required, *of_root}), sorted({*forbidden, *asked.root_forbidden})
    return groups, asked.group_policy


def main() -> int:
    """Compare as the command line says."""
    given = arguments(__doc__)
    source = random.Random(given.seed)
    cases = [generated(source) for _ in range(given.cases)]
    answers = ask(given.peer, "resource_requests_peer.py", map(as_json, cases))
    listed: Counter[str] = Counter()
    wrong: list[str] = []
    same = 0
    for case, theirs in zip(cases, answers, strict=True):
        mine = ours(case)
        assert isinstance(theirs, dict)
        if isinstance(mine, InvalidInput):
            refused = "both" if "refused" in theirs else "ours alone"
            listed.update({f"refused by {refused}: {mine.faults[0].code}": 1})
            continue
        groups, policy = mine
        shown = {suffix: list(map(_plain, group)) for suffix, group in groups.items()}
        if theirs == {"groups": shown, "policy": policy}:
            same += 1
        elif _is_stateless_by_flavor(case):
            listed.update({"stateless firmware where the flavor says UEFI": 1})
        else:
            wrong.append(f"{as_json(case)}\n  ours   {shown} {policy}\n  theirs {theirs}")
    result: dict[str, object] = {"cases": len(cases), "same": same, "listed": dict(listed)}
    return report(result, wrong)


def _is_stateless_by_flavor(case: Case) -> bool:
    """Return whether Nova passes over stateless firmware since the image does not say UEFI."""
    flavor, image = case
    said = image.properties.get("hw_firmware_type", "")
    return image.properties.get("hw_firmware_stateless") == "true" and (
        flavor.extra_specs.get("hw:firmware_type") == "uefi" and said != "uefi"
    )


def _plain(part: object) -> object:
    return dict(part) if isinstance(part, Mapping) else part


if __name__ == "__main__":
    sys.exit(main())
