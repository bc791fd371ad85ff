"""Where the members of server groups are, as replicas keep it.

A member holds one counter for each domain that it is in, at each level that its group's rules are
about and at the level of hosts. So what a claim is judged by and what a replica shows are the same
rows; a member that moves holds those of both ends until the move has ended.
"""

from collections.abc import Callable, Iterable, Mapping

import attrs

from computekit.ids import ConsumerId, HostName, ServerGroupId
from computekit.model import ServerGroup, TopologyLevels
from computekit.placement.columns import Cow
from computekit.placement.host_aggregates import Values
from computekit.placement.ports import CounterHold

__all__ = [
    "GROUP_SCOPE",
    "GroupState",
    "Groups",
    "LevelState",
    "Places",
    "group_scope",
    "places_of",
    "slot_name",
]

GROUP_SCOPE = "server_group:"
"""How the scope of a group's counters begins; the group's id follows."""

Places = Mapping[str, frozenset[str]]
"""The domains that a member is in, by level."""

_NOWHERE: Places = {}


def group_scope(group: ServerGroupId) -> str:
    """Return the scope of a group's counters."""
    return f"{GROUP_SCOPE}{group}"


def slot_name(level: str, domain: str) -> str:
    """Return the name of the counter of a domain."""
    return f"{level}={domain}"


def places_of(names: Iterable[str]) -> Places:
    """Return the domains that counters of these names stand for."""
    found: dict[str, set[str]] = {}
    for name in names:
        level, _, domain = name.partition("=")
        found.setdefault(level, set()).add(domain)
    return {level: frozenset(domains) for level, domains in found.items()}


@attrs.frozen
class LevelState:
    """How the members of a group lie at one level.

    Attributes:
        counts: how many are in each domain; none is 0.
        moving: how many of those are in another domain too, for they move.
    """

    counts: Mapping[str, int] = attrs.field(factory=dict)
    moving: Mapping[str, int] = attrs.field(factory=dict)

    def counting(self, domains: frozenset[str], sign: int) -> "LevelState":
        """Return the state with one more member, or one less, that is in these domains."""
        moving = self.moving
        if len(domains) > 1:
            moving = _added(moving, domains, sign)
        return LevelState(_added(self.counts, domains, sign), moving)

    @property
    def unsettled(self) -> frozenset[str]:
        """The domains of which every member is in another one too."""
        return frozenset(d for d, count in self.moving.items() if self.counts.get(d) == count)


@attrs.frozen
class GroupState:
    """A group and where its members are.

    Attributes:
        group: None if it was deleted, or is not known.
        places: by member.
        levels: how they lie, by level.
    """

    group: ServerGroup | None = None
    places: Mapping[ConsumerId, Places] = attrs.field(factory=dict)
    levels: Mapping[str, LevelState] = attrs.field(factory=dict)

    @classmethod
    def of(cls, group: ServerGroup | None, places: Mapping[ConsumerId, Places]) -> "GroupState":
        """Return a group whose members are at these places."""
        counts: dict[str, dict[str, int]] = {}
        moving: dict[str, dict[str, int]] = {}
        for place in places.values():
            for level, domains in place.items():
                for into in (counts, moving) if len(domains) > 1 else (counts,):
                    here = into.setdefault(level, {})
                    for domain in domains:
                        here[domain] = here.get(domain, 0) + 1
        levels = {level: LevelState(here, moving.get(level, {})) for level, here in counts.items()}
        return cls(group, places, levels)

    def at(self, level: str, without: ConsumerId | None = None) -> LevelState:
        """Return how the members lie at a level, one of them left out."""
        state = self.levels.get(level, LevelState())
        mine = _NOWHERE if without is None else self.places.get(without, _NOWHERE)
        return state.counting(mine[level], -1) if level in mine else state

    def placed(self, member: ConsumerId, places: Places) -> "GroupState":
        """Return the state with a member at these places, instead of where it was."""
        before = self.places.get(member, _NOWHERE)
        levels = dict(self.levels)
        for level in before.keys() | places.keys():
            state = levels.get(level, LevelState())
            if level in before:
                state = state.counting(before[level], -1)
            if level in places:
                state = state.counting(places[level], 1)
            levels[level] = state
            if not state.counts:
                del levels[level]
        after = dict(self.places)
        if places:
            after[member] = places
        else:
            after.pop(member, None)
        return GroupState(self.group, after, levels)


def _added(counts: Mapping[str, int], domains: frozenset[str], sign: int) -> dict[str, int]:
    after = dict(counts)
    for domain in domains:
        left = after.get(domain, 0) + sign
        if left:
            after[domain] = left
        else:
            del after[domain]
    return after


class Groups:
    """All groups of a fleet, and where their members are; a part of its index.

    Written by `FleetIndex` only.

    Args:
        levels: of the deployment.
    """

    def __init__(self, levels: TopologyLevels) -> None:
        self.levels: TopologyLevels = levels
        self._states: Cow[dict[ServerGroupId, GroupState]] = Cow({})
        self._groups_of: Cow[dict[ConsumerId, tuple[ServerGroupId, ...]]] = Cow({})
        # What each value of a column of metadata is as a domain, by the column's key.
        self.domains: dict[str, tuple[list[Values], list[str | None]]] = {}
        # The rows of hosts that have members, while rows are numbered as in this layout.
        self._rows: dict[str, int | None] = {}
        self._layout = -1

    def fork(self) -> "Groups":
        """Return a copy that shares until written."""
        other = Groups(self.levels)
        other._states, other._groups_of = self._states.fork(), self._groups_of.fork()
        return other

    def rows_of(
        self, hosts: Iterable[str], layout: int, row: Callable[[HostName], int | None]
    ) -> list[int]:
        """Return the rows of hosts that have members; those that are not there are left out.

        Args:
            hosts: their names.
            layout: of the fleet; what was found is kept until it changes.
            row: finds the row of a host.
        """
        if self._layout != layout:
            self._rows, self._layout = {}, layout
        known = self._rows
        found: list[int] = []
        for host in hosts:
            if host not in known:
                known[host] = row(HostName(host))
            at = known[host]
            if at is not None:
                found.append(at)
        return found

    def of(self, group: ServerGroupId) -> GroupState:
        """Return a group and where its members are."""
        return self._states.value.get(group) or GroupState()

    def put(self, group: ServerGroup) -> None:
        """Write a group, new or not; its members stay where they are."""
        states = self._states.own()
        states[group.id] = attrs.evolve(self.of(group.id), group=group)

    def remove(self, group: ServerGroupId) -> None:
        """Forget a group; where its members are is kept until they have gone."""
        state = attrs.evolve(self.of(group), group=None)
        if state.places:
            self._states.own()[group] = state
        else:
            self._states.own().pop(group, None)

    def place(self, member: ConsumerId, holds: Iterable[CounterHold]) -> None:
        """Write where a member is, by all counters that it holds."""
        names: dict[ServerGroupId, list[str]] = {}
        for hold in holds:
            if hold.scope.startswith(GROUP_SCOPE):
                group = ServerGroupId(hold.scope.removeprefix(GROUP_SCOPE))
                names.setdefault(group, []).append(hold.name)
        self.move(member, {group: places_of(held) for group, held in names.items()})

    def move(self, member: ConsumerId, places: Mapping[ServerGroupId, Places]) -> None:
        """Write where a member is, by the groups that it counts in."""
        before = self._groups_of.value.get(member, ())
        if not before and not places:
            return
        states = self._states.own()
        for group in dict.fromkeys((*before, *places)):
            state = self.of(group).placed(member, places.get(group, _NOWHERE))
            if state.group is None and not state.places:
                states.pop(group, None)
            else:
                states[group] = state
        if places:
            self._groups_of.own()[member] = tuple(places)
        else:
            self._groups_of.own().pop(member, None)

    def clear(self) -> None:
        """Forget everything."""
        self._states, self._groups_of = Cow({}), Cow({})
