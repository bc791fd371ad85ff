"""Server groups: instances whose places depend on each other, by rules over topology levels."""

import math
from collections.abc import Iterator, Sequence
from enum import Enum

import attrs

from computekit.errors import Fault
from computekit.ids import ProjectId, ServerGroupId, UserId
from computekit.model.topology_levels import TopologyLevels

__all__ = [
    "MOST_MEMBERS",
    "MOST_RULES",
    "PlacementRule",
    "RuleKind",
    "RuleMode",
    "ServerGroup",
    "UnknownDomain",
    "rule_faults",
]

MOST_RULES = 8
"""Rules that one group may have."""

MOST_MEMBERS = 10
"""Members that one group may have, unless somebody says otherwise (Nova, server_group_members)."""


class RuleKind(Enum):
    """What members are to do."""

    SPREAD = "spread"
    TOGETHER = "together"


class RuleMode(Enum):
    """Whether a rule must hold, or is preferred."""

    HARD = "hard"
    SOFT = "soft"


class UnknownDomain(Enum):
    """What becomes of a host that is in no domain of a level."""

    REJECT = "reject"
    IGNORE = "ignore"


def _unknown_of(rule: "PlacementRule") -> UnknownDomain:
    return UnknownDomain.REJECT if rule.mode is RuleMode.HARD else UnknownDomain.IGNORE


def _per_domain_of(rule: "PlacementRule") -> int | None:
    bare = rule.kind is RuleKind.SPREAD and rule.max_skew is None
    return 1 if bare else None


@attrs.frozen
class PlacementRule:
    """How the members of a group are to lie at one level.

    Attributes:
        kind: apart or together.
        level: of the deployment's topology.
        mode: a hard rule is never broken by a placement; a soft one is a preference.
        max_skew: the most members by which a domain may exceed the emptiest eligible one.
        max_per_domain: the most members in one domain; 1 for a rule that spreads and names neither.
        min_domains: with fewer eligible domains than this, the emptiest counts as having none.
        unknown: whether a host of no known domain may be chosen; its members count in no domain.
        weight: what a soft rule counts for, beside the group's other soft rules.
    """

    kind: RuleKind
    level: str
    mode: RuleMode = RuleMode.HARD
    max_skew: int | None = None
    max_per_domain: int | None = attrs.field(default=attrs.Factory(_per_domain_of, takes_self=True))
    min_domains: int | None = None
    unknown: UnknownDomain = attrs.field(default=attrs.Factory(_unknown_of, takes_self=True))
    weight: float = 1.0

    @property
    def hard(self) -> bool:
        """Whether it must hold."""
        return self.mode is RuleMode.HARD

    @property
    def words(self) -> str:
        """The rule as people say it: `at most 2 per rack`."""
        if self.kind is RuleKind.TOGETHER:
            return f"the same {self.level}"
        parts: list[str] = []
        if self.max_per_domain is not None:
            parts.append(f"at most {self.max_per_domain} per {self.level}")
        if self.max_skew is not None:
            least = f" over at least {self.min_domains}" if self.min_domains is not None else ""
            parts.append(f"skew of at most {self.max_skew} between {self.level}s{least}")
        return " and ".join(parts)


@attrs.frozen
class ServerGroup:
    """A group of instances, and how they are to lie (Compute API, server groups).

    Who is a member is decided when an instance is made, and stays.

    Attributes:
        id: UUID.
        name: for people.
        project: whose it is.
        rules: all of them hold.
        user: who made it.
    """

    id: ServerGroupId
    name: str
    project: ProjectId
    rules: tuple[PlacementRule, ...]
    user: UserId | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that rules are about, in their order."""
        return tuple(dict.fromkeys(rule.level for rule in self.rules))

    @property
    def hard_rules(self) -> tuple[PlacementRule, ...]:
        """Those that must hold."""
        return tuple(rule for rule in self.rules if rule.hard)

    @property
    def soft_rules(self) -> tuple[PlacementRule, ...]:
        """Those that are preferences."""
        return tuple(rule for rule in self.rules if not rule.hard)


def rule_faults(
    rules: Sequence[PlacementRule],
    levels: TopologyLevels,
    most_members: int = MOST_MEMBERS,
    path: str = "rules",
) -> tuple[Fault, ...]:
    """Return everything that is wrong with the rules of a group, alone and together.

    Args:
        rules: all of them.
        levels: of the deployment.
        most_members: that a group may have: members that must be together need room for as many.
        path: of the rules in the input.
    """
    faults: list[Fault] = []
    if not 1 <= len(rules) <= MOST_RULES:
        message = f"{len(rules)} rules; a group has 1 to {MOST_RULES}"
        faults.append(Fault(path, "count", message))
    first: dict[tuple[RuleKind, str, RuleMode], int] = {}
    for at, rule in enumerate(rules):
        faults.extend(_own_faults(rule, levels, f"{path}[{at}]"))
        other = first.setdefault((rule.kind, rule.level, rule.mode), at)
        if other != at:
            message = f"{path}[{other}] is of the same kind, level and mode"
            faults.append(Fault(f"{path}[{at}]", "repeated", message))
    faults.extend(_conflicts(rules, levels, most_members, path))
    return tuple(faults)


def _own_faults(rule: PlacementRule, levels: TopologyLevels, path: str) -> Iterator[Fault]:
    if rule.level not in levels:
        message = f"there is no level {rule.level!a}; there are {', '.join(levels)}"
        yield Fault(f"{path}.level", "unknown_level", message)
    numbers = {
        "max_per_domain": rule.max_per_domain,
        "max_skew": rule.max_skew,
        "min_domains": rule.min_domains,
    }
    for name, number in numbers.items():
        if number is None:
            continue
        if rule.kind is RuleKind.TOGETHER:
            message = "is for rules that spread"
            yield Fault(f"{path}.{name}", "not_applicable", message)
        elif number < 1:
            yield Fault(f"{path}.{name}", "too_small", f"{number} is below 1")
    spread = rule.kind is RuleKind.SPREAD
    if spread and rule.max_per_domain is None and rule.max_skew is None:
        message = "a rule that spreads needs max_per_domain or max_skew"
        yield Fault(path, "nothing_asked", message)
    if spread and rule.min_domains is not None and rule.max_skew is None:
        yield Fault(f"{path}.min_domains", "not_applicable", "is for rules with max_skew")
    if rule.hard and rule.weight != 1.0:
        yield Fault(f"{path}.weight", "not_applicable", "is for soft rules")
    elif not (math.isfinite(rule.weight) and rule.weight > 0):
        yield Fault(f"{path}.weight", "malformed", f"{rule.weight} is not a number above 0")


def _conflicts(
    rules: Sequence[PlacementRule], levels: TopologyLevels, most_members: int, path: str
) -> Iterator[Fault]:
    """Return the pairs of hard rules that cannot hold together in a full group."""
    known = [(at, rule) for at, rule in enumerate(rules) if rule.hard and rule.level in levels]
    spreads = [(at, rule) for at, rule in known if rule.kind is RuleKind.SPREAD]
    for at, together in known:
        if together.kind is not RuleKind.TOGETHER:
            continue
        for other, spread in spreads:
            here = f"{path}[{at}]"
            if spread.level == together.level:
                message = f"members cannot share a {together.level} and be apart ({path}[{other}])"
                yield Fault(here, "conflict", message)
            elif levels.place(spread.level) < levels.place(together.level):
                bounds = (spread.max_per_domain, spread.max_skew)
                least = min((n for n in bounds if n is not None), default=most_members)
                if least < most_members:
                    message = (
                        f"members that share a {together.level} share its {spread.level}, where "
                        f"{path}[{other}] allows {least} of up to {most_members}"
                    )
                    yield Fault(here, "conflict", message)
