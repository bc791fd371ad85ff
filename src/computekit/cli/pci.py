"""`computekit pci`: what becomes of a host's devices, before anything is written."""

import json
import sys
from pathlib import Path
from socket import gethostname

import attrs
import click

from computekit.errors import InvalidInput
from computekit.pci import (
    DeviceExplanation,
    DeviceGroup,
    Finding,
    HostDevices,
    PciExplanation,
    explain_devices,
    parse_pci_config,
    read_nodedevs,
    read_sysfs,
)

__all__ = ["pci"]

_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FAULTY = 2


@click.group()
def pci() -> None:
    """Look at PCI devices and at what a configuration makes of them."""


@pci.command()
@click.option("--sysfs", type=_DIRECTORY, help="/sys, or a copy of it.")
@click.option("--nodedev", type=_DIRECTORY, help="Of libvirt's node-device XML files.")
@click.option("--config", type=_FILE, required=True, help="TOML, or JSON if it ends in .json.")
@click.option("--host", default=gethostname, show_default="this one", help="Its name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(
    sysfs: Path | None, nodedev: Path | None, config: Path, host: str, as_json: bool
) -> None:
    """Print what becomes of each device, and why.

    With faults in the configuration it prints them all, as a list of objects with code, path and
    message if JSON is asked for, and ends with 2.
    """
    found = _discover(sysfs, nodedev)
    syntax = "json" if config.suffix == ".json" else "toml"
    try:
        explained = explain_devices(
            parse_pci_config(config.read_text("utf-8"), syntax=syntax), found, host
        )
    except InvalidInput as error:
        faults = [attrs.asdict(fault) for fault in error.faults]
        if as_json:
            click.echo(json.dumps(faults, indent=2))
        else:
            for fault in error.faults:
                click.echo(f"{fault.code} {fault.path}: {fault.message}", err=True)
        sys.exit(_FAULTY)
    click.echo(json.dumps(_plain(explained), indent=2) if as_json else _text(explained))


def _discover(sysfs: Path | None, nodedev: Path | None) -> HostDevices:
    if sysfs is not None and nodedev is None:
        inner = sysfs / "sys"
        # A copy that was unpacked with its first directory is meant as well.
        return read_sysfs(inner if (inner / "bus/pci/devices").is_dir() else sysfs)
    if nodedev is not None and sysfs is None:
        return read_nodedevs(nodedev)
    raise click.UsageError("say where the devices are: either --sysfs or --nodedev")


def _text(explained: PciExplanation) -> str:
    parts = [explained.table().text(), "", explained.tree().text()]
    if explained.findings or explained.notes:
        parts.append("")
    parts.extend(
        f"{it.severity.value} {it.code} {it.path}: {it.message}" for it in explained.findings
    )
    parts.extend(f"note {it.code.value} {it.entry}: {it.message}" for it in explained.notes)
    return "\n".join(parts)


def _plain(explained: PciExplanation) -> dict[str, object]:
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
