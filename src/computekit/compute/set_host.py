"""Let a host take instances, keep them from it, and put it into an availability zone."""

from collections.abc import Callable

import attrs

from computekit.compute.aggregates import move_to_zone
from computekit.compute.services import Services
from computekit.errors import NotFound
from computekit.guest import check_name
from computekit.ids import HostName
from computekit.scheduler import Host, check_zone_name
from computekit.work import Tx

__all__ = ["disable_host", "enable_host", "set_host_zone"]


def disable_host(services: Services, host: HostName, reason: str) -> Host:
    """Let no new instance go to a host; those that are there stay as they are.

    Args:
        services: what the row is written with.
        host: its name.
        reason: shown wherever the host is listed or refused.

    Raises:
        InvalidInput: the reason is not 1 to 255 printable characters.
        NotFound: there is no such host.
    """
    check_name(reason, "reason")
    return _write(services, host, lambda row: attrs.evolve(row, disabled=reason))


def enable_host(services: Services, host: HostName) -> Host:
    """Let new instances go to a host again; nothing changes if they may.

    Raises:
        NotFound: there is no such host.
    """
    return _write(services, host, lambda row: attrs.evolve(row, disabled=None))


def set_host_zone(services: Services, host: HostName, zone: str | None) -> Host:
    """Put a host into an availability zone, or, with None, back into the default one.

    A host that holds instances stays in its zone, so that what they were promised stays true
    (Nova, availability zones).

    The zone's first aggregate takes it; where there is none, one is made.

    Raises:
        InvalidInput: the zone's name is not 1 to 255 printable characters, or has a colon.
        NotFound: there is no such host.
        InUse: it holds instances.
    """
    if zone is not None:
        check_zone_name(zone, "zone")

    def write(tx: Tx) -> Host:
        return move_to_zone(services, tx, _existing(services, host), zone)

    return services.store.write(write)


def _write(services: Services, name: HostName, changed: Callable[[Host], Host]) -> Host:
    def write(tx: Tx) -> Host:
        row = changed(_existing(services, name))
        services.hosts.put_host(tx, row)
        return row

    return services.store.write(write)


def _existing(services: Services, name: HostName) -> Host:
    row = services.hosts.host(name)
    if row is None:
        raise NotFound("host", name)
    return row
