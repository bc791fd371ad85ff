"""The schema: every table, as migrations make it.

Ids are text. Amounts of one allocation fit 32 bits, sums of them 63. Rows are found by primary
key or by an index named here; SQLite keeps those with a compound key sorted by it.
"""

import enum
from typing import cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
    text,
)
from sqlalchemy.types import TypeEngine

from computekit.ids import ExecutorId, OperationId
from computekit.journal import Direction, OperationState
from computekit.units import Seconds

__all__ = [
    "AGGREGATE",
    "AGGREGATE_HOST",
    "ALLOCATION",
    "CELL_HOLD",
    "CHANGE",
    "CONSUMER",
    "COUNTER",
    "COUNTER_HOLD",
    "DEVICE_BURN",
    "HEAD",
    "HOST",
    "INSTANCE",
    "INVENTORY",
    "METADATA",
    "OPERATION",
    "PROVIDER",
    "PROVIDER_AGGREGATE",
    "PROVIDER_TRAIT",
    "RESOURCE_CLASS",
    "RESULT",
    "SERVER_GROUP",
    "TRAIT",
]

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _Head(TypedColumns):
    id = Column(Integer, primary_key=True, autoincrement=False)
    number = Column(BigInteger, nullable=False)
    """Of the last commit that changed something replicas follow."""
    pruned = Column(BigInteger, nullable=False)
    """Changes of this commit and of those before it are forgotten."""


HEAD = Table("head", METADATA, _Head, CheckConstraint("id = 1", name="one_row"))


class _Change(TypedColumns):
    number = Column(BigInteger, primary_key=True, autoincrement=False)
    kind = Column(String(32), primary_key=True)
    key = Column(String(255), primary_key=True)


CHANGE = Table("change", METADATA, _Change, sqlite_with_rowid=False)


class _Provider(TypedColumns):
    id = Column(String(64), primary_key=True)
    name = Column(String(200), nullable=False, unique=True)
    parent_id: Named[str | None] = Column(String(64), ForeignKey("provider.id"), index=True)
    root_id = Column(String(64), ForeignKey("provider.id"), nullable=False, index=True)
    depth = Column(Integer, nullable=False)
    generation = Column(BigInteger, nullable=False)
    updated_s: Named[Seconds] = Column(Double, nullable=False, server_default=text("0"))


PROVIDER = Table("provider", METADATA, _Provider)


class _Inventory(TypedColumns):
    provider_id = Column(String(64), ForeignKey("provider.id"), primary_key=True)
    resource_class = Column(String(255), primary_key=True)
    total = Column(Integer, nullable=False)
    reserved = Column(Integer, nullable=False)
    min_unit = Column(Integer, nullable=False)
    max_unit = Column(Integer, nullable=False)
    step_size = Column(Integer, nullable=False)
    allocation_ratio: Named[float] = Column(Double, nullable=False)
    capacity = Column(BigInteger, nullable=False)
    """(total - reserved) * allocation_ratio, at most 2**62."""
    used = Column(BigInteger, nullable=False)
    """What allocations hold of it."""


INVENTORY = Table(
    "inventory",
    METADATA,
    _Inventory,
    CheckConstraint("used >= 0", name="used"),
    sqlite_with_rowid=False,
)


class _ResourceClass(TypedColumns):
    name = Column(String(255), primary_key=True)
    number = Column(Integer, nullable=False)
    """Later ones have higher ones."""
    since_s: Named[Seconds] = Column(Double, nullable=False)


RESOURCE_CLASS = Table("resource_class", METADATA, _ResourceClass, sqlite_with_rowid=False)
"""The custom ones."""


class _Trait(TypedColumns):
    name = Column(String(255), primary_key=True)
    number = Column(Integer, nullable=False)
    since_s: Named[Seconds] = Column(Double, nullable=False)


TRAIT = Table("trait", METADATA, _Trait, sqlite_with_rowid=False)
"""The custom ones, as resource classes."""


class _ProviderTrait(TypedColumns):
    provider_id = Column(String(64), ForeignKey("provider.id"), primary_key=True)
    trait = Column(String(255), primary_key=True)


PROVIDER_TRAIT = Table("provider_trait", METADATA, _ProviderTrait, sqlite_with_rowid=False)


class _ProviderAggregate(TypedColumns):
    provider_id = Column(String(64), ForeignKey("provider.id"), primary_key=True)
    aggregate_id = Column(String(64), primary_key=True)


PROVIDER_AGGREGATE = Table(
    "provider_aggregate", METADATA, _ProviderAggregate, sqlite_with_rowid=False
)


class _Consumer(TypedColumns):
    id = Column(String(64), primary_key=True)
    project_id = Column(String(255), nullable=False)
    user_id = Column(String(255), nullable=False)
    type = Column(String(255), nullable=False)
    """Empty if it is unknown."""
    generation = Column(BigInteger, nullable=False)
    updated_s: Named[Seconds] = Column(Double, nullable=False, server_default=text("0"))


CONSUMER = Table("consumer", METADATA, _Consumer, sqlite_with_rowid=False)

Index("ix_consumer_project_id", CONSUMER.c.project_id, CONSUMER.c.user_id)


class _Allocation(TypedColumns):
    consumer_id = Column(String(64), ForeignKey("consumer.id"), primary_key=True)
    provider_id = Column(String(64), primary_key=True, index=True)
    resource_class = Column(String(255), primary_key=True)
    amount = Column(Integer, nullable=False)


ALLOCATION = Table(
    "allocation",
    METADATA,
    _Allocation,
    ForeignKeyConstraint(
        ("provider_id", "resource_class"), ("inventory.provider_id", "inventory.resource_class")
    ),
    sqlite_with_rowid=False,
)


class _Counter(TypedColumns):
    scope = Column(String(255), primary_key=True)
    name = Column(String(255), primary_key=True)
    used = Column(BigInteger, nullable=False)
    """What consumers hold of it; the row goes away with the last of them."""


COUNTER = Table(
    "counter",
    METADATA,
    _Counter,
    CheckConstraint("used >= 0", name="used"),
    sqlite_with_rowid=False,
)


class _CounterHold(TypedColumns):
    consumer_id = Column(String(64), ForeignKey("consumer.id"), primary_key=True)
    scope = Column(String(255), primary_key=True)
    name = Column(String(255), primary_key=True)
    amount = Column(Integer, nullable=False)


COUNTER_HOLD = Table("counter_hold", METADATA, _CounterHold, sqlite_with_rowid=False)

Index("ix_counter_hold_scope", COUNTER_HOLD.c.scope)


class _Host(TypedColumns):
    name = Column(String(255), primary_key=True)
    provider_id = Column(String(64), nullable=False)
    zone: Named[str | None] = Column(String(255))
    disabled: Named[str | None] = Column(Text)
    up = Column(Boolean, nullable=False)
    incarnation = Column(String(255), nullable=False)
    seen_s: Named[Seconds] = Column(Double, nullable=False)
    facts = Column(Text, nullable=False)
    """The host's facts as JSON."""
    topology = Column(Text, nullable=False, server_default=text("'{}'"))
    """Its NUMA nodes as JSON."""


HOST = Table("host", METADATA, _Host)


class _CellHold(TypedColumns):
    host = Column(String(255), primary_key=True)
    consumer_id = Column(String(64), primary_key=True, index=True)
    node = Column(Integer, primary_key=True, autoincrement=False)
    cpus = Column(Text, nullable=False)
    """Numbers in ascending order, with a comma between them."""
    floating = Column(Integer, nullable=False)
    memory_mib = Column(BigInteger, nullable=False)
    page_kib: Named[int | None] = Column(BigInteger)


CELL_HOLD = Table("cell_hold", METADATA, _CellHold, sqlite_with_rowid=False)


class _DeviceBurn(TypedColumns):
    root_id = Column(String(64), primary_key=True)
    device = Column(String(512), primary_key=True)
    state = Column(String(16), nullable=False)
    consumer_id = Column(String(64), nullable=False)
    started = Column(Boolean, nullable=False)
    published = Column(Boolean, nullable=False)
    uses = Column(BigInteger, nullable=False)
    reason = Column(Text, nullable=False)
    cleaner: Named[str | None] = Column(String(255))
    until_s: Named[float | None] = Column(Double)


DEVICE_BURN = Table("device_burn", METADATA, _DeviceBurn, sqlite_with_rowid=False)


class _Aggregate(TypedColumns):
    id = Column(Integer, primary_key=True, autoincrement=True)
    uuid = Column(String(64), nullable=False, unique=True)
    name = Column(String(255), nullable=False, unique=True)
    metadata = Column(Text, nullable=False)
    """Text by key, as JSON."""


AGGREGATE = Table("aggregate", METADATA, _Aggregate, sqlite_autoincrement=True)


class _AggregateHost(TypedColumns):
    aggregate_id = Column(Integer, ForeignKey("aggregate.id"), primary_key=True)
    host = Column(String(255), primary_key=True, index=True)


AGGREGATE_HOST = Table("aggregate_host", METADATA, _AggregateHost, sqlite_with_rowid=False)


class _ServerGroup(TypedColumns):
    id = Column(String(64), primary_key=True)
    name = Column(String(255), nullable=False)
    project_id = Column(String(255), nullable=False, index=True)
    user_id: Named[str | None] = Column(String(255))
    rules = Column(Text, nullable=False)
    """The rules as JSON."""


SERVER_GROUP = Table("server_group", METADATA, _ServerGroup)


class _Instance(TypedColumns):
    id = Column(String(64), primary_key=True)
    name = Column(String(255), nullable=False, index=True)
    project_id = Column(String(255), nullable=False)
    user_id = Column(String(255), nullable=False)
    state = Column(String(32), nullable=False)
    host: Named[str | None] = Column(String(255), index=True)
    zone: Named[str | None] = Column(String(255))
    epoch = Column(BigInteger, nullable=False)
    created_s = Column(Double, nullable=False)
    flavor = Column(Text, nullable=False)
    """The flavor as JSON, as it was when the instance was made; so the image and the hints."""
    image = Column(Text, nullable=False)
    hints = Column(Text, nullable=False)
    group_id: Named[str | None] = Column(String(64), index=True)
    """Its server group, as the hints say."""
    guest: Named[str | None] = Column(Text)
    """What the guest was promised, as JSON; none before the instance was placed."""


INSTANCE = Table("instance", METADATA, _Instance)


def _words(kind: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in kind]


class _Operation(TypedColumns):
    """As `computekit.journal.Operation`: column by column, in its order."""

    id: Named[OperationId] = Column(cast("TypeEngine[OperationId]", String(64)), primary_key=True)
    kind = Column(String(64), nullable=False)
    version = Column(Integer, nullable=False)
    subject = Column(String(255), nullable=False)
    number = Column(Integer, nullable=False)
    params = Column(Text, nullable=False)
    state: Named[OperationState] = Column(
        Enum(OperationState, native_enum=False, length=16, values_callable=_words), nullable=False
    )
    created_s: Named[Seconds] = Column(Double, nullable=False)
    direction: Named[Direction] = Column(
        Enum(Direction, native_enum=False, length=16, values_callable=_words), nullable=False
    )
    position = Column(Integer, nullable=False)
    back_to: Named[int | None] = Column(Integer)
    attempt = Column(Integer, nullable=False)
    retries = Column(Integer, nullable=False)
    entered_s: Named[Seconds] = Column(Double, nullable=False)
    wake_s: Named[Seconds] = Column(Double, nullable=False)
    doing = Column(Text, nullable=False)
    error: Named[str | None] = Column(Text)
    undo_error: Named[str | None] = Column(Text)
    cancel: Named[str | None] = Column(Text)
    executor: Named[ExecutorId | None] = Column(cast("TypeEngine[ExecutorId | None]", String(255)))
    fence = Column(BigInteger, nullable=False)
    lease_until_s: Named[Seconds] = Column(Double, nullable=False)
    ended_s: Named[Seconds | None] = Column(cast("TypeEngine[Seconds | None]", Double()))
    deaths = Column(Integer, server_default=text("0"), nullable=False)


OPERATION = Table("operation", METADATA, _Operation)

_LIVE = text("state = 'live'")
Index("ix_operation_number", OPERATION.c.subject, OPERATION.c.number, unique=True)
Index(
    "ix_operation_live",
    OPERATION.c.subject,
    unique=True,
    sqlite_where=_LIVE,
    postgresql_where=_LIVE,
)
Index("ix_operation_due", OPERATION.c.wake_s, sqlite_where=_LIVE, postgresql_where=_LIVE)
_ENDED = text("ended_s IS NOT NULL")
Index(
    "ix_operation_ended",
    OPERATION.c.kind,
    OPERATION.c.ended_s,
    sqlite_where=_ENDED,
    postgresql_where=_ENDED,
)
Index("ix_operation_age", OPERATION.c.created_s, OPERATION.c.id)


class _Result(TypedColumns):
    operation_id: Named[OperationId] = Column(
        cast("TypeEngine[OperationId]", String(64)), ForeignKey("operation.id"), primary_key=True
    )
    step = Column(String(64), primary_key=True)
    n = Column(Integer, primary_key=True, autoincrement=False)
    value: Named[str | None] = Column(Text)
    at_s: Named[Seconds] = Column(Double, nullable=False)


RESULT = Table("result", METADATA, _Result, sqlite_with_rowid=False)
