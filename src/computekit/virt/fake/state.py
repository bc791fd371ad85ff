"""What a fake host holds: frozen values, and how they change as time passes."""

import attrs

from computekit.guest import DiskRole
from computekit.ids import ImageId, InstanceId
from computekit.model import FrozenMap, Image
from computekit.units import Bytes, Seconds
from computekit.virt.ports import DomainSpec, DomainState, DomainStatus

__all__ = ["FakeDomain", "FakeFiles", "FakeState"]

CONSOLE_LIMIT = 65_536
"""Characters of a console that are kept."""


@attrs.frozen
class FakeFiles:
    """The files of one instance.

    Attributes:
        disks: size by role.
        console: what its guest has written.
        images: that it is made from.
    """

    disks: FrozenMap[DiskRole, Bytes] = FrozenMap()
    console: str = ""
    images: frozenset[ImageId] = frozenset()

    @property
    def size_bytes(self) -> int:
        """The space that the files take."""
        return sum(self.disks.values())

    def with_line(self, line: str) -> "FakeFiles":
        """Return the files after the guest has written `line`."""
        return attrs.evolve(self, console=f"{self.console}{line}\n"[-CONSOLE_LIMIT:])


@attrs.frozen
class FakeDomain:
    """One domain; times are wall seconds.

    Attributes:
        config: what its next start takes.
        live: what it runs with; None while it is off.
        state: what it does.
        boots: differs after each start.
        speaks_s: when the guest will have booted and says so; None when it has.
        off_s: when the guest will have obeyed and powered off; None if it was not asked.
    """

    config: DomainSpec
    live: DomainSpec | None = None
    state: DomainState = DomainState.SHUTOFF
    boots: int = 0
    speaks_s: Seconds | None = None
    off_s: Seconds | None = None

    @property
    def status(self) -> DomainStatus:
        """What the port says of it."""
        mark = (self.live or self.config).mark
        return DomainStatus(mark, self.state, self.boots if self.live else None)

    def started(self, config: DomainSpec, boots: int, speaks_s: Seconds) -> "FakeDomain":
        """Return the domain as it runs."""
        return FakeDomain(config, config, DomainState.RUNNING, boots, speaks_s)

    def stopped(self, state: DomainState = DomainState.SHUTOFF) -> "FakeDomain":
        """Return the domain without power."""
        return FakeDomain(self.config, state=state, boots=self.boots)


@attrs.frozen
class FakeState:
    """All that a fake host holds.

    Attributes:
        domains: ours.
        foreign: names of the domains of others, by UUID.
        images: cached images.
        used_s: when each of them was asked for last.
        files: by instance.
        boots: starts since the host was made.
        deaf: instances whose guests do not hear that they shall power off.
    """

    domains: FrozenMap[InstanceId, FakeDomain] = FrozenMap()
    foreign: FrozenMap[str, str] = FrozenMap()
    images: FrozenMap[ImageId, Image] = FrozenMap()
    used_s: FrozenMap[ImageId, Seconds] = FrozenMap()
    files: FrozenMap[InstanceId, FakeFiles] = FrozenMap()
    boots: int = 0
    deaf: frozenset[InstanceId] = frozenset()

    @property
    def used_bytes(self) -> int:
        """The space that images and files take."""
        images = sum(image.size_bytes for image in self.images.values())
        return images + sum(files.size_bytes for files in self.files.values())

    def with_domain(self, instance: InstanceId, domain: FakeDomain) -> "FakeState":
        """Return the state with this domain."""
        return attrs.evolve(self, domains=self.domains.replace(instance, domain))

    def with_files(self, instance: InstanceId, files: FakeFiles) -> "FakeState":
        """Return the state with these files."""
        return attrs.evolve(self, files=self.files.replace(instance, files))

    def with_image(self, image: Image, now_s: Seconds) -> "FakeState":
        """Return the state after this image was asked for, and is cached."""
        return attrs.evolve(
            self,
            images=self.images.replace(image.id, image),
            used_s=self.used_s.replace(image.id, now_s),
        )

    def without_image(self, image: ImageId) -> "FakeState":
        """Return the state without this cached image."""
        return attrs.evolve(
            self, images=self.images.without(image), used_s=self.used_s.without(image)
        )

    def at(self, now_s: Seconds) -> "FakeState":
        """Return the state after the guests have done what they do until `now_s`."""
        state = self
        for instance, domain in self.domains.items():
            if domain.live is None:
                continue
            speaks_s, off_s = domain.speaks_s, domain.off_s
            # A guest that powers off before it has booted never says that it has.
            if speaks_s is not None and speaks_s <= min(now_s, off_s or now_s):
                files = state.files.get(instance, FakeFiles())
                state = state.with_files(instance, files.with_line(f"BOOTED {domain.live.name}"))
                state = state.with_domain(instance, attrs.evolve(domain, speaks_s=None))
            if off_s is not None and off_s <= now_s:
                state = state.with_domain(instance, domain.stopped())
        return state
