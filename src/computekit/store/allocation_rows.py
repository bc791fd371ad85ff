"""Allocations as rows: reading them."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Row, bindparam, func, select

from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import Allocation, Consumer, FrozenMap, ResourceClass
from computekit.placement import Usage
from computekit.store.chunks import chunks
from computekit.store.tables import ALLOCATION, CONSUMER
from computekit.units import Seconds

__all__ = ["holders", "read_of_provider", "read_one", "read_page", "read_usages"]

_CONSUMERS = select(
    CONSUMER.c.id,
    CONSUMER.c.project_id,
    CONSUMER.c.user_id,
    CONSUMER.c.type,
    CONSUMER.c.generation,
    CONSUMER.c.updated_s,
)
_HELD = select(
    ALLOCATION.c.consumer_id,
    ALLOCATION.c.provider_id,
    ALLOCATION.c.resource_class,
    ALLOCATION.c.amount,
)
_HOLDERS = select(ALLOCATION.c.consumer_id).where(ALLOCATION.c.provider_id == bindparam("of"))

_ONE = _CONSUMERS.where(CONSUMER.c.id == bindparam("who"))
_HELD_BY_ONE = _HELD.where(ALLOCATION.c.consumer_id == bindparam("who"))
_OF_PROVIDER = _CONSUMERS.where(CONSUMER.c.id.in_(_HOLDERS))
_HELD_OF_PROVIDER = _HELD.where(ALLOCATION.c.consumer_id.in_(_HOLDERS))
_FIRST = _CONSUMERS.order_by(CONSUMER.c.id).limit(bindparam("most"))
_NEXT = _FIRST.where(CONSUMER.c.id > bindparam("after"))
_HELD_BY_SOME = _HELD.where(ALLOCATION.c.consumer_id.in_(bindparam("ids", expanding=True)))
_HOLDERS_OF = _HOLDERS.where(ALLOCATION.c.resource_class == bindparam("what"))

_OF_PROJECT = CONSUMER.c.project_id == bindparam("project")
_OF_USER = CONSUMER.c.user_id == bindparam("user")
_SUMS = (
    select(CONSUMER.c.type, ALLOCATION.c.resource_class, func.sum(ALLOCATION.c.amount))
    .join(CONSUMER, CONSUMER.c.id == ALLOCATION.c.consumer_id)
    .group_by(CONSUMER.c.type, ALLOCATION.c.resource_class)
    .where(_OF_PROJECT)
)
_COUNTS = (
    select(CONSUMER.c.type, func.count(CONSUMER.c.id))
    .where(
        _OF_PROJECT,
        select(ALLOCATION.c.amount).where(ALLOCATION.c.consumer_id == CONSUMER.c.id).exists(),
    )
    .group_by(CONSUMER.c.type)
)

_ConsumerRow = Row[str, str, str, str, int, Seconds]
_HeldRow = Row[str, str, str, int]


def read_one(connection: Connection, consumer: ConsumerId) -> Allocation | None:
    """Return what a consumer holds, or None if it is unknown."""
    row = connection.execute(_ONE, {"who": consumer}).one_or_none()
    if row is None:
        return None
    (found,) = _joined((row,), connection.execute(_HELD_BY_ONE, {"who": consumer}))
    return found


def read_of_provider(connection: Connection, provider: ProviderId) -> tuple[Allocation, ...]:
    """Return all allocations that hold something of `provider`, by consumer id."""
    rows = connection.execute(_OF_PROVIDER, {"of": provider}).all()
    held = connection.execute(_HELD_OF_PROVIDER, {"of": provider})
    return _joined(sorted(rows, key=lambda row: row[0]), held)


def read_page(
    connection: Connection, after: ConsumerId | None, limit: int
) -> tuple[Allocation, ...]:
    """Return what `PlacementReader.consumers` says."""
    if after is None:
        rows = connection.execute(_FIRST, {"most": limit}).all()
    else:
        rows = connection.execute(_NEXT, {"most": limit, "after": after}).all()
    held: list[_HeldRow] = []
    for some in chunks(row[0] for row in rows):
        held += connection.execute(_HELD_BY_SOME, {"ids": some})
    return _joined(rows, held)


def read_usages(
    connection: Connection, project: ProjectId, user: UserId | None
) -> Mapping[str | None, Usage]:
    """Return what `PlacementReader.usages` says."""
    sums, counts = _SUMS, _COUNTS
    of: dict[str, object] = {"project": project}
    if user is not None:
        sums, counts, of = sums.where(_OF_USER), counts.where(_OF_USER), {**of, "user": user}
    held: dict[str, dict[ResourceClass, int]] = {}
    for kind, name, amount in connection.execute(sums, of):
        held.setdefault(kind, {})[ResourceClass(name)] = int(amount)
    return {
        kind or None: Usage(count, FrozenMap(held[kind]))
        for kind, count in connection.execute(counts, of)
    }


def holders(
    connection: Connection, provider: ProviderId, name: ResourceClass
) -> frozenset[ConsumerId]:
    """Return who holds something of one inventory."""
    found = connection.execute(_HOLDERS_OF, {"of": provider, "what": name})
    return frozenset(ConsumerId(consumer) for consumer in found.scalars())


def _joined(rows: Iterable[_ConsumerRow], held: Iterable[_HeldRow]) -> tuple[Allocation, ...]:
    resources: dict[str, dict[ProviderId, dict[ResourceClass, int]]] = {}
    for who, provider, name, amount in held:
        of_one = resources.setdefault(who, {})
        of_one.setdefault(ProviderId(provider), {})[ResourceClass(name)] = amount
    return tuple(
        Allocation(
            Consumer(
                ConsumerId(who),
                ProjectId(project),
                UserId(user),
                kind or None,
                generation,
                Seconds(updated_s),
            ),
            FrozenMap({p: FrozenMap(amounts) for p, amounts in resources.get(who, {}).items()}),
        )
        for who, project, user, kind, generation, updated_s in rows
    )
