"""Take a host into the fleet: its row, its provider tree, and its agent's first sync."""

from computekit.agent import Fence, HostInstances, InventoryRules, host_provider, host_tree
from computekit.compute.services import Services
from computekit.model import HostFacts
from computekit.scheduler import Host
from computekit.work import Tx

__all__ = ["admit_host"]


def admit_host(
    services: Services,
    facts: HostFacts,
    incarnation: str,
    rules: InventoryRules = InventoryRules(),  # noqa: B008
    zone: str | None = None,
) -> HostInstances:
    """Write what a host has and that its agent is up, then let the agent obey.

    The row is written first: a message of an earlier incarnation is refused from then on, by the
    new agent because it has not been synchronised, and later because it names the old one.

    Returns:
        What the agent found on its host.

    Raises:
        TransportFailed: the agent could not be reached.
        InUse: an allocation holds something that the host no longer has.
    """
    before = services.hosts.host(facts.name)

    def write(tx: Tx) -> None:
        services.placement.put_tree(tx, host_tree(facts, rules))
        services.hosts.put_host(
            tx,
            Host(
                name=facts.name,
                provider=host_provider(facts.name),
                facts=facts,
                zone=zone if before is None else before.zone,
                disabled=None if before is None else before.disabled,
                up=True,
                incarnation=incarnation,
                seen_s=services.clock.wall_s(),
            ),
        )

    services.store.write(write)
    fences = tuple(
        Fence(instance.id, instance.epoch)
        for instance in services.instances.instances(host=facts.name)
    )
    return services.client.sync(facts.name, fences)
