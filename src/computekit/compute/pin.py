"""Pin an instance to the availability zone that it is in, and unpin it."""

import attrs

from computekit.compute.services import Services
from computekit.errors import StateConflict
from computekit.ids import InstanceId
from computekit.model import Instance, InstanceState
from computekit.scheduler import PinState, pin_after
from computekit.work import Tx

__all__ = ["pin_instance", "write_pin", "zone_shown"]

_LOOKS = frozenset({"instance.observe"})
"""Operations that never change a place."""


def pin_instance(services: Services, instance: InstanceId, zone: str | None) -> Instance:
    """Pin an instance to a zone, or, with None, to none; it is not moved.

    Who may do that is the caller's question (`may_pin`).

    Raises:
        NotFound: there is no such instance.
        StateConflict: it is deleted, pinned to another zone, is not in this one, has no host, or
            something is under way that may move it.
    """
    return services.store.write(lambda tx: write_pin(services, tx, instance, zone))


def write_pin(services: Services, tx: Tx, instance: InstanceId, zone: str | None) -> Instance:
    """Do what `pin_instance` does, in a transaction with other things.

    Raises:
        NotFound: there is no such instance.
        StateConflict: as `pin_instance` says.
    """
    row = services.existing(instance)
    if row.state is InstanceState.DELETED:
        raise StateConflict(f"instance {instance}", "deleted", "there")
    live = services.journal.live(instance)
    moving = live is not None and live.kind not in _LOOKS
    pin = pin_after(PinState(instance, row.zone, zone_shown(services, row), moving), zone)
    after = attrs.evolve(row, zone=pin)
    if after != row:
        services.instances.change_instance(tx, row, after)
    return after


def zone_shown(services: Services, instance: Instance) -> str | None:
    """Return the zone that an instance shows: its host's, or the default one; None without a host.

    (Compute API, servers: `OS-EXT-AZ:availability_zone`.)
    """
    host = None if instance.host is None else services.hosts.host(instance.host)
    if host is None:
        return None
    return services.scheduler.policy.default_zone if host.zone is None else host.zone
