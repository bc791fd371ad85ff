"""`computekit pci`: what becomes of a host's devices, before anything is written."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from socket import gethostname
from typing import TypeVar

import attrs
import click

from computekit.cli.pci_json import plain_explanation, plain_plan
from computekit.display import Page
from computekit.errors import InvalidInput
from computekit.ids import ProviderId, is_uuid
from computekit.pci import (
    HostDevices,
    PciAddress,
    PciConfig,
    PciHost,
    PciMemory,
    PciPlan,
    explain_devices,
    parse_pci_config,
    parse_pci_memory,
    plan_devices,
    read_nodedevs,
    read_sysfs,
)

__all__ = ["pci"]

T = TypeVar("T")

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
@click.option("--html", "as_html", is_flag=True, help="Print HTML with the devices drawn.")
def explain(
    sysfs: Path | None,
    nodedev: Path | None,
    config: Path,
    host: str,
    as_json: bool,
    as_html: bool,
) -> None:
    """Print what becomes of each device, and why.

    With faults in the configuration it prints them all, as a list of objects with code, path and
    message if JSON is asked for, and ends with 2.
    """
    found = _discover(sysfs, nodedev)
    explained = _or_faults(lambda: explain_devices(_config(config), found, host), as_json)
    if as_json:
        click.echo(json.dumps(plain_explanation(explained), indent=2))
    else:
        _show(explained.page(), as_html=as_html)


@pci.command()
@click.option("--sysfs", type=_DIRECTORY, help="/sys, or a copy of it.")
@click.option("--nodedev", type=_DIRECTORY, help="Of libvirt's node-device XML files.")
@click.option("--config", type=_FILE, required=True, help="TOML, or JSON if it ends in .json.")
@click.option("--host", default=gethostname, show_default="this one", help="Its name.")
@click.option("--provider", help="UUID of the host's provider; made of its name unless said.")
@click.option("--state", type=_FILE, help="What the host remembers: printed before, as JSON.")
@click.option("--forget", multiple=True, help="Address of a device that is gone for good.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "as_html", is_flag=True, help="Print HTML with the devices drawn.")
def plan(
    sysfs: Path | None,
    nodedev: Path | None,
    config: Path,
    host: str,
    provider: str | None,
    state: Path | None,
    forget: tuple[str, ...],
    as_json: bool,
    as_html: bool,
) -> None:
    """Print what the host would do with its devices when it starts.

    What is held keeps its devices; what would take them from somebody is refused. Faults are
    printed as by `explain`. Nothing is written: the memory that JSON ends with is for --state.
    """
    found = _discover(sysfs, nodedev)
    root = PciHost.named(host) if provider is None else PciHost(host, _uuid(provider))
    gone = tuple(_address(text) for text in forget)

    def make() -> tuple[PciMemory, PciPlan]:
        memory = PciMemory() if state is None else parse_pci_memory(state.read_text("utf-8"))
        planned = plan_devices(
            _config(config), found, root, memory.state, memory.allocations, forget=gone
        )
        return attrs.evolve(memory, state=planned.state), planned

    memory, planned = _or_faults(make, as_json)
    if as_json:
        click.echo(json.dumps(plain_plan(planned, memory), indent=2))
    else:
        _show(planned.page(), as_html=as_html)


def _config(path: Path) -> PciConfig:
    syntax = "json" if path.suffix == ".json" else "toml"
    return parse_pci_config(path.read_text("utf-8"), syntax=syntax)


def _uuid(text: str) -> ProviderId:
    if not is_uuid(text.lower()):
        raise click.BadParameter(f"{text!r} is no UUID", param_hint="--provider")
    return ProviderId(text.lower())


def _address(text: str) -> PciAddress:
    try:
        return PciAddress.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--forget") from error


def _or_faults(make: Callable[[], T], as_json: bool) -> T:
    try:
        return make()
    except InvalidInput as error:
        faults = [attrs.asdict(fault) for fault in error.faults]
        if as_json:
            click.echo(json.dumps(faults, indent=2))
        else:
            for fault in error.faults:
                click.echo(f"{fault.code} {fault.path}: {fault.message}", err=True)
        sys.exit(_FAULTY)


def _show(page: Page, *, as_html: bool) -> None:
    click.echo(page.html() if as_html else page.text())


def _discover(sysfs: Path | None, nodedev: Path | None) -> HostDevices:
    if sysfs is not None and nodedev is None:
        inner = sysfs / "sys"
        # A copy that was unpacked with its first directory is meant as well.
        return read_sysfs(inner if (inner / "bus/pci/devices").is_dir() else sysfs)
    if nodedev is not None and sysfs is None:
        return read_nodedevs(nodedev)
    raise click.UsageError("say where the devices are: either --sysfs or --nodedev")
