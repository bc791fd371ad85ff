"""Hold the books against the hosts: what each says that the other does not.

Books and hosts are read one after the other, and operations go on meanwhile. So what does not
agree is looked at a second time, and counts only if no operation has moved in between.
"""

from collections.abc import Callable, Iterator
from enum import Enum

import attrs

from computekit.agent import HostInstances, ReadInstances
from computekit.compute.orphan import orphan_subject
from computekit.compute.services import Services
from computekit.ids import ConsumerId, HostName, InstanceId
from computekit.journal import Operation
from computekit.model import Instance, InstanceState
from computekit.placement import ProviderUse
from computekit.scheduler import Host
from computekit.virt.ports import DomainState

__all__ = ["Audit", "Discrepancy", "Part", "audit"]

_EXPECTED = {
    InstanceState.ACTIVE: frozenset({DomainState.RUNNING, DomainState.PAUSED}),
    InstanceState.STOPPED: frozenset({DomainState.SHUTOFF, DomainState.CRASHED}),
}


class Part(Enum):
    """What of an instance books and hosts can disagree on."""

    DOMAIN = "domain"
    FILES = "files"
    ALLOCATION = "allocation"


@attrs.frozen
class Discrepancy:
    """One thing on which books and host disagree.

    Attributes:
        host: where.
        instance: which, or the consumer of an allocation.
        what: the disagreement, for people.
        part: what of it.
        at_home: whether this host is the instance's place, by the books.
    """

    host: HostName
    instance: InstanceId
    what: str
    part: Part
    at_home: bool


@attrs.frozen
class Audit:
    """What was counted, and where it does not agree.

    Attributes:
        instances: that are not deleted, in the books.
        domains: of ours, on all hosts.
        files: instances that have files, on all hosts.
        allocations: consumers that hold something of a host.
        discrepancies: none, if all is well. Instances with an operation under way are left out.
    """

    instances: int
    domains: int
    files: int
    allocations: int
    discrepancies: tuple[Discrepancy, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is left of anything."""
        return not (self.instances or self.domains or self.files or self.allocations)


def audit(services: Services, ask: Callable[[HostName], HostInstances] | None = None) -> Audit:
    """Ask every host what it has, and compare.

    Args:
        services: the ports.
        ask: says what is on a host; None: its agent does.

    Raises:
        HostError: a host did not answer.
    """
    asked = ask or (lambda host: services.client.call(host, ReadInstances()))
    domains = files = 0
    holders: set[ConsumerId] = set()
    found: list[Discrepancy] = []
    uses = services.placement.uses()
    for host in services.hosts.hosts():
        there = asked(host.name)
        consumers = _consumers(services, host, uses)
        domains += len(there.domains)
        files += len(there.files)
        holders |= consumers
        suspects = {one.instance for one in _compare(services, host.name, there, consumers)}
        if suspects:
            found.extend(_confirmed(services, host, asked, suspects))
    count = len(services.instances.instances())
    return Audit(count, domains, files, len(holders), tuple(found))


def _confirmed(
    services: Services,
    host: Host,
    asked: Callable[[HostName], HostInstances],
    suspects: set[InstanceId],
) -> Iterator[Discrepancy]:
    before = {one: _operations(services, host.name, one) for one in suspects}
    there = asked(host.name)
    consumers = _consumers(services, host, services.placement.uses())
    for found in tuple(_compare(services, host.name, there, consumers)):
        now = _operations(services, host.name, found.instance)
        if now == before.get(found.instance) and all(row.ended for row in now):
            yield found


def _operations(services: Services, host: HostName, instance: InstanceId) -> tuple[Operation, ...]:
    subjects = (instance, orphan_subject(host, instance))
    return tuple(row for subject in subjects for row in services.journal.history(subject))


def _consumers(
    services: Services, host: Host, uses: tuple[ProviderUse, ...]
) -> frozenset[ConsumerId]:
    """Return who holds something of a host, resources or parts of its NUMA nodes."""
    holds = services.cells.cell_holds(frozenset({host.name}))
    return frozenset(
        allocation.consumer.id
        for use in uses
        if use.root == host.provider
        for allocation in services.placement.allocations(use.provider.id)
    ) | {hold.consumer for hold in holds}


def _compare(
    services: Services, host: HostName, there: HostInstances, consumers: frozenset[ConsumerId]
) -> Iterator[Discrepancy]:
    states = {domain.mark.instance: domain.state for domain in there.domains}
    rows = {row.id: row for row in services.instances.instances(host=host)}
    named = {*rows, *states, *there.files, *(InstanceId(one) for one in consumers)}
    for instance in sorted(named):
        if services.journal.live(instance) is not None:
            continue
        row = rows.get(instance)
        checks = (
            (Part.DOMAIN, _state_words(row), states.get(instance)),
            (Part.FILES, "files" if row else "no files", instance in there.files),
            (
                Part.ALLOCATION,
                "an allocation" if row else "no allocation",
                ConsumerId(instance) in consumers,
            ),
        )
        for part, expected, actual in checks:
            if not _agrees(row, actual):
                what = f"the books say {expected}, there is {_words(actual)}"
                yield Discrepancy(host, instance, what, part, row is not None)


def _state_words(row: Instance | None) -> str:
    return "no domain" if row is None else f"an instance that is {row.state.value}"


def _words(actual: DomainState | bool | None) -> str:
    if isinstance(actual, DomainState):
        return f"a domain that is {actual.value}"
    return "one" if actual else "none"


def _agrees(row: Instance | None, actual: DomainState | bool | None) -> bool:
    if row is None:
        return not actual
    if isinstance(actual, DomainState):
        return actual in _EXPECTED.get(row.state, frozenset())
    return bool(actual)
