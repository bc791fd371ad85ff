"""A request taken apart: what has to be found, and what a provider must be like to serve it.

A *need* is what one provider must give: a suffixed group, or one class of the unsuffixed group.
Needs that ask the same of a provider are of one *kind*, so that each kind is judged once.
"""

from collections import Counter
from operator import attrgetter

import attrs

from computekit.ids import AggregateId, ProviderId
from computekit.model import PlacementRequest, RequestGroup, ResourceClass, Trait

__all__ = ["Kind", "Need", "Plan", "plan_of"]

Amounts = tuple[tuple[ResourceClass, int], ...]


@attrs.frozen(cache_hash=True)
class Kind:
    """What a provider must be like to serve a need if nothing else were asked of it.

    Attributes:
        amounts: by class, ascending; empty for a group without resources.
        required: sets of traits, of each of which it has one; none for the unsuffixed group, whose
            providers meet them together.
        forbidden: traits that it does not have.
        member_of: sets of aggregates, to one of each of which it belongs.
        not_member_of: aggregates that it does not belong to.
        in_tree: a provider in whose tree it is.
        spans: whether it is of the unsuffixed group: within a tree the aggregates of the root count
            for all, a root in `not_member_of` is no anchor, and with `in_tree` only providers of
            the anchor's own tree serve.
        blank: whether no provider serves it, because it asks for nothing that one could have
            (Placement API: a group without resources needs a trait or an aggregate to look for).
    """

    amounts: Amounts
    required: frozenset[frozenset[Trait]]
    forbidden: frozenset[Trait]
    member_of: frozenset[frozenset[AggregateId]]
    not_member_of: frozenset[AggregateId]
    in_tree: ProviderId | None
    spans: bool
    blank: bool = False

    def within(self, own: frozenset[AggregateId], root: frozenset[AggregateId]) -> bool:
        """Return whether aggregates are those asked for.

        One provider must belong to one of each set, itself or, where they span, the root; it is
        not enough that each belongs to some (genuine Placement).

        Args:
            own: the provider's.
            root: those of the root of its tree.
        """
        members = (own, root) if self.spans else (own,)
        return any(
            all(any_of & member for any_of in self.member_of) for member in members
        ) and not any(self.not_member_of & member for member in members)


@attrs.frozen
class Need:
    """What one provider must give.

    Attributes:
        group: that it belongs to.
        kind: number of its kind.
        amounts: by class, ascending.
        contested: amounts of those classes that other needs ask for too, by number of the class.
        subtrees: numbers of the `same_subtree` sets that it is named in.
        twin: the need before it that it may change places with; None if there is none.
    """

    group: RequestGroup
    kind: int
    amounts: Amounts
    contested: tuple[tuple[int, int], ...]
    subtrees: tuple[int, ...]
    twin: int | None

    @property
    def suffixed(self) -> bool:
        """Whether one provider serves the whole group."""
        return bool(self.group.suffix)


@attrs.frozen(eq=False)
class Plan:
    """A request, ready to be searched for.

    Attributes:
        request: that it is about.
        needs: by suffix, those of the unsuffixed group by class.
        kinds: by number.
        contested: classes that several needs ask for, each with the sum of it.
        shunned: aggregates that the root must not belong to, because the unsuffixed group says so.
        together: sets of traits of the unsuffixed group, of each of which one of its providers
            has one.
        traits: all that some group requires, or would be content with.
        isolate: whether suffixed groups need providers of their own.
    """

    request: PlacementRequest
    needs: tuple[Need, ...]
    kinds: tuple[Kind, ...]
    contested: tuple[tuple[ResourceClass, int], ...]
    shunned: frozenset[AggregateId]
    together: tuple[frozenset[Trait], ...]
    traits: frozenset[Trait]
    isolate: bool


def plan_of(request: PlacementRequest, *, blank: bool = True) -> Plan:
    """Take apart a request that `check_request` has passed.

    Args:
        request: what is asked.
        blank: whether a group without resources may be on any provider; else, as in the Placement
            API, it is on none if it has no trait or aggregate to look for, and its `in_tree` is
            not looked at.
    """
    parts: list[tuple[RequestGroup, Amounts]] = []
    shunned = frozenset[AggregateId]()
    together: tuple[frozenset[Trait], ...] = ()
    for group in sorted(request.groups, key=attrgetter("suffix")):
        amounts = tuple(sorted(group.resources.items()))
        if group.suffix:
            parts.append((group, amounts))
        else:
            parts.extend((group, (amount,)) for amount in amounts)
            if amounts:
                together = tuple(sorted(group.required, key=sorted))
                shunned = group.not_member_of
    asked = Counter(name for _group, amounts in parts for name, _amount in amounts)
    total = Counter[ResourceClass]()
    for _group, amounts in parts:
        total.update(dict(amounts))
    contested = tuple((name, total[name]) for name in sorted(asked) if asked[name] > 1)
    number = {name: at for at, (name, _total) in enumerate(contested)}
    kinds: dict[Kind, int] = {}
    alike: dict[object, int] = {}
    needs: list[Need] = []
    for group, amounts in parts:
        kind = kinds.setdefault(_kind(group, amounts, blank), len(kinds))
        subtrees = tuple(
            at for at, named in enumerate(request.same_subtree) if group.suffix in named
        )
        likeness = (kind, subtrees)
        needs.append(
            Need(
                group,
                kind,
                amounts,
                tuple((number[name], amount) for name, amount in amounts if name in number),
                subtrees,
                alike.get(likeness) if group.suffix else None,
            )
        )
        alike[likeness] = len(needs) - 1
    return Plan(
        request,
        tuple(needs),
        tuple(kinds),
        contested,
        shunned,
        together,
        frozenset(t for group in request.groups for any_of in group.required for t in any_of),
        request.group_policy == "isolate",
    )


def _kind(group: RequestGroup, amounts: Amounts, blank: bool) -> Kind:
    return Kind(
        amounts=amounts,
        required=group.required if group.suffix else frozenset(),
        forbidden=group.forbidden,
        member_of=group.member_of,
        not_member_of=group.not_member_of,
        in_tree=group.in_tree if blank or amounts else None,
        spans=not group.suffix,
        blank=not (blank or amounts or group.required or group.member_of),
    )
