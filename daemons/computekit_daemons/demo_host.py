"""What the demo runs on, and the fake hosts that need nothing."""

import io
from collections.abc import Callable
from typing import Protocol

import attrs

from computekit.agent import HostInstances, Hypervisor
from computekit.compute import Audit, audit
from computekit.ids import ImageId
from computekit.images import ImageStore
from computekit.units import Mib
from computekit_daemons.demo_guest import DemoGuest
from computekit_daemons.hypervisors import fake_hypervisors
from computekit_daemons.state import Wired

__all__ = ["DemoHost", "FakeHost", "found_on"]


class DemoHost(Protocol):
    """Something that the demo can run on."""

    def title(self) -> str:
        """Name it, with versions."""
        ...

    def guest(self, tell: Callable[[str], None]) -> DemoGuest | None:
        """Have something that boots."""
        ...

    def register(self, images: ImageStore, guest: DemoGuest | None) -> ImageId:
        """Put it into the image store."""
        ...

    def arguments(self) -> list[str]:
        """Return what the all-in-one is told."""
        ...

    def audit(self, wired: Wired) -> Audit:
        """Hold the books against the hypervisors, with no agent between."""
        ...

    def stop(self) -> None:
        """End what `arguments` made the all-in-one start."""
        ...


def found_on(hypervisor: Hypervisor) -> HostInstances:
    """Return what is on a host, asked of its hypervisor itself."""
    return HostInstances(hypervisor.domains(), hypervisor.instances())


@attrs.frozen
class FakeHost:
    """Fake hosts, whose guests say what real ones would."""

    count: int = 3

    def title(self) -> str:
        return f"{self.count} simulated hosts"

    def guest(self, tell: Callable[[str], None]) -> DemoGuest | None:
        tell("simulated guests boot anything")
        return None

    def register(self, images: ImageStore, guest: DemoGuest | None) -> ImageId:
        disk = io.BytesIO(b"computekit simulated disk".ljust(1 << 20, b"\0"))
        return images.add("simulated", "raw", disk, min_memory_mib=Mib(64)).id

    def arguments(self) -> list[str]:
        return ["--fake", str(self.count)]

    def audit(self, wired: Wired) -> Audit:
        found = dict(fake_hypervisors(wired.state, self.count, wired.services.clock))
        return audit(wired.services, lambda host: found_on(found[host]))

    def stop(self) -> None:
        """Nothing runs."""
