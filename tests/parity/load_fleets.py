"""The fleets and the questions of the speed comparison."""

import uuid
from collections.abc import Iterator, Mapping

import attrs

__all__ = ["DEVICE", "FLEETS", "Fleet", "Part", "candidate_paths", "identity"]

Stock = Mapping[str, int | float]

DEVICE = "CUSTOM_CARD"
GROUPS = 6
_NAMESPACE = uuid.UUID("9a0f5b0e-6a2c-5d0a-8f39-7c1f0b6f2a11")


def identity(*what: object) -> str:
    """Return the same UUID for the same words."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, what))))


@attrs.frozen
class Part:
    """A provider to be written.

    Attributes:
        id: of the provider.
        name: of the provider.
        parent: its id, or None.
        inventories: by class.
        traits: names.
        aggregates: ids.
    """

    id: str
    name: str
    parent: str | None
    inventories: Mapping[str, Stock]
    traits: tuple[str, ...] = ()
    aggregates: tuple[str, ...] = ()


@attrs.frozen
class Fleet:
    """A number of equal trees.

    Attributes:
        name: `flat`, `nested` or `wide`.
        hosts: how many trees.
    """

    name: str
    hosts: int

    def trees(self) -> Iterator[tuple[Part, ...]]:
        """Yield each host with what is below it, parents first."""
        make = {"flat": _flat, "nested": _nested, "wide": _wide}[self.name]
        for number in range(self.hosts):
            yield make(number)


FLEETS = ("flat", "nested", "wide")


def _stock(total: int, reserved: int = 0, ratio: float = 1.0) -> Stock:
    return {"total": total, "reserved": reserved, "max_unit": total, "allocation_ratio": ratio}


def _flat(number: int) -> tuple[Part, ...]:
    own = {
        "VCPU": _stock(96, ratio=4.0),
        "MEMORY_MB": _stock(524288, 4096),
        "DISK_GB": _stock(6000, 50),
    }
    traits = ("HW_CPU_X86_AVX512F", "COMPUTE_NODE") if number % 3 else ("COMPUTE_NODE",)
    row = identity("row", number // 50)
    return (Part(identity("flat", number), f"flat-{number}", None, own, traits, (row,)),)


def _nested(number: int) -> tuple[Part, ...]:
    root = identity("nested", number)
    parts = [Part(root, f"nested-{number}", None, {"DISK_GB": _stock(6000)}, ("COMPUTE_NODE",))]
    for cell in range(2):
        numa = identity("cell", number, cell)
        own = {"VCPU": _stock(48, ratio=4.0), "MEMORY_MB": _stock(262144, 2048)}
        parts.append(Part(numa, f"nested-{number}-cell-{cell}", root, own, ("HW_NUMA_ROOT",)))
        net = f"CUSTOM_NET_{'LEFT' if cell == 0 else 'RIGHT'}"
        port = identity("port", number, cell)
        functions = {"SRIOV_NET_VF": _stock(8)}
        name = f"nested-{number}-port-{cell}"
        parts.append(Part(port, name, numa, functions, ("HW_NIC_SRIOV", net)))
    return tuple(parts)


def _wide(number: int) -> tuple[Part, ...]:
    root = identity("wide", number)
    own = {"VCPU": _stock(96), "MEMORY_MB": _stock(524288)}
    cards = (
        Part(identity("card", number, n), f"wide-{number}-{n}", root, {DEVICE: _stock(1)})
        for n in range(8)
    )
    return (Part(root, f"wide-{number}", None, own), *cards)


def candidate_paths(fleet: str) -> Mapping[str, str]:
    """Return the questions that are put to a fleet, by name."""
    search = "/allocation_candidates?"
    if fleet == "flat":
        plain = "resources=VCPU:2,MEMORY_MB:4096,DISK_GB:20"
        return {
            "limit 100": f"{search}{plain}&limit=100",
            "limit 1000": f"{search}{plain}&limit=1000",
        }
    if fleet == "nested":
        return {
            "(b) a cell and a port below it": (
                f"{search}resources=DISK_GB:20"
                "&resources_C=VCPU:4,MEMORY_MB:8192&required_C=HW_NUMA_ROOT"
                "&resources_P=SRIOV_NET_VF:1&required_P=HW_NIC_SRIOV,CUSTOM_NET_LEFT"
                "&same_subtree=_C,_P&group_policy=none"
            ),
            "(b2) two cells, each with a port": (
                f"{search}resources=DISK_GB:20"
                "&resources_C0=VCPU:2,MEMORY_MB:4096&required_C0=HW_NUMA_ROOT"
                "&resources_C1=VCPU:2,MEMORY_MB:4096&required_C1=HW_NUMA_ROOT"
                "&resources_P0=SRIOV_NET_VF:1&resources_P1=SRIOV_NET_VF:1"
                "&same_subtree=_C0,_P0&same_subtree=_C1,_P1&group_policy=isolate"
            ),
        }
    groups = "".join(f"&resources_G{n}={DEVICE}:1" for n in range(GROUPS))
    return {
        f"{GROUPS} devices of 8, limit 100": (
            f"{search}resources=VCPU:2,MEMORY_MB:4096{groups}&group_policy=none&limit=100"
        )
    }
