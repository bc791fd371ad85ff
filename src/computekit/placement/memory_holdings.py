"""Who holds what, in dictionaries."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest

import attrs

from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import Allocation, FrozenMap, ResourceClass, Resources
from computekit.placement import judging
from computekit.placement.judging import Key
from computekit.placement.ports import (
    COUNTERS_CHANGED,
    PROVIDER_CHANGED,
    Claim,
    CounterClaim,
    CounterHold,
    ProviderUse,
    Usage,
)
from computekit.units import Seconds
from computekit.work import MemoryTable, MemoryTx

__all__ = ["MemoryHoldings"]

_NONE: Resources = FrozenMap()
_NOTHING_HELD: FrozenMap[ProviderId, Resources] = FrozenMap()


class MemoryHoldings:
    """What consumers hold, by consumer and by provider; and counters.

    Args:
        uses: the rows of providers, whose `used` is written here.
    """

    def __init__(self, uses: MemoryTable[ProviderId, ProviderUse]) -> None:
        self._uses = uses
        self._claims: MemoryTable[ConsumerId, Claim] = MemoryTable()
        self._holders: MemoryTable[ProviderId, MemoryTable[ConsumerId, Resources]] = MemoryTable()
        self._counters: MemoryTable[tuple[str, str], int] = MemoryTable()
        self._counting: MemoryTable[str, MemoryTable[ConsumerId, bool]] = MemoryTable()
        self._scopes: MemoryTable[str, MemoryTable[str, bool]] = MemoryTable()

    # Reading

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        claim = self._claims.rows.get(consumer)
        return None if claim is None else claim.allocation

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        return tuple(self._claims.rows[c].allocation for c in sorted(self._holding(provider)))

    def consumers(self, after: ConsumerId | None, limit: int) -> tuple[Allocation, ...]:
        rows = self._claims.rows
        found = nsmallest(limit, (c for c in rows if after is None or c > after))
        return tuple(rows[consumer].allocation for consumer in found)

    def usages(self, project: ProjectId, user: UserId | None) -> Mapping[str | None, Usage]:
        sums: dict[str | None, tuple[int, dict[ResourceClass, int]]] = {}
        for claim in self._claims.rows.values():
            who, held = claim.allocation.consumer, claim.allocation.resources
            if held and who.project == project and user in {None, who.user}:
                count, amounts = sums.get(who.type, (0, {}))
                for of_one in held.values():
                    for name, amount in of_one.items():
                        amounts[name] = amounts.get(name, 0) + amount
                sums[who.type] = count + 1, amounts
        return {kind: Usage(count, FrozenMap(amounts)) for kind, (count, amounts) in sums.items()}

    def counter(self, scope: str, name: str) -> int:
        return self._counters.rows.get((scope, name), 0)

    def counters(self, scope: str, beginning: str) -> Mapping[str, int]:
        of_scope = self._scopes.rows.get(scope)
        names = sorted(of_scope.rows) if of_scope is not None else ()
        used = self._counters.rows
        return {name: used[scope, name] for name in names if name.startswith(beginning)}

    def counted(
        self, consumers: frozenset[ConsumerId] | None, scope: str | None
    ) -> tuple[CounterHold, ...]:
        rows = self._claims.rows
        among: Iterable[ConsumerId] = rows if consumers is None else consumers
        if scope is not None:
            of_scope = self._counting.rows.get(scope)
            here = set[ConsumerId]() if of_scope is None else set(of_scope.rows)
            among = here if consumers is None else here & consumers
        return tuple(
            CounterHold(who, *key, amount)
            for who in sorted(among)
            if who in rows
            for key, amount in sorted(_amounts(rows[who].counters).items())
            if scope in {None, key[0]}
        )

    def holders(self, key: Key) -> Iterable[ConsumerId]:
        provider, name = key
        return (c for c, held in self._holding(provider).items() if name in held)

    def holds(self, consumer: ConsumerId) -> Mapping[ProviderId, Resources]:
        claim = self._claims.rows.get(consumer)
        return _NOTHING_HELD if claim is None else claim.allocation.resources

    # Writing

    def judge(self, claims: Sequence[Claim], stock: judging.Stock) -> None:
        """Raise what keeps the claims from being granted."""
        before = [
            self._claims.rows[claim.allocation.consumer.id]
            for claim in claims
            if claim.allocation.consumer.id in self._claims.rows
        ]
        generations = {
            claim.allocation.consumer.id: claim.allocation.consumer.generation for claim in before
        }
        judging.check_generations(claims, generations)
        held: dict[Key, int] = {}
        counted: dict[tuple[str, str], int] = {}
        for claim in before:
            for provider, amounts in claim.allocation.resources.items():
                for name, amount in amounts.items():
                    held[provider, name] = held.get((provider, name), 0) + amount
            for key, amount in _amounts(claim.counters).items():
                counted[key] = counted.get(key, 0) + amount
        judging.judge_amounts(claims, held, stock)
        judging.judge_counters(claims, counted, self._counters.rows)

    def write(self, tx: MemoryTx, claim: Claim, now_s: Seconds) -> Allocation:
        """Write a claim that was judged; return it as granted."""
        consumer = claim.allocation.consumer
        before = self._claims.rows.get(consumer.id)
        old = _NOTHING_HELD if before is None else before.allocation.resources
        self._book(tx, consumer.id, old, claim.allocation.resources)
        self._count(tx, consumer.id, () if before is None else before.counters, claim.counters)
        kind = consumer.type
        if kind is None and before is not None:
            kind = before.allocation.consumer.type
        empty = not claim.allocation.resources and not claim.counters
        after = attrs.evolve(
            consumer,
            type=kind,
            generation=0 if empty else consumer.generation + 1,
            updated_s=now_s,
        )
        granted = Allocation(after, claim.allocation.resources)
        if empty:
            self._claims.remove(tx, consumer.id)
        else:
            self._claims.put(tx, consumer.id, Claim(granted, claim.counters))
        return granted

    def release(self, tx: MemoryTx, consumer: ConsumerId) -> None:
        before = self._claims.rows.get(consumer)
        if before is not None:
            self._book(tx, consumer, before.allocation.resources, _NOTHING_HELD)
            self._count(tx, consumer, before.counters, ())
            self._claims.remove(tx, consumer)

    def remove_provider(self, tx: MemoryTx, provider: ProviderId) -> None:
        """Forget a provider of which nobody holds anything."""
        self._holders.remove(tx, provider)

    def rename_class(self, tx: MemoryTx, old: ResourceClass, new: ResourceClass) -> None:
        """Give a class another name in all that is held; `used` stays for the caller."""
        for provider, holders in self._holders.rows.items():
            for consumer, held in tuple(holders.rows.items()):
                if old not in held:
                    continue
                holders.put(tx, consumer, renamed(held, old, new))
                claim = self._claims.rows[consumer]
                held_now = claim.allocation.resources
                allocation = attrs.evolve(
                    claim.allocation,
                    resources=held_now.replace(provider, renamed(held_now[provider], old, new)),
                )
                self._claims.put(tx, consumer, Claim(allocation, claim.counters))

    def _holding(self, provider: ProviderId) -> Mapping[ConsumerId, Resources]:
        holders = self._holders.rows.get(provider)
        return {} if holders is None else holders.rows

    def _book(
        self,
        tx: MemoryTx,
        consumer: ConsumerId,
        before: Mapping[ProviderId, Resources],
        after: Mapping[ProviderId, Resources],
    ) -> None:
        for provider in before.keys() | after.keys():
            old, new = before.get(provider, _NONE), after.get(provider, _NONE)
            row = self._uses.rows[provider]
            used = dict(row.used)
            for name in old.keys() | new.keys():
                used[name] = used.get(name, 0) - old.get(name, 0) + new.get(name, 0)
                if not used[name]:
                    del used[name]
            self._uses.put(tx, provider, attrs.evolve(row, used=FrozenMap(used)))
            holders = self._holders.rows.get(provider)
            if holders is None:
                holders = MemoryTable()
                self._holders.put(tx, provider, holders)
            if new:
                holders.put(tx, consumer, new)
            else:
                holders.remove(tx, consumer)
            tx.changed(PROVIDER_CHANGED, provider)

    def _count(
        self,
        tx: MemoryTx,
        consumer: ConsumerId,
        before: tuple[CounterClaim, ...],
        after: tuple[CounterClaim, ...],
    ) -> None:
        old, new = _amounts(before), _amounts(after)
        if old == new:
            return
        for key in old.keys() | new.keys():
            used = self._counters.rows.get(key, 0) - old.get(key, 0) + new.get(key, 0)
            scope, name = key
            if scope not in self._scopes.rows:
                self._scopes.put(tx, scope, MemoryTable())
            if used:
                self._counters.put(tx, key, used)
                self._scopes.rows[scope].put(tx, name, True)
            else:
                self._counters.remove(tx, key)
                self._scopes.rows[scope].remove(tx, name)
        held = {scope for scope, _name in new}
        for scope in {scope for scope, _name in old} - held:
            self._counting.rows[scope].remove(tx, consumer)
        for scope in held:
            if scope not in self._counting.rows:
                self._counting.put(tx, scope, MemoryTable())
            self._counting.rows[scope].put(tx, consumer, True)
        tx.changed(COUNTERS_CHANGED, consumer)


def renamed(amounts: Resources, old: ResourceClass, new: ResourceClass) -> Resources:
    """Return amounts in which a class has another name."""
    return FrozenMap({new if name == old else name: n for name, n in amounts.items()})


def _amounts(counters: tuple[CounterClaim, ...]) -> dict[tuple[str, str], int]:
    return {(counter.scope, counter.name): counter.amount for counter in counters}
