"""Aggregates of hosts: made, filled, described, and what that means for the hosts' zones.

Which zone a host is in is what its aggregates say of it (`availability_zone`); its row shows it.
Both are written here only, in one transaction. What instances were promised stays true: while a
host has instances nothing is written that would put it into another zone (Nova, aggregates).
"""

from collections.abc import Callable, Iterable, Mapping

import attrs

from computekit.compute.services import Services
from computekit.errors import Fault, InUse, InvalidInput, NotFound, StateConflict
from computekit.guest import check_name
from computekit.ids import AggregateId, HostName, new_uuid
from computekit.model import Aggregate, FrozenMap
from computekit.scheduler import ZONE_KEY, Host, check_zone_name, zone_of_host
from computekit.work import Tx

__all__ = [
    "add_host_to_aggregate",
    "create_aggregate",
    "delete_aggregate",
    "describe_aggregate",
    "move_to_zone",
    "remove_host_from_aggregate",
    "rename_aggregate",
]

_MOST_TEXT = 255


def create_aggregate(
    services: Services,
    name: str,
    *,
    zone: str | None = None,
    metadata: Mapping[str, str] = FrozenMap(),
) -> Aggregate:
    """Make an aggregate without hosts.

    Args:
        services: what it is written with.
        name: unique.
        zone: that its hosts will be in; one more key of its metadata.
        metadata: text by key.

    Raises:
        InvalidInput: name, zone or metadata are not such; every fault is in it.
        AlreadyExists: there is one of this name.
    """
    words = dict(metadata) if zone is None else {**metadata, ZONE_KEY: zone}
    _check(name, words)
    uuid = AggregateId(new_uuid(services.random))
    return services.store.write(
        lambda tx: services.aggregates.create_aggregate(tx, uuid, name, FrozenMap(words))
    )


def rename_aggregate(services: Services, aggregate: AggregateId, name: str) -> Aggregate:
    """Give an aggregate another name.

    Raises:
        InvalidInput: this is no name.
        NotFound: there is no such aggregate.
        AlreadyExists: there is another of this name.
    """
    _check(name, {})
    return _change(services, aggregate, lambda row: attrs.evolve(row, name=name))


def describe_aggregate(
    services: Services, aggregate: AggregateId, changes: Mapping[str, str | None]
) -> Aggregate:
    """Write some keys of an aggregate's metadata, and remove those whose text is None.

    Raises:
        InvalidInput: a key or a text is not such; every fault is in it.
        NotFound: there is no such aggregate.
        InUse: a host with instances would come into another zone.
        StateConflict: a host would be in two zones, or in two domains of another level.
    """
    _check(None, {key: text for key, text in changes.items() if text is not None})

    def changed(row: Aggregate) -> Aggregate:
        words = {**row.metadata, **changes}
        kept = {key: text for key, text in words.items() if text is not None}
        return attrs.evolve(row, metadata=FrozenMap(kept))

    return _change(services, aggregate, changed)


def add_host_to_aggregate(services: Services, aggregate: AggregateId, host: HostName) -> Aggregate:
    """Let a host belong to an aggregate; nothing changes if it does.

    Raises:
        NotFound: there is no such aggregate, or no such host.
        InUse: the host has instances and would come into another zone.
        StateConflict: it would be in two zones, or in two domains of another level.
    """

    def changed(row: Aggregate) -> Aggregate:
        if services.hosts.host(host) is None:
            raise NotFound("host", host)
        return attrs.evolve(row, hosts=row.hosts | {host})

    return _change(services, aggregate, changed)


def remove_host_from_aggregate(
    services: Services, aggregate: AggregateId, host: HostName
) -> Aggregate:
    """Let a host no longer belong to an aggregate.

    Raises:
        NotFound: there is no such aggregate, or the host does not belong to it.
        InUse: the host has instances and would come into another zone.
    """

    def changed(row: Aggregate) -> Aggregate:
        if host not in row.hosts:
            raise NotFound(f"host of aggregate {row.name}", host)
        return attrs.evolve(row, hosts=row.hosts - {host})

    return _change(services, aggregate, changed)


def delete_aggregate(services: Services, aggregate: AggregateId) -> None:
    """Remove an aggregate that has no hosts.

    Raises:
        NotFound: there is no such aggregate.
        InUse: it has hosts.
    """

    def write(tx: Tx) -> None:
        _existing(services, aggregate)
        services.aggregates.delete_aggregate(tx, aggregate)

    services.store.write(write)


def move_to_zone(services: Services, tx: Tx, host: Host, zone: str | None) -> Host:
    """Put a host into a zone, or, with None, into none, by way of its aggregates.

    The zone's first aggregate takes it; where there is none, one of the zone's name is made.

    Args:
        services: the ports.
        tx: of the caller.
        host: as its row is.
        zone: its name.

    Returns:
        The host's row as it is written.

    Raises:
        InUse: the host has instances and would come into another zone.
    """
    before = services.aggregates.aggregates()
    after = {row.uuid: row for row in before}
    for row in before:
        if host.name in row.hosts and row.metadata.get(ZONE_KEY, zone) != zone:
            after[row.uuid] = attrs.evolve(row, hosts=row.hosts - {host.name})
    if zone is not None:
        home = next((row for row in before if row.metadata.get(ZONE_KEY) == zone), None)
        if home is None:
            names = {row.name for row in before}
            name = zone if zone not in names else f"zone {zone}"
            home = services.aggregates.create_aggregate(
                tx, AggregateId(new_uuid(services.random)), name, FrozenMap({ZONE_KEY: zone})
            )
        after[home.uuid] = attrs.evolve(home, hosts=home.hosts | {host.name})
    _write(services, tx, before, tuple(after.values()))
    return services.hosts.host(host.name) or host


def _change(
    services: Services, aggregate: AggregateId, changed: Callable[[Aggregate], Aggregate]
) -> Aggregate:
    def write(tx: Tx) -> Aggregate:
        row = changed(_existing(services, aggregate))
        before = services.aggregates.aggregates()
        after = tuple(row if other.uuid == aggregate else other for other in before)
        _write(services, tx, before, after)
        return row

    return services.store.write(write)


def _existing(services: Services, aggregate: AggregateId) -> Aggregate:
    row = services.aggregates.aggregate(aggregate)
    if row is None:
        raise NotFound("aggregate", aggregate)
    return row


def _write(
    services: Services, tx: Tx, before: Iterable[Aggregate], after: Iterable[Aggregate]
) -> None:
    """Write the aggregates that have changed, and the zones that follow from them."""
    old = {row.uuid: row for row in before}
    changed = [row for row in after if old.get(row.uuid) != row]
    touched = frozenset(
        host
        for row in changed
        for host in (row.hosts | (old[row.uuid].hosts if row.uuid in old else frozenset()))
    )
    for row in changed:
        services.aggregates.put_aggregate(tx, row)
    rows = {row.name: row for row in services.hosts.hosts(touched)}
    for name in sorted(touched):
        mine = [row for row in after if name in row.hosts]
        _check_domains(services, name, mine)
        host = rows.get(name)
        zone = zone_of_host(name, mine)
        if host is not None and host.zone != zone:
            if held := services.instances.instances(host=name):
                raise InUse("host", name, f"{len(held)} instance{'s' if len(held) > 1 else ''}")
            services.hosts.put_host(tx, attrs.evolve(host, zone=zone))
        _check_members(services, name, [row for row in old.values() if name in row.hosts], mine)


def _check_members(
    services: Services, host: HostName, before: Iterable[Aggregate], after: Iterable[Aggregate]
) -> None:
    """Let a host pass whose members of server groups stay in the domains that they count in.

    Raises:
        InUse: a rule is about a level of which the host would come into another domain.
    """
    old, new = [row.metadata for row in before], [row.metadata for row in after]
    levels = services.slots.levels
    moved = {
        level.name
        for level in levels.declared
        if {row.get(level.key) for row in old} - {None}
        != {row.get(level.key) for row in new} - {None}
    }
    for row in services.instances.instances(host=host) if moved else ():
        group = None if row.group is None else services.slots.groups.group(row.group)
        if group is not None and moved & set(group.levels):
            raise InUse("host", host, f"a member of server group {group.name}")


def _check_domains(services: Services, host: HostName, mine: Iterable[Aggregate]) -> None:
    """Let a host pass that is in one domain of each level at most.

    Raises:
        StateConflict: it would be in several.
    """
    for key in sorted({ZONE_KEY, *(level.key for level in services.slots.levels.declared)}):
        values = sorted({row.metadata[key] for row in mine if key in row.metadata})
        if len(values) > 1:
            word = "zone" if key == ZONE_KEY else key
            raise StateConflict(f"host {host}", f"in {word} {values[0]}", f"not in {values[1]} too")


def _check(name: str | None, metadata: Mapping[str, str]) -> None:
    faults: list[Fault] = []
    if name is not None:
        try:
            check_name(name)
        except InvalidInput as error:
            faults.extend(error.faults)
    for key, text in metadata.items():
        path = f"metadata[{key!a}]"
        if not key or len(key) > _MOST_TEXT or not key.isprintable():
            faults.append(Fault(path, "invalid_key", "a key is 1 to 255 printable characters"))
        if len(text) > _MOST_TEXT or not text.isprintable():
            faults.append(Fault(path, "invalid_value", "a text is up to 255 printable characters"))
        if key == ZONE_KEY:
            try:
                check_zone_name(text, path)
            except InvalidInput as error:
                faults.extend(error.faults)
    if faults:
        raise InvalidInput(tuple(dict.fromkeys(faults)))
