"""One rule over the domains of one level, against a reference that lists every member."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from computekit.ids import ConsumerId, ServerGroupId
from computekit.model import PlacementRule, RuleKind, TopologyLevels, UnknownDomain
from computekit.placement import Groups, LevelState, places_of, slot_name
from computekit.scheduler.topology_rules import Eligible, judge_domain, soft_scores

DOMAINS = ("a", "b", "c", "d")
MEMBERS = st.lists(st.frozensets(st.sampled_from(DOMAINS), max_size=2), max_size=6)
NUMBERS = st.none() | st.integers(1, 3)
GROUP = ServerGroupId("g")


@st.composite
def rules(draw: st.DrawFn) -> PlacementRule:
    unknown = draw(st.sampled_from(UnknownDomain))
    if draw(st.booleans()):
        return PlacementRule(RuleKind.TOGETHER, "rack", unknown=unknown)
    skew = draw(NUMBERS)
    return PlacementRule(
        RuleKind.SPREAD,
        "rack",
        max_skew=skew,
        min_domains=draw(NUMBERS) if skew else None,
        max_per_domain=draw(st.integers(1, 3)) if skew is None else draw(NUMBERS),
        unknown=unknown,
    )


def state_of(members: Sequence[frozenset[str]]) -> Groups:
    groups = Groups(TopologyLevels())
    for number, domains in enumerate(members):
        places = {"rack": domains} if domains else {}
        groups.move(ConsumerId(str(number)), {GROUP: places} if places else {})
    return groups


def reference(
    rule: PlacementRule,
    domain: str | None,
    members: Sequence[frozenset[str]],
    eligible: frozenset[str],
) -> bool:
    """Return whether the rule allows one more member, by looking at each of the others."""
    if domain is None:
        return rule.unknown is UnknownDomain.IGNORE
    known = [member for member in members if member]
    if rule.kind is RuleKind.TOGETHER:
        return not known or any(member == {domain} for member in known)

    def count(of: str) -> int:
        return sum(1 for member in known if of in member)

    if rule.max_per_domain is not None and count(domain) + 1 > rule.max_per_domain:
        return False
    if rule.max_skew is None:
        return True
    least = min(map(count, eligible), default=0)
    if rule.min_domains is not None and len(eligible) < rule.min_domains:
        least = 0
    return count(domain) + 1 - least <= rule.max_skew


@given(
    rules(), MEMBERS, st.none() | st.sampled_from(DOMAINS), st.frozensets(st.sampled_from(DOMAINS))
)
def test_one_more_member_is_judged_as_the_reference_does(
    rule: PlacementRule,
    members: list[frozenset[str]],
    domain: str | None,
    eligible: frozenset[str],
) -> None:
    others = state_of(members).of(GROUP).at("rack")
    found = Eligible.of(eligible, len(others.counts))
    least = found.least(others.counts, rule)
    why = judge_domain(rule, domain, others, least)
    assert (why is None) is reference(rule, domain, members, eligible), why


@given(MEMBERS, st.integers(0, 5))
def test_a_member_left_out_is_as_one_that_is_not_there(
    members: list[frozenset[str]], at: int
) -> None:
    left = [domains for number, domains in enumerate(members) if number != at]
    mine = state_of(members).of(GROUP).at("rack", ConsumerId(str(at)))
    assert mine == state_of(left).of(GROUP).at("rack")


@given(MEMBERS, MEMBERS)
def test_where_members_went_is_where_they_are(
    before: list[frozenset[str]], after: list[frozenset[str]]
) -> None:
    groups = state_of(before)
    copy = groups.fork()
    for number in range(max(len(before), len(after))):
        domains = after[number] if number < len(after) else frozenset()
        groups.move(ConsumerId(str(number)), {GROUP: {"rack": domains}} if domains else {})
    assert groups.of(GROUP).at("rack") == state_of(after).of(GROUP).at("rack")
    assert copy.of(GROUP).at("rack") == state_of(before).of(GROUP).at("rack")


@given(st.dictionaries(st.sampled_from(DOMAINS), st.integers(1, 9)))
def test_soft_rules_prefer_what_hard_ones_ask(counts: dict[str, int]) -> None:
    spread = soft_scores(PlacementRule(RuleKind.SPREAD, "rack", weight=2.0), counts)
    together = soft_scores(PlacementRule(RuleKind.TOGETHER, "rack", weight=2.0), counts)
    assert all(-2 < score < 0 for score in spread.values())
    assert together == {domain: -score for domain, score in spread.items()}
    assert sorted(counts, key=counts.__getitem__) == sorted(
        sorted(counts, key=counts.__getitem__), key=together.__getitem__
    )


def test_so_many_eligible_domains_that_some_are_empty_need_no_names() -> None:
    rule = PlacementRule(RuleKind.SPREAD, "rack", max_skew=1)
    many = Eligible.of([str(n) for n in range(5000)], 1)
    assert many.names is None
    assert many.least({"0": 1}, rule) == 0
    assert many.least({str(n): 1 for n in range(6000)}, rule) is None
    assert judge_domain(rule, "0", LevelState({"0": 1}), None) is not None


def test_places_are_read_from_the_names_of_counters() -> None:
    names = [slot_name("az", "z=1"), slot_name("host", "h1"), slot_name("host", "h2")]
    assert places_of(names) == {"az": {"z=1"}, "host": {"h1", "h2"}}
