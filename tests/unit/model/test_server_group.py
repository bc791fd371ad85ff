"""The rules of server groups: their words, and what is wrong with them."""

import pytest

from computekit.errors import InvalidInput
from computekit.ids import ProjectId, ServerGroupId
from computekit.model import (
    GroupWords,
    PlacementRule,
    RuleKind,
    RuleMode,
    ServerGroup,
    TopologyLevel,
    TopologyLevels,
    UnknownDomain,
    decode,
    encode,
    group_words,
    parse_group_rules,
    rule_faults,
)

LEVELS = TopologyLevels(
    (
        TopologyLevel("az", "availability_zone"),
        TopologyLevel("row", "topology:row"),
        TopologyLevel("rack", "topology:rack"),
    )
)
SPREAD, TOGETHER = RuleKind.SPREAD, RuleKind.TOGETHER
HARD, SOFT = RuleMode.HARD, RuleMode.SOFT


def codes(*rules: PlacementRule, most_members: int = 10) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in rule_faults(rules, LEVELS, most_members)]


def test_levels_have_names_and_keys_of_their_own() -> None:
    assert LEVELS.names == ("az", "row", "rack", "host")
    assert (LEVELS.key("rack"), LEVELS.key("host"), LEVELS.key("x")) == (
        "topology:rack",
        None,
        None,
    )
    assert [LEVELS.place(name) for name in LEVELS] == [0, 1, 2, 3]
    with pytest.raises(InvalidInput) as raised:
        TopologyLevels(
            (
                TopologyLevel("host", "a"),
                TopologyLevel("Rack", "a"),
                TopologyLevel("r", ""),
                TopologyLevel("r", "b"),
            )
        )
    assert [(f.path, f.code) for f in raised.value.faults] == [
        ("levels[0].name", "reserved"),
        ("levels[1].name", "malformed"),
        ("levels[1].key", "repeated"),
        ("levels[2].key", "empty"),
        ("levels[3].name", "repeated"),
    ]


def test_what_is_left_out_follows_from_the_rest() -> None:
    assert PlacementRule(SPREAD, "az").max_per_domain == 1
    assert PlacementRule(SPREAD, "az", max_skew=2).max_per_domain is None
    assert PlacementRule(TOGETHER, "az").max_per_domain is None
    assert PlacementRule(SPREAD, "az").unknown is UnknownDomain.REJECT
    assert PlacementRule(SPREAD, "az", SOFT).unknown is UnknownDomain.IGNORE


def test_a_group_is_kept_as_text() -> None:
    rules = (
        PlacementRule(SPREAD, "az", max_skew=1, min_domains=2),
        PlacementRule(SPREAD, "host", SOFT, weight=2.0),
        PlacementRule(SPREAD, "rack", max_per_domain=None),
    )
    group = ServerGroup(ServerGroupId("g"), "web", ProjectId("p"), rules)
    assert decode(encode(group), ServerGroup) == group
    assert group.levels == ("az", "host", "rack")
    assert (len(group.hard_rules), len(group.soft_rules)) == (2, 1)


@pytest.mark.parametrize(
    ("policy", "keys", "rules"),
    [
        ("affinity", {}, (PlacementRule(TOGETHER, "host"),)),
        ("affinity", {"level": "az"}, (PlacementRule(TOGETHER, "az"),)),
        ("soft-affinity", {"level": "rack"}, (PlacementRule(TOGETHER, "rack", SOFT),)),
        ("anti-affinity", {}, (PlacementRule(SPREAD, "host"),)),
        ("soft-anti-affinity", {}, (PlacementRule(SPREAD, "host", SOFT),)),
        (
            "anti-affinity",
            {"max_server_per_host": "2"},
            (PlacementRule(SPREAD, "host", max_per_domain=2),),
        ),
        (
            "anti-affinity",
            {"max_skew_rack": 1, "min_racks": 3, "max_server_per_az": "2"},
            (
                PlacementRule(SPREAD, "az", max_per_domain=2),
                PlacementRule(SPREAD, "rack", max_skew=1, min_domains=3),
                PlacementRule(SPREAD, "host"),
            ),
        ),
        (
            "soft-anti-affinity",
            {"max_server_per_rack": 4, "max_skew_rack": 2, "max_skew_host": 1},
            (
                PlacementRule(SPREAD, "rack", SOFT, max_skew=2, max_per_domain=4),
                PlacementRule(SPREAD, "host", SOFT, max_skew=1),
            ),
        ),
    ],
)
def test_policies_and_keys_are_rules(
    policy: str, keys: dict[str, int | str], rules: tuple[PlacementRule, ...]
) -> None:
    assert parse_group_rules(policy, keys, LEVELS) == rules
    words = group_words(rules)
    assert words is not None
    assert (words.policy, {k: str(v) for k, v in words.rules.items()}) == (
        policy,
        {k: str(v) for k, v in keys.items()},
    )


def test_rules_that_no_policy_says_have_no_words() -> None:
    assert group_words((PlacementRule(SPREAD, "az"), PlacementRule(TOGETHER, "host"))) is None
    assert group_words((PlacementRule(SPREAD, "host", SOFT, weight=2.0),)) is None
    assert group_words((PlacementRule(SPREAD, "az"),)) is None
    assert group_words((PlacementRule(SPREAD, "host"),)) == GroupWords("anti-affinity")


def test_every_bad_key_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_group_rules(
            "anti-affinity",
            {
                "max_server_per_shelf": "x",
                "max_skew_az": 0,
                "min_rows": True,
                "min_racks": "2",
                "level": "az",
                "max_server_per_host": "1.5",
            },
            LEVELS,
        )
    assert [(f.path, f.code) for f in raised.value.faults] == [
        ("rules['max_server_per_shelf']", "unknown_level"),
        ("rules['max_server_per_shelf']", "not_a_number"),
        ("rules['max_skew_az']", "not_a_number"),
        ("rules['min_rows']", "not_a_number"),
        ("rules['level']", "unknown_rule"),
        ("rules['max_server_per_host']", "not_a_number"),
        ("rules['min_racks']", "not_applicable"),
    ]
    for policy, keys, code in (
        ("near", {}, "unknown_policy"),
        ("affinity", {"max_server_per_host": 2}, "unknown_rule"),
        ("soft-affinity", {"level": "shelf"}, "unknown_level"),
    ):
        with pytest.raises(InvalidInput) as raised:
            parse_group_rules(policy, keys, LEVELS)
        assert [fault.code for fault in raised.value.faults] == [code]


def test_each_rule_is_looked_at_alone() -> None:
    assert codes() == [("rules", "count")]
    assert codes(
        PlacementRule(SPREAD, "shelf", max_per_domain=0),
        PlacementRule(SPREAD, "az", max_per_domain=None),
        PlacementRule(SPREAD, "row", min_domains=2, weight=2.0),
        PlacementRule(TOGETHER, "rack", SOFT, max_skew=1, weight=float("nan")),
        PlacementRule(TOGETHER, "rack", SOFT, weight=0.0),
    ) == [
        ("rules[0].level", "unknown_level"),
        ("rules[0].max_per_domain", "too_small"),
        ("rules[1]", "nothing_asked"),
        ("rules[2].min_domains", "not_applicable"),
        ("rules[2].weight", "not_applicable"),
        ("rules[3].max_skew", "not_applicable"),
        ("rules[3].weight", "malformed"),
        ("rules[4].weight", "malformed"),
        ("rules[4]", "repeated"),
    ]


def test_rules_that_cannot_hold_together_are_told() -> None:
    assert codes(PlacementRule(TOGETHER, "az"), PlacementRule(SPREAD, "az")) == [
        ("rules[0]", "conflict")
    ]
    assert codes(
        PlacementRule(SPREAD, "az", max_per_domain=9), PlacementRule(TOGETHER, "host")
    ) == [("rules[1]", "conflict")]
    assert not codes(
        PlacementRule(SPREAD, "az", max_per_domain=9),
        PlacementRule(TOGETHER, "host"),
        most_members=9,
    )
    assert not codes(PlacementRule(TOGETHER, "az"), PlacementRule(SPREAD, "host"))
    assert not codes(PlacementRule(TOGETHER, "host"), PlacementRule(SPREAD, "host", SOFT))
    many = [PlacementRule(SPREAD, "az")] * 9
    assert codes(*many)[0] == ("rules", "count")
    assert len(codes(*many)) == 9
