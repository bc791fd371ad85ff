"""The policies of server groups by name, with the keys that refine them, as rules.

Four names (Compute API, server groups): `affinity`, `anti-affinity`, `soft-affinity`,
`soft-anti-affinity`. Beside `max_server_per_host`, which genuine Nova knows, the keys
`max_server_per_<level>`, `max_skew_<level>`, `min_<level>s` and `level` are ours.
"""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.model.server_group import PlacementRule, RuleKind, RuleMode
from computekit.model.topology_levels import HOST_LEVEL, TopologyLevel, TopologyLevels

__all__ = ["GROUP_POLICIES", "GroupPolicyName", "GroupWords", "group_words", "parse_group_rules"]

GroupPolicyName: TypeAlias = Literal[
    "affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"
]

GROUP_POLICIES: tuple[GroupPolicyName, ...] = (
    "affinity",
    "anti-affinity",
    "soft-affinity",
    "soft-anti-affinity",
)

_DIGITS = re.compile(r"[0-9]{1,9}")
_KEYS = (
    ("max_per_domain", re.compile(r"max_server_per_(.+)")),
    ("max_skew", re.compile(r"max_skew_(.+)")),
    ("min_domains", re.compile(r"min_(.+)s")),
)


@attrs.frozen
class GroupWords:
    """The rules of a group as a policy and its keys.

    Attributes:
        policy: its name.
        rules: the keys that refine it: whole numbers, or the name of a level.
    """

    policy: GroupPolicyName
    rules: Mapping[str, int | str] = attrs.field(factory=dict)


def parse_group_rules(
    policy: str, rules: Mapping[str, int | str], levels: TopologyLevels
) -> tuple[PlacementRule, ...]:
    """Return the rules that a policy and its keys mean; conflicts between them are not looked for.

    Numbers may come as digits, as the stock command line sends them. Members that are to be apart
    are so on hosts, one on each, unless a key speaks of hosts; further levels are added to that.

    Raises:
        InvalidInput: policy, keys or values are none of those that are known; all faults are in it.
    """
    if policy not in GROUP_POLICIES:
        message = f"{policy!a} is none of {', '.join(GROUP_POLICIES)}"
        raise InvalidInput((Fault("policy", "unknown_policy", message),))
    mode = RuleMode.SOFT if policy.startswith("soft-") else RuleMode.HARD
    if policy.endswith("anti-affinity"):
        return _apart(rules, mode, levels)
    return _together(policy, rules, mode, levels)


def group_words(rules: tuple[PlacementRule, ...]) -> GroupWords | None:
    """Return the policy and keys that `parse_group_rules` makes these rules from; None if none do.

    That is so for rules of several kinds or modes, and for those with their own weight or their
    own say on unknown domains.
    """
    kinds = {(rule.kind, rule.mode) for rule in rules}
    if len(kinds) != 1:
        return None
    ((kind, mode),) = kinds
    words: dict[str, int | str] = {}
    base: GroupPolicyName
    if kind is RuleKind.TOGETHER:
        base = "affinity" if mode is RuleMode.HARD else "soft-affinity"
        if rules[0].level != HOST_LEVEL:
            words["level"] = rules[0].level
    else:
        base = "anti-affinity" if mode is RuleMode.HARD else "soft-anti-affinity"
        for rule in rules:
            if rule == PlacementRule(kind, HOST_LEVEL, mode):
                continue
            if rule.max_per_domain is not None:
                words[f"max_server_per_{rule.level}"] = rule.max_per_domain
            if rule.max_skew is not None:
                words[f"max_skew_{rule.level}"] = rule.max_skew
            if rule.min_domains is not None:
                words[f"min_{rule.level}s"] = rule.min_domains
    named = dict.fromkeys(rule.level for rule in rules if rule.level != HOST_LEVEL)
    try:
        levels = TopologyLevels(tuple(TopologyLevel(name, name) for name in named))
        found = parse_group_rules(base, words, levels)
    except InvalidInput:
        return None
    return GroupWords(base, words) if set(found) == set(rules) else None


def _together(
    policy: str, rules: Mapping[str, int | str], mode: RuleMode, levels: TopologyLevels
) -> tuple[PlacementRule, ...]:
    faults: list[Fault] = []
    level = HOST_LEVEL
    for key, value in rules.items():
        if key != "level":
            message = f"{policy} takes the key level only"
            faults.append(Fault(f"rules[{key!a}]", "unknown_rule", message))
        elif value not in levels:
            faults.append(_unknown_level(key, value, levels))
        else:
            level = str(value)
    if faults:
        raise InvalidInput(tuple(faults))
    return (PlacementRule(RuleKind.TOGETHER, level, mode),)


def _apart(
    rules: Mapping[str, int | str], mode: RuleMode, levels: TopologyLevels
) -> tuple[PlacementRule, ...]:
    faults: list[Fault] = []
    numbers: dict[str, dict[str, int]] = {}
    for key, value in rules.items():
        match = next(((f, m[1]) for f, pattern in _KEYS if (m := pattern.fullmatch(key))), None)
        if match is None:
            message = "is none of max_server_per_<level>, max_skew_<level>, min_<level>s"
            faults.append(Fault(f"rules[{key!a}]", "unknown_rule", message))
            continue
        field, level = match
        if level not in levels:
            faults.append(_unknown_level(key, level, levels))
        number = _number(value)
        if number is None:
            message = f"{value!a} is not a whole number above 0"
            faults.append(Fault(f"rules[{key!a}]", "not_a_number", message))
        else:
            numbers.setdefault(level, {})[field] = number
    faults.extend(
        Fault(f"rules['min_{level}s']", "not_applicable", f"needs max_skew_{level}")
        for level, found in numbers.items()
        if "min_domains" in found and "max_skew" not in found
    )
    if faults:
        raise InvalidInput(tuple(faults))
    numbers.setdefault(HOST_LEVEL, {})
    return tuple(
        PlacementRule(
            RuleKind.SPREAD,
            level,
            mode,
            max_skew=found.get("max_skew"),
            min_domains=found.get("min_domains"),
            max_per_domain=found.get("max_per_domain", None if "max_skew" in found else 1),
        )
        for level, found in sorted(numbers.items(), key=lambda item: levels.place(item[0]))
    )


def _unknown_level(key: str, level: int | str, levels: TopologyLevels) -> Fault:
    message = f"there is no level {level!a}; there are {', '.join(levels)}"
    return Fault(f"rules[{key!a}]", "unknown_level", message)


def _number(value: int | str) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            return None
        value = int(value)
    return value if value >= 1 else None
