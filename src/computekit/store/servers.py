"""Instances with all that is shown of them: their own rows, their records, their operations."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
)

from computekit.compute import ServerQuery, ServerRow, ServerTimes
from computekit.errors import NotFound
from computekit.ids import HostName, InstanceId, ProjectId, UserId
from computekit.journal import Operation, OperationState
from computekit.model import (
    Flavor,
    FrozenMap,
    Image,
    Instance,
    InstanceState,
    ServerRecord,
    decode,
    encode,
)
from computekit.store.catalogue_tables import SERVER
from computekit.store.chunks import chunks
from computekit.store.sql_store import SqlStore
from computekit.store.tables import INSTANCE, OPERATION
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["SqlServers"]

_I, _O, _S = INSTANCE.c, OPERATION.c, SERVER.c
_ALL = select(
    _I.id,
    _I.name,
    _I.project_id,
    _I.user_id,
    _I.state,
    _I.host,
    _I.zone,
    _I.epoch,
    _I.created_s,
    _I.flavor,
    _I.image,
    _I.hints,
    _S.record,
).select_from(INSTANCE.outerjoin(SERVER, _S.instance_id == _I.id))
_ORDERS: Mapping[str, ColumnElement[Any]] = {
    "created_s": _I.created_s,
    "id": _I.id,
    "name": _I.name,
    "host": func.coalesce(_I.host, ""),
    "project": _I.project_id,
    "user": _I.user_id,
    "state": _I.state,
    "zone": func.coalesce(_I.zone, ""),
    "changed_s": func.coalesce(_S.changed_s, 0.0),
}
_SUBJECTS = _O.subject.in_(bindparam("subjects", expanding=True))
_LIVE = select(OPERATION).where(_SUBJECTS, _O.state == OperationState.LIVE)
_DONE = _O.state == OperationState.DONE
_LIVES = (
    select(
        _O.subject,
        func.min(case((and_(_O.kind == "instance.create", _DONE), _O.ended_s))),
        func.max(case((and_(_O.kind == "instance.delete", _DONE), _O.ended_s))),
        func.max(func.coalesce(_O.ended_s, _O.created_s)),
    )
    .where(_SUBJECTS)
    .group_by(_O.subject)
)
_FAILED = (
    select(OPERATION)
    .where(_SUBJECTS, _O.state == OperationState.UNDONE)
    .order_by(_O.subject, _O.number)
)
_DROP = delete(SERVER).where(_S.instance_id == bindparam("server"))
_INSERT = insert(SERVER)


class SqlServers:
    """A `ServerWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def server(self, server: InstanceId) -> ServerRow | None:
        found = self.servers(ServerQuery(ids=frozenset({server}), deleted=None, limit=1))
        return found[0] if found else None

    def servers(self, query: ServerQuery) -> tuple[ServerRow, ...]:
        if query.limit < 1:
            return ()
        wanted = _ALL.where(*_conditions(query)).limit(query.limit)
        for name, down in query.order:
            column = _ORDERS[name]
            wanted = wanted.order_by(column.desc() if down else column.asc())
        with self._store.reading() as connection:
            if query.after is not None:
                wanted = wanted.where(_behind(connection, query))
            rows = [_parse(*row) for row in connection.execute(wanted)]
            return tuple(_with_operations(connection, rows))

    def put_record(self, tx: Tx, record: ServerRecord) -> None:
        connection = self._store.connection(tx)
        connection.execute(_DROP, {"server": record.id})
        row = {
            "instance_id": record.id,
            "reservation": record.reservation,
            "locked": record.locked is not None,
            "tags": _lines(record.tags),
            "changed_s": record.changed_s,
            "record": encode(record),
        }
        connection.execute(_INSERT, row)


def _lines(tags: Iterable[str]) -> str:
    return "".join(f"\n{tag}\n" for tag in sorted(tags))


def _conditions(query: ServerQuery) -> Iterator[ColumnElement[bool]]:
    for column, value in ((_I.project_id, query.project), (_I.user_id, query.user)):
        if value is not None:
            yield column == value
    if query.deleted is not None:
        gone = _I.state == InstanceState.DELETED.value
        yield gone if query.deleted else not_(gone)
    if query.name is not None:
        yield _named(query.name)
    for several, values in ((_I.host, query.hosts), (_I.id, query.ids)):
        if values is not None:
            yield several.in_(sorted(values))
    if query.states is not None:
        yield _I.state.in_(sorted(state.value for state in query.states))
    yield from _made_of(query)
    if query.reservation is not None:
        yield _S.reservation == query.reservation
    if query.locked is not None:
        yield func.coalesce(_S.locked, false()).is_(query.locked)
    yield from _tagged(query)
    if query.changed_since_s is not None:
        yield _changed(query.changed_since_s)
    if query.changed_before_s is not None:
        yield not_(_changed(Seconds(query.changed_before_s + 1e-6)))


def _made_of(query: ServerQuery) -> Iterator[ColumnElement[bool]]:
    # JSON is written with sorted keys and without spaces, quotes inside of texts are escaped.
    if query.flavor is not None:
        yield _I.flavor.contains(f'}},"id":{encode(query.flavor)},"memory_mib":', autoescape=True)
    if query.image is not None:
        yield _I.image.contains(f',"id":{encode(query.image)},"min_disk_gib":', autoescape=True)


def _named(name: str) -> ColumnElement[bool]:
    whole = name.startswith("^") and name.endswith("$")
    if whole:
        return _I.name == name[1:-1]
    return _I.name.contains(name, autoescape=True)


def _tagged(query: ServerQuery) -> Iterator[ColumnElement[bool]]:
    tags = func.coalesce(_S.tags, "")
    has = {
        tag: tags.contains(_lines((tag,)), autoescape=True)
        for tag in query.tags | query.any_tags | query.no_tags | query.no_any_tags
    }
    for tag in sorted(query.tags):
        yield has[tag]
    if query.any_tags:
        yield or_(*(has[tag] for tag in sorted(query.any_tags)))
    if query.no_tags:
        yield not_(and_(*(has[tag] for tag in sorted(query.no_tags))))
    for tag in sorted(query.no_any_tags):
        yield not_(has[tag])


def _changed(since_s: Seconds) -> ColumnElement[bool]:
    touched = exists().where(
        _O.subject == _I.id, or_(_O.created_s >= since_s, _O.ended_s >= since_s)
    )
    return or_(_I.created_s >= since_s, func.coalesce(_S.changed_s, 0.0) >= since_s, touched)


def _behind(connection: Connection, query: ServerQuery) -> ColumnElement[bool]:
    """Return what holds of the rows behind the one that is named, in the order asked for."""
    columns = [_ORDERS[name] for name, _ in query.order]
    marker = (
        select(*columns)
        .select_from(INSTANCE.outerjoin(SERVER, _S.instance_id == _I.id))
        .where(_I.id == query.after)
    )
    if query.project is not None:
        marker = marker.where(_I.project_id == query.project)
    row = connection.execute(marker).first()
    if row is None:
        raise NotFound("marker", query.after or "")
    ways: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for column, (_, down), value in zip(columns, query.order, row, strict=True):
        ways.append(and_(*same, column < value if down else column > value))
        same.append(column == value)
    return or_(*ways)


def _with_operations(
    connection: Connection, rows: list[tuple[Instance, ServerRecord]]
) -> Iterator[ServerRow]:
    ids = [instance.id for instance, _ in rows]
    live: dict[str, Operation] = {}
    times: dict[str, ServerTimes] = {}
    failed: dict[str, Operation] = {}
    for some in chunks(ids):
        values = {"subjects": some}
        for row in connection.execute(_LIVE, values):
            live[row.subject] = Operation(*row)
        for subject, launched, deleted, touched in connection.execute(_LIVES, values):
            times[subject] = ServerTimes(launched, deleted, touched)
    broken = [instance.id for instance, _ in rows if instance.state is InstanceState.ERROR]
    for some in chunks(broken):
        for row in connection.execute(_FAILED, {"subjects": some}):
            failed[row.subject] = Operation(*row)
    for instance, record in rows:
        id = instance.id
        yield ServerRow(
            instance, record, live.get(id), failed.get(id), times.get(id, ServerTimes())
        )


@lru_cache(maxsize=1024)
def _flavor(text: str) -> Flavor:
    return decode(text, Flavor)


@lru_cache(maxsize=1024)
def _image(text: str) -> Image:
    return decode(text, Image)


@lru_cache(maxsize=1024)
def _hints(text: str) -> FrozenMap[str, tuple[str, ...]]:
    return decode(text, FrozenMap[str, tuple[str, ...]])


def _parse(
    id: str,
    name: str,
    project: str,
    user: str,
    state: str,
    host: str | None,
    zone: str | None,
    epoch: int,
    created_s: float,
    flavor: str,
    image: str,
    hints: str,
    record: str | None,
) -> tuple[Instance, ServerRecord]:
    instance = Instance(
        id=InstanceId(id),
        name=name,
        project=ProjectId(project),
        user=UserId(user),
        flavor=_flavor(flavor),
        image=_image(image),
        state=InstanceState(state),
        created_s=Seconds(created_s),
        host=None if host is None else HostName(host),
        epoch=epoch,
        zone=zone,
        hints=_hints(hints),
    )
    if record is None:  # made by who does not keep records
        return instance, ServerRecord(instance.id)
    return instance, decode(record, ServerRecord)
