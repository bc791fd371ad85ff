"""What a service does by itself: follow hints, look at its hosts, forget what is past."""

import logging
import random
from collections.abc import Callable

import attrs

from computekit.agent import DropImages
from computekit.compute.audit import Audit, Discrepancy, Part, audit
from computekit.compute.hints import Hints
from computekit.compute.observe import observe
from computekit.compute.orphan import remove_orphan
from computekit.compute.purge import purge
from computekit.compute.services import Services
from computekit.errors import ComputekitError
from computekit.ids import HostName, ImageId
from computekit.runtime import Faults, Runtime
from computekit.units import Seconds
from computekit.virt.image_cache import images_of
from computekit.virt.ports import CacheLimits, DomainEvent

__all__ = ["Upkeep", "UpkeepRules", "drop_images", "look_around"]

_log = logging.getLogger(__name__)

_PURGED_AT_ONCE = 100


@attrs.frozen
class UpkeepRules:
    """How often, and how much.

    Attributes:
        look_s: between two looks at all hosts, for what no event has told.
        retention_s: how long a deleted instance and its operations are kept.
        purge_s: between two looks for those that were kept long enough.
        images_s: between two looks for cached images that nothing uses.
        cache: when such an image goes.
    """

    look_s: Seconds = Seconds(30.0)
    retention_s: Seconds = Seconds(7 * 24 * 3600.0)
    purge_s: Seconds = Seconds(60.0)
    images_s: Seconds = Seconds(3600.0)
    cache: CacheLimits = attrs.field(factory=CacheLimits)


def look_around(services: Services) -> Audit:
    """Hold the books against the hosts, and submit what brings them to agree again.

    A guest that does not do what the books say is observed; what a host has of an instance whose
    place is elsewhere is removed. What nobody knows, and what only people can mend, stays.

    Raises:
        HostError: a host did not answer.
    """
    found = audit(services)
    for host, instance, at_home in dict.fromkeys(
        (one.host, one.instance, one.at_home)
        for one in found.discrepancies
        if one.part is not Part.ALLOCATION
    ):
        if at_home:
            observe(services, instance)
        else:
            remove_orphan(services, host, instance)
    return found


def drop_images(services: Services, host: HostName, limits: CacheLimits) -> frozenset[ImageId]:
    """Let a host drop cached images that none of its instances needs; return which.

    Raises:
        HostError: the host did not answer.
    """
    guests = (
        services.instances.guest(instance.id)
        for instance in services.instances.instances(host=host)
    )
    keep = frozenset(image for guest in guests if guest is not None for image in images_of(guest))
    return services.client.call(host, DropImages(keep, limits))


class Upkeep:
    """The loops that keep a service in order.

    Args:
        services: the ports.
        source: of randomness, for rests after faults.
        rules: how often, and how much.
    """

    def __init__(
        self, services: Services, source: random.Random, rules: UpkeepRules = UpkeepRules()
    ) -> None:
        self._services = services
        self._source = source
        self._rules = rules
        self._hints = Hints(services)
        self._known: frozenset[Discrepancy] = frozenset()

    def hear(self, event: DomainEvent) -> None:
        """Take note of what a hypervisor tells; returns at once."""
        self._hints.hear(event)

    def run(self, runtime: Runtime) -> None:
        """Keep things in order on threads of `runtime` until it is drained."""
        self._hints.run(runtime, self._faults("hints", Seconds(5.0)))
        self._loop(runtime, "look", self.look, self._rules.look_s)
        self._loop(runtime, "purge", self.purge, self._rules.purge_s)
        self._loop(runtime, "images", self.drop_images, self._rules.images_s)

    def look(self) -> Seconds:
        """Look around, and say what was not known before; return when to look again."""
        found = frozenset(look_around(self._services).discrepancies)
        for one in sorted(found - self._known, key=lambda one: (one.host, one.instance, one.what)):
            _log.warning("host %s, instance %s: %s", one.host, one.instance, one.what)
        self._known = found
        return self._rules.look_s

    def purge(self) -> Seconds:
        """Forget one batch of what was kept long enough; return when to look for more."""
        count = purge(self._services, self._rules.retention_s, _PURGED_AT_ONCE)
        if count:
            _log.info("%d deleted instances or past readings are forgotten", count)
        return Seconds(1.0) if count >= _PURGED_AT_ONCE else self._rules.purge_s

    def drop_images(self) -> Seconds:
        """Let each host drop what it needs no more; return when to look again."""
        failed: ComputekitError | None = None
        for host in self._services.hosts.hosts():
            try:
                gone = drop_images(self._services, host.name, self._rules.cache) if host.up else ()
            except ComputekitError as error:
                failed = error
                continue
            if gone:
                _log.info("host %s has dropped %d cached images", host.name, len(gone))
        if failed is not None:
            raise failed
        return self._rules.images_s

    def _loop(
        self, runtime: Runtime, name: str, body: Callable[[], Seconds], longest_s: Seconds
    ) -> None:
        faults = self._faults(name, longest_s)

        def round_() -> Seconds:
            rest_s = body()
            faults.passed()
            return rest_s

        runtime.loop(name, round_, faults.came)

    def _faults(self, name: str, longest_s: Seconds) -> Faults:
        return Faults(_log, name, self._source, longest_s=longest_s)
