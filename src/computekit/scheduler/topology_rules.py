"""Whether one more member may lie in a domain, by one rule: pure, at one level.

The same judgement serves the index, for all domains at once, and the claim, for the one domain that
was chosen.
"""

from collections.abc import Collection, Mapping

import attrs

from computekit.model import PlacementRule, RuleKind, UnknownDomain
from computekit.placement import LevelState

__all__ = ["MANY_DOMAINS", "Eligible", "Verdicts", "judge_domain", "judge_domains", "soft_scores"]

MANY_DOMAINS = 4096
"""So many more than have members need not be named: some of them will be empty."""


@attrs.frozen
class Eligible:
    """The domains of one level in which some host could take the request but for its skew.

    Attributes:
        count: how many there are.
        names: which; None if they are so many that some of them must be empty.
    """

    count: int
    names: frozenset[str] | None

    @classmethod
    def of(cls, names: Collection[str], occupied: int) -> "Eligible":
        """Return these domains, of a level of which so many have members."""
        if len(names) > occupied + MANY_DOMAINS:
            return cls(len(names), None)
        return cls(len(names), frozenset(names))

    def least(self, counts: Mapping[str, int], rule: PlacementRule) -> int | None:
        """Return the fewest members in a domain, as `rule` counts it; None if that is unknown."""
        if rule.min_domains is not None and self.count < rule.min_domains:
            return 0
        if self.count > len(counts):
            return 0
        if self.names is None:
            return None
        return min((counts.get(name, 0) for name in self.names), default=0)


@attrs.frozen
class Verdicts:
    """Which domains one more member may lie in.

    Attributes:
        exceptions: domains of which the opposite holds.
        others: whether it may lie in any other domain.
        unknown: whether it may lie in none.
    """

    exceptions: frozenset[str]
    others: bool
    unknown: bool

    def allow(self, domain: str | None) -> bool:
        """Return whether it may lie in a domain."""
        if domain is None:
            return self.unknown
        return (domain in self.exceptions) is not self.others


def judge_domains(rule: PlacementRule, others: LevelState, least: int | None = 0) -> Verdicts:
    """Return which domains one more member may lie in.

    Members that must be together never worsen what is: where they lie apart already, any of their
    domains will do. While one of them moves, no other follows it to either end, for nobody knows
    at which of them it will be.

    Args:
        rule: a hard one.
        others: all other members.
        least: the fewest members in an eligible domain; None if that is not known any more.
    """
    unknown = rule.unknown is UnknownDomain.IGNORE
    counts = others.counts
    if rule.kind is RuleKind.TOGETHER:
        moving = others.moving
        settled = frozenset(d for d, count in counts.items() if moving.get(d) != count)
        return Verdicts(settled, not counts, unknown)
    if rule.max_skew is not None and least is None:
        return Verdicts(frozenset(), False, unknown)
    most = _most(rule, least or 0)
    full = frozenset(d for d, count in counts.items() if count >= most)
    return Verdicts(full, most > 0, unknown)


def _most(rule: PlacementRule, least: int) -> int:
    """Return how many members a domain may have at the most."""
    bounds = [2**62 if rule.max_per_domain is None else rule.max_per_domain]
    if rule.max_skew is not None:
        bounds.append(least + rule.max_skew)
    return min(bounds)


def judge_domain(
    rule: PlacementRule, domain: str | None, others: LevelState, least: int | None = 0
) -> str | None:
    """Return why one more member may not lie in a domain; None if `judge_domains` says it may."""
    level = rule.level
    if judge_domains(rule, others, least).allow(domain):
        return None
    if domain is None:
        return f"in no {level}"
    count = others.counts.get(domain, 0)
    if rule.kind is RuleKind.TOGETHER:
        if not count:
            return f"the others are not in {level} {domain}"
        return f"the others of {level} {domain} are on the move"
    if rule.max_per_domain is not None and count >= rule.max_per_domain:
        return f"{level} {domain} has {count} of {rule.max_per_domain}"
    if least is None:
        return f"the emptiest {level} is not known any more"
    return f"{level} {domain} has {count}, the emptiest {least}"


def soft_scores(rule: PlacementRule, counts: Mapping[str, int]) -> dict[str, float]:
    """Return what a soft rule gives each domain that has members, from -1 to 1; others get 0.

    To spread, fewer members are better; to be together, more. The weight of the rule is in it.
    """
    most = max(counts.values(), default=0) + 1
    sign = 1.0 if rule.kind is RuleKind.TOGETHER else -1.0
    return {domain: sign * rule.weight * count / most for domain, count in counts.items()}
