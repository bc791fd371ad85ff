"""Take a host into the fleet: its row, its provider tree, and its agent's first sync."""

import attrs

from computekit.agent import (
    Fence,
    HostInstances,
    InventoryRules,
    host_provider,
    host_topology,
    host_tree,
)
from computekit.compute.aggregates import move_to_zone
from computekit.compute.orphan import remove_orphans
from computekit.compute.services import Services
from computekit.errors import InUse
from computekit.ids import HostName
from computekit.model import HostFacts
from computekit.scheduler import Host, zone_of_host
from computekit.topology import HostTopology
from computekit.work import Tx

__all__ = ["admit_host", "mark_absent"]


def admit_host(
    services: Services,
    facts: HostFacts,
    incarnation: str,
    rules: InventoryRules = InventoryRules(),
    zone: str | None = None,
) -> HostInstances:
    """Write what a host has, let its agent obey, write that it is up, and have orphans removed.

    The row is written first: a message of an earlier incarnation is refused from then on, by the
    new agent because it has not been synchronised, and later because it names the old one.

    Returns:
        What the agent found on its host.

    Raises:
        TransportFailed: the agent could not be reached.
        InUse: an allocation holds something that the host no longer has; an instance is pinned to
            a CPU that is dedicated no longer.
        InvalidInput: the rules name CPUs that the host does not have, or twice.
    """
    topology = host_topology(facts, rules)

    def write(tx: Tx, up: bool) -> None:
        before = services.hosts.host(facts.name)
        _check_pins(services, facts.name, topology)
        said = None
        if before is None:
            said = zone_of_host(facts.name, services.aggregates.aggregates())
        services.placement.put_tree(tx, host_tree(facts, rules))
        services.hosts.put_host(
            tx,
            Host(
                name=facts.name,
                provider=host_provider(facts.name),
                facts=facts,
                zone=said if before is None else before.zone,
                disabled=None if before is None else before.disabled,
                up=up,
                incarnation=incarnation,
                seen_s=services.clock.wall_s(),
                topology=topology,
            ),
        )
        host = services.hosts.host(facts.name)
        if before is None and said is None and zone is not None and host is not None:
            move_to_zone(services, tx, host, zone)

    services.store.write(lambda tx: write(tx, up=False))
    fences = tuple(
        Fence(instance.id, instance.epoch)
        for instance in services.instances.instances(host=facts.name)
    )
    found = services.client.sync(facts.name, fences)
    services.store.write(lambda tx: write(tx, up=True))
    remove_orphans(services, facts.name, found)
    return found


def _check_pins(services: Services, host: HostName, topology: HostTopology) -> None:
    """Let a host pass on which each CPU that somebody has for himself is still given out so.

    Raises:
        InUse: one is not: another guest would get it as well.
    """
    dedicated = {node.id: node.dedicated for node in topology.nodes}
    for hold in services.cells.cell_holds(frozenset({host})):
        lost = hold.cpus - dedicated.get(hold.node, frozenset())
        if lost:
            cpus = ", ".join(map(str, sorted(lost)))
            raise InUse(f"CPUs {cpus} of host", host, f"instance {hold.consumer}")


def mark_absent(services: Services, present: frozenset[HostName]) -> tuple[HostName, ...]:
    """Write that every host is down whose agent is not among those present; return which.

    For a service that knows all its agents: no instance is put on such a host.
    """
    gone = tuple(host for host in services.hosts.hosts() if host.up and host.name not in present)

    def write(tx: Tx) -> None:
        for host in gone:
            now = services.hosts.host(host.name)  # somebody may have disabled it since
            if now is not None:
                services.hosts.put_host(tx, attrs.evolve(now, up=False))

    services.store.write(write)
    return tuple(host.name for host in gone)
