"""The counters that a claim takes for a server group, judged by the rows of its own transaction.

The scheduler chose by a replica, which may be behind. What holds is decided here: the group's row
is locked, so that two claims of one group come one after the other; how its members lie is read
again, and a rule that compares domains is judged again. The most members of a domain are bounds of
counters, which the claim itself keeps.
"""

from collections.abc import Mapping

import attrs

from computekit.errors import GroupRuleBroken
from computekit.ids import ConsumerId, HostName, ServerGroupId
from computekit.model import (
    HOST_LEVEL,
    FrozenMap,
    PlacementRule,
    RuleKind,
    ServerGroup,
    TopologyLevels,
)
from computekit.placement import (
    CounterClaim,
    GroupState,
    LevelState,
    PlacementReader,
    Places,
    group_scope,
    places_of,
    slot_name,
)
from computekit.scheduler.aggregates import AggregateReader
from computekit.scheduler.domains import domain_of
from computekit.scheduler.groups import GroupWriter
from computekit.scheduler.hosts import HostReader
from computekit.scheduler.topology_rules import Eligible, judge_domain
from computekit.work import Tx

__all__ = ["GroupSlots"]

_UNBOUNDED = 2**31 - 1
_ZONES = TopologyLevels()
_NOTHING: Mapping[str, Eligible] = FrozenMap()


@attrs.frozen
class GroupSlots:
    """Says which counters a member of a group takes along with its claim.

    Attributes:
        groups: the groups.
        placement: who holds which counters.
        hosts: the hosts.
        aggregates: that say in which domain a host is; None: only zones and hosts are known.
        levels: of the deployment.
    """

    groups: GroupWriter
    placement: PlacementReader
    hosts: HostReader
    aggregates: AggregateReader | None = None
    levels: TopologyLevels = _ZONES

    def enter(
        self,
        tx: Tx,
        group: ServerGroupId | None,
        member: ConsumerId,
        host: HostName,
        eligible: Mapping[str, Eligible] = _NOTHING,
        *,
        moving: bool = False,
    ) -> tuple[CounterClaim, ...]:
        """Return the counters with which a member may claim on a host.

        Args:
            tx: of the claim; nothing is written.
            group: whose member it is; without one, or with one that was deleted, there are none.
            member: who claims; it may hold counters of the group already.
            host: which was chosen.
            eligible: the domains that the choice compared (`Selection.eligible`).
            moving: whether it keeps what it holds, until `settle`.

        Raises:
            GroupRuleBroken: a rule does not allow it any more.
        """
        row = None if group is None else self.groups.lock_group(tx, group)
        if row is None:
            return ()
        held = self.placement.counted(frozenset({member}), group_scope(row.id))
        mine = places_of(hold.name for hold in held)
        domains = self._domains(row, host)
        for rule in row.hard_rules:
            others, least = LevelState(), None
            if rule.kind is RuleKind.TOGETHER or rule.max_skew is not None:
                others = self._others(row, rule, member, mine)
            found = eligible.get(rule.level)
            if rule.max_skew is not None and found is not None:
                least = found.least(others.counts, rule)
            # The bound of a domain is its counter's: the claim refuses, and has the numbers.
            compared = attrs.evolve(rule, max_per_domain=None)
            why = judge_domain(compared, domains[rule.level], others, least)
            if why is not None:
                raise GroupRuleBroken(row.id, str(host), rule.words, why)
        return _claims(row, domains, mine if moving else {})

    def settle(
        self, tx: Tx, group: ServerGroupId | None, member: ConsumerId, host: HostName
    ) -> tuple[CounterClaim, ...]:
        """Return the counters of a member whose move has ended on a host that it holds already.

        Args:
            tx: of the claim; nothing is written.
            group: whose member it is.
            member: who claims.
            host: where it stays: where it came from, or where it went.
        """
        row = None if group is None else self.groups.lock_group(tx, group)
        if row is None:
            return ()
        return _claims(row, self._domains(row, host), {})

    def _others(
        self, group: ServerGroup, rule: PlacementRule, member: ConsumerId, mine: Places
    ) -> LevelState:
        """Return how the other members lie at the level of a rule, by what is counted there."""
        scope, beginning = group_scope(group.id), slot_name(rule.level, "")
        used = self.placement.counters(scope, beginning)
        counts = {name.removeprefix(beginning): count for name, count in used.items()}
        others = LevelState(counts)
        if rule.level in mine:
            others = others.counting(mine[rule.level], -1)
        if rule.kind is RuleKind.TOGETHER and len(others.counts) > 1:
            # Some of them move, or lie apart already: that is seen member by member.
            names: dict[ConsumerId, list[str]] = {}
            for hold in self.placement.counted(scope=scope):
                if hold.consumer != member:
                    names.setdefault(hold.consumer, []).append(hold.name)
            places = {who: places_of(held) for who, held in names.items()}
            return GroupState.of(group, places).at(rule.level)
        return others

    def _domains(self, group: ServerGroup, host: HostName) -> dict[str, str | None]:
        levels = dict.fromkeys((*group.levels, HOST_LEVEL))
        row = self.hosts.host(host) if len(levels) > 1 else None
        zone = None if row is None else row.zone
        known = self.aggregates is not None and len(levels) > 1
        metadata = self.aggregates.metadata_of(host) if known and self.aggregates else ()
        return {level: domain_of(self.levels, level, host, zone, metadata) for level in levels}


def _claims(
    group: ServerGroup, domains: Mapping[str, str | None], kept: Places
) -> tuple[CounterClaim, ...]:
    bounds = {
        rule.level: rule.max_per_domain
        for rule in group.hard_rules
        if rule.max_per_domain is not None
    }
    scope = group_scope(group.id)
    levels = {level: set(found) for level, found in kept.items()}
    for level, domain in domains.items():
        if domain is not None:
            levels.setdefault(level, set()).add(domain)
    return tuple(
        CounterClaim(scope, slot_name(level, domain), 1, bounds.get(level, _UNBOUNDED))
        for level, found in sorted(levels.items())
        for domain in sorted(found)
    )
