"""What the server group of a request asks of a host: its hard rules, as overlays."""

from collections.abc import Callable
from functools import cache
from typing import ClassVar, TypeAlias

import attrs
import numpy as np

from computekit.ids import ConsumerId, InstanceId, ServerGroupId
from computekit.model import HOST_LEVEL, FrozenMap, PlacementRule
from computekit.placement import BoolArray, FleetIndex, LevelState, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.domains import domain_in, domains_among, rows_in
from computekit.scheduler.overlays import Limits
from computekit.scheduler.request import Request
from computekit.scheduler.topology_rules import (
    MANY_DOMAINS,
    Eligible,
    Verdicts,
    judge_domain,
    judge_domains,
)

__all__ = ["FollowsGroup", "Membership", "Survivors", "eligible_of", "group_overlays", "has_skew"]

Survivors: TypeAlias = Callable[[], BoolArray]
"""Says which rows pass everything but what the group asks."""

_ALL = slice(None)
_NOTHING: FrozenMap[str, Eligible] = FrozenMap()


@attrs.frozen
class Membership:
    """That a request is of a member of a group.

    Attributes:
        group: which.
        name: of the group, for people.
    """

    group: ServerGroupId
    name: str

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"server group {self.name}"

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return attrs.evolve(request, intent=attrs.evolve(request.intent, group=None))


@attrs.frozen
class FollowsGroup:
    """The host is where a rule of the group allows one more member.

    Attributes:
        membership: the group.
        wanted: the rule, a hard one.
        instance: the member that is to be placed, which does not count; None if it is new.
        eligible: the domains that are compared; None if the rule has no skew.
    """

    membership: Membership
    wanted: PlacementRule
    instance: InstanceId | None = None
    eligible: Eligible | None = None
    rule: ClassVar[str] = "server group"

    @property
    def asked(self) -> str:
        return f"{self.wanted.words} in {self.membership.name}"

    def limits(self, fleet: FleetIndex, /) -> Limits:
        verdicts = self._verdicts(fleet)
        if self.wanted.level != HOST_LEVEL:
            return Limits(mask=rows_in(fleet, self.wanted.level, verdicts.allow, _ALL))
        named = fleet.groups.rows_of(verdicts.exceptions, fleet.layout, fleet.row)
        if verdicts.others:
            return Limits(without=frozenset(named)) if named else Limits()
        return Limits(only=frozenset(named))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        if self.wanted.level == HOST_LEVEL:
            return self.limits(fleet).rows(len(fleet))[rows]
        return rows_in(fleet, self.wanted.level, self._verdicts(fleet).allow, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        level = self.wanted.level
        domain, others = domain_in(fleet, level, row), self._others(fleet)
        why = judge_domain(self.wanted, domain, others, self._least(others))
        if why is not None:
            return why
        if domain is None:
            return f"in no {level}"
        return f"{level} {domain} has {others.counts.get(domain, 0)}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self.membership),)

    def _others(self, fleet: FleetIndex) -> LevelState:
        mine = None if self.instance is None else ConsumerId(self.instance)
        return fleet.groups.of(self.membership.group).at(self.wanted.level, mine)

    def _least(self, others: LevelState) -> int | None:
        return 0 if self.eligible is None else self.eligible.least(others.counts, self.wanted)

    def _verdicts(self, fleet: FleetIndex) -> Verdicts:
        others = self._others(fleet)
        return judge_domains(self.wanted, others, self._least(others))


def has_skew(request: Request, fleet: FleetIndex) -> bool:
    """Return whether a rule of the request's group compares domains."""
    if request.intent.group is None:
        return False
    group = fleet.groups.of(request.intent.group).group
    return group is not None and any(rule.max_skew for rule in group.hard_rules)


def group_overlays(
    request: Request, fleet: FleetIndex, survivors: Survivors
) -> tuple[FollowsGroup, ...]:
    """Return what the group of a request asks; nothing if it has none, or that was deleted.

    A rule with a skew compares the domains in which some host passes everything else; other rules
    with a skew are no part of that, or each would wait for the other.

    Args:
        request: what is asked.
        fleet: that knows the groups.
        survivors: asked only if a rule has a skew.
    """
    if request.intent.group is None:
        return ()
    state = fleet.groups.of(request.intent.group)
    if state.group is None:
        return ()
    membership = Membership(state.group.id, state.group.name)
    rules, instance = state.group.hard_rules, request.run.instance
    plain = [FollowsGroup(membership, rule, instance) for rule in rules if rule.max_skew is None]

    @cache
    def running() -> BoolArray:
        found = survivors().copy()
        bounded = (
            FollowsGroup(membership, attrs.evolve(rule, max_skew=None, min_domains=None), instance)
            for rule in rules
            if rule.max_skew is not None and rule.max_per_domain is not None
        )
        for overlay in (*plain, *bounded):
            found &= overlay.limits(fleet).rows(len(fleet))
        return found

    def eligible(rule: PlacementRule) -> Eligible:
        rows = running()
        occupied = len(state.levels.get(rule.level, LevelState()).counts)
        if rule.level == HOST_LEVEL:
            count = int(np.count_nonzero(rows))
            if count > occupied + MANY_DOMAINS:
                return Eligible(count, None)
        return Eligible.of(domains_among(fleet, rule.level, rows), occupied)

    uneven = (
        FollowsGroup(membership, rule, instance, eligible(rule))
        for rule in rules
        if rule.max_skew is not None
    )
    return (*plain, *uneven)


def eligible_of(overlays: tuple[FollowsGroup, ...]) -> FrozenMap[str, Eligible]:
    """Return the domains that were compared, by level: what the claim needs to judge again."""
    if not overlays:
        return _NOTHING
    return FrozenMap(
        {found.wanted.level: found.eligible for found in overlays if found.eligible is not None}
    )
