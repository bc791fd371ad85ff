"""What `computekit pci` prints as JSON."""

from computekit.model import Provider
from computekit.pci import (
    DeviceExplanation,
    DeviceGroup,
    Finding,
    KeptUnit,
    PciExplanation,
    PciMemory,
    PciPlan,
    ProviderWrite,
    render_pci_memory,
)

__all__ = ["plain_explanation", "plain_plan"]


def plain_explanation(explained: PciExplanation) -> dict[str, object]:
    """Return what becomes of each device."""
    return {
        "host": explained.host,
        "devices": [_device(one) for one in explained.devices],
        "groups": [_group(group) for group in explained.groups],
        "findings": [_finding(finding) for finding in explained.findings],
        "notes": [
            {"code": note.code.value, "entry": note.entry, "message": note.message}
            for note in explained.notes
        ],
    }


def plain_plan(plan: PciPlan, memory: PciMemory) -> dict[str, object]:
    """Return that, the providers, the units and what is to be remembered."""
    return {
        **plain_explanation(plan.explanation),
        "providers": [_provider(provider) for provider in plan.tree],
        "units": [_unit(kept) for kept in plan.state.units],
        "writes": [_write(write) for write in plan.writes],
        "memory": render_pci_memory(memory),
    }


def _device(one: DeviceExplanation) -> dict[str, object]:
    device = one.device

    def address(value: object) -> str | None:
        return None if value is None else str(value)

    return {
        "address": str(device.address),
        "type": device.type.value,
        "vendor_id": f"{device.vendor_id:04x}",
        "product_id": f"{device.product_id:04x}",
        "class_code": f"{device.class_code:06x}",
        "numa_node": device.numa_node,
        "iommu_group": device.iommu_group,
        "driver": device.driver,
        "parent": address(device.physical_function),
        "vf_index": device.vf_index,
        "upstream_port": address(device.upstream_port),
        "root_port": address(device.root_port),
        "card_serial": one.card_serial,
        "spec": one.specs[0] if one.specs else None,
        "specs": list(one.specs),
        "resource_class": one.resource_class,
        "traits": list(one.traits),
        "group": one.group,
        "role": one.role,
        "provider": one.provider,
        "pool": one.pool,
        "aliases": list(one.aliases),
        "warnings": [_finding(finding) for finding in one.findings],
    }


def _group(group: DeviceGroup) -> dict[str, object]:
    return {
        "name": group.name,
        "type": group.type,
        "resource_class": group.resource_class,
        "traits": sorted(group.traits),
        "members": [
            {"address": str(member.device.address), "role": member.role} for member in group.members
        ],
        "missing": [str(address) for address in group.missing],
        "numa_nodes": sorted(node for node in group.numa_nodes if node is not None),
        "signature": group.signature,
        "degraded": group.degraded,
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "path": finding.path,
        "message": finding.message,
        "devices": [str(address) for address in finding.devices],
    }


def _provider(provider: Provider) -> dict[str, object]:
    return {
        "uuid": provider.id,
        "name": provider.name,
        "parent": provider.parent,
        "inventories": {
            name: {
                "total": it.total,
                "reserved": it.reserved,
                "min_unit": it.min_unit,
                "max_unit": it.max_unit,
                "step_size": it.step_size,
                "allocation_ratio": it.allocation_ratio,
            }
            for name, it in sorted(provider.inventories.items())
        },
        "traits": sorted(provider.traits),
    }


def _unit(kept: KeptUnit) -> dict[str, object]:
    holding = kept.holding
    return {
        "unit": kept.unit.key,
        "standing": kept.standing.value,
        "held_by": None if holding is None else holding.consumer,
        "provider": kept.unit.provider_name,
        "resource_class": kept.unit.resource_class,
        "devices": [str(member.address) for member in kept.unit.members],
        "missing": [str(address) for address in kept.unit.missing],
    }


def _write(write: ProviderWrite) -> dict[str, object]:
    return {
        "kind": write.kind.value,
        "provider": write.provider.name,
        "generation": write.generation,
        "withdraws": write.withdraws,
    }
