"""The demo on this machine: real guests, through a libvirtd of its own."""

import platform
import socket
from collections.abc import Callable
from pathlib import Path

import attrs

from computekit.clock import SystemClock
from computekit.compute import Audit, audit
from computekit.ids import ImageId
from computekit.images import ImageStore
from computekit.runtime import Runtime
from computekit.units import Seconds
from computekit.virt.libvirt import PrivateLibvirtd, ProbeGuest, choose_acceleration
from computekit_daemons.demo_guest import DemoGuest, build_demo_guest, register_demo_guest
from computekit_daemons.demo_host import found_on
from computekit_daemons.hypervisors import libvirt_hypervisor
from computekit_daemons.state import StateDirectory, Wired, default_cache

__all__ = ["LibvirtHost"]


@attrs.define
class LibvirtHost:
    """This machine, through a libvirtd of the demo's own.

    Attributes:
        directory: the state directory.
    """

    directory: Path
    _virt_type: str = "qemu"

    def title(self) -> str:
        return f"{socket.gethostname()}, Python {platform.python_version()}"

    def guest(self, tell: Callable[[str], None]) -> DemoGuest | None:
        guest = build_demo_guest(default_cache() / "demo-guest", tell)
        made_of = ", ".join(f"{name} {version}" for name, version in guest.versions.items())
        tell(f"made of {made_of}")
        memory = default_cache() / "acceleration.json"
        verdict = choose_acceleration(
            memory, SystemClock(), ProbeGuest(guest.kernel, guest.ramdisk)
        )
        self._virt_type = verdict.virt_type
        tell(f"guests run with {verdict.virt_type}: {verdict.reason}")
        return guest

    def register(self, images: ImageStore, guest: DemoGuest | None) -> ImageId:
        assert guest is not None
        return register_demo_guest(images, guest).id

    def arguments(self) -> list[str]:
        return ["--virt-type", self._virt_type]

    def audit(self, wired: Wired) -> Audit:
        (host,) = wired.services.hosts.hosts()
        runtime = Runtime()
        hypervisor = libvirt_hypervisor(wired.state, host.name, None, self._virt_type, runtime)
        try:
            return audit(wired.services, lambda _: found_on(hypervisor))
        finally:
            hypervisor.close()
            runtime.drain(Seconds(10.0))

    def stop(self) -> None:
        PrivateLibvirtd(StateDirectory(self.directory).libvirt).stop(destroy_domains=True)
