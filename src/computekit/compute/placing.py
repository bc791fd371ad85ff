"""What an instance asks of a host: one path for its creation, each kind of move, and a rebuild.

Whatever was promised to the guest is asked again each time, of a host that is named too: traits
that attest a host are no exception, and nothing goes past the rules.
"""

import attrs

from computekit.compute.scheduler_hints import hosts_of
from computekit.compute.services import Services
from computekit.errors import StateConflict
from computekit.guest import GuestConfig, resolve
from computekit.ids import HostName
from computekit.model import Image, Instance
from computekit.scheduler import (
    AskedZone,
    HostReport,
    MoveKind,
    Request,
    SchedulingRun,
    az_constraint,
    check_rebuild,
    intent_of,
    translate,
)

__all__ = ["PlacementAsked", "ask_for_place", "rebuild_report"]

_LEAVES = frozenset(
    {MoveKind.COLD_MIGRATE, MoveKind.RESIZE, MoveKind.LIVE_MIGRATE, MoveKind.EVACUATE}
)
"""Moves that end on another host than they began on."""


@attrs.frozen
class PlacementAsked:
    """A question to the scheduler, and what its answer makes of the instance.

    Attributes:
        request: what is asked.
        guest: what the guest is promised on the host that is chosen.
        pin: the zone that the instance is pinned to once the host is claimed, never before.
    """

    request: Request
    guest: GuestConfig
    pin: str | None


def ask_for_place(
    services: Services,
    instance: Instance,
    move: MoveKind = MoveKind.CREATE,
    *,
    host: HostName | None = None,
    ignored: frozenset[HostName] = frozenset(),
    asked: AskedZone | None = None,
    volume_zones: frozenset[str] = frozenset(),
    forced: bool = False,
) -> PlacementAsked:
    """Return what an instance asks of the host that it is to be put on.

    Args:
        services: the ports.
        instance: as its row is; with its new flavor, if it is resized.
        move: what is done.
        host: the only host that may be chosen; every rule is asked of it.
        ignored: hosts that must not be chosen.
        asked: the zone that the caller names beside the move.
        volume_zones: zones of attached volumes that may not be attached across zones.
        forced: whether the caller wants the host without being asked; that is refused.

    Raises:
        InvalidInput: flavor or image cannot be promised; the move cannot be forced, or takes no
            zone.
        StateConflict: this move chooses no host.
    """
    pin = None if move is MoveKind.CREATE else instance.zone
    if move is MoveKind.CREATE and instance.zone is not None:
        asked = AskedZone(instance.zone)
    zones = az_constraint(
        move, pin, host=host, asked=asked, forced=forced, volume_zones=volume_zones
    )
    if not zones.chosen:
        raise StateConflict(f"{move.value} of {instance.id}", "in place", "one that chooses a host")
    guest = resolve(instance.flavor, instance.image, services.defaults)
    intent = attrs.evolve(intent_of(instance), zone=zones.pin)
    left = frozenset({instance.host}) if move in _LEAVES and instance.host else frozenset()
    run = SchedulingRun(
        ignored_hosts=ignored | left,
        host=zones.host,
        instance=instance.id,
        hosts_of=hosts_of(services, intent),
        zones=zones.zones - {zones.pin},
    )
    request = Request(
        placement=translate(guest, intent),
        intent=intent,
        run=run,
        machine_type=guest.machine_type,
        topology=guest.topology,
    )
    return PlacementAsked(request, guest, zones.pin)


def rebuild_report(services: Services, instance: Instance, image: Image) -> HostReport:
    """Return what the host of an instance has against a rebuild with `image`.

    The machine and the traits that the new guest requires are asked of it, and the rules about
    images; resources are not, for the instance has them.

    Raises:
        InvalidInput: the image cannot be promised with this flavor.
        StateConflict: the instance has no host.
        NotFound: its host has gone.
    """
    if instance.host is None:
        raise StateConflict(f"instance {instance.id}", "without a host", "on one")
    rebuilt = attrs.evolve(instance, image=image)
    guest = resolve(instance.flavor, image, services.defaults)
    intent = intent_of(rebuilt)
    request = Request(translate(guest, intent), intent, machine_type=guest.machine_type)
    scheduler = services.scheduler
    return check_rebuild(scheduler.index, request, scheduler.policy, instance.host)
