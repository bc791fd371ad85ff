"""The hypervisors of an all-in-one: fake ones, or one libvirt."""

import logging
from pathlib import Path

from computekit.agent import Hypervisor
from computekit.clock import Clock
from computekit.ids import HostName
from computekit.model import HostCell, HostFacts
from computekit.runtime import Runtime
from computekit.units import Gib, Mib, Seconds
from computekit.virt import FakeHypervisor
from computekit_daemons.state import StateDirectory

__all__ = ["fake_hypervisors", "libvirt_hypervisor"]

_log = logging.getLogger(__name__)

WATCH_S = Seconds(2.0)
"""How often the private libvirtd's supervisor is looked at: nobody else would start it again."""


def fake_hypervisors(
    state: StateDirectory, count: int, clock: Clock
) -> list[tuple[HostName, Hypervisor]]:
    """Return fake hosts `fake-1` ..., whose domains outlive this process in files."""
    names = [HostName(f"fake-{number}") for number in range(1, count + 1)]
    return [
        (name, FakeHypervisor(_fake_facts(name), clock, directory=state.host(name) / "fake"))
        for name in names
    ]


def _fake_facts(name: HostName) -> HostFacts:
    cells = tuple(
        HostCell(number, Mib(32 * 1024), frozenset(range(number * 8, number * 8 + 8)))
        for number in range(2)
    )
    return HostFacts(
        name=name,
        arch="x86_64",
        cpus=16,
        memory_mib=Mib(64 * 1024),
        disk_gib=Gib(500),
        cells=cells,
        hypervisor="fake",
        hypervisor_version=1_000_000,
        library_version=0,
        virt_type="qemu",
        machine_types=frozenset({"q35", "pc"}),
        uefi=True,
        cpu_model="simulated",
    )


def _watch_on(error: Exception) -> Seconds:
    _log.warning("the private libvirtd cannot be started: %s", error)
    return WATCH_S


def libvirt_hypervisor(
    state: StateDirectory, name: HostName, uri: str | None, virt_type: str, runtime: Runtime
) -> Hypervisor:
    """Return the driver of one libvirtd; with no URI, of a private one, started if need be.

    Raises:
        HypervisorUnavailable: it cannot be reached.
        Unsupported: something that it takes is not installed; the message says what.
    """
    from computekit.virt.libvirt import LibvirtHypervisor, PrivateLibvirtd

    directory: Path = state.host(name) / "guests"
    if uri is None:
        daemon = PrivateLibvirtd(state.libvirt)
        daemon.start()
        uri = daemon.uri

        def watch() -> Seconds:
            if daemon.supervisor_pid is None:
                _log.warning("the private libvirtd has lost its supervisor; another one is started")
                daemon.start()
            return WATCH_S

        runtime.loop("libvirtd", watch, _watch_on)
    return LibvirtHypervisor(uri, directory, name, runtime, virt_type=virt_type)
