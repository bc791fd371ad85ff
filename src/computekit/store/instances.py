"""Instances as rows."""

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import bindparam, delete, func, insert, select, update

from computekit.errors import AlreadyExists, GenerationConflict
from computekit.guest import GuestConfig
from computekit.ids import HostName, InstanceId, ProjectId, ServerGroupId, UserId
from computekit.model import Flavor, FrozenMap, Image, Instance, InstanceState, decode, encode
from computekit.scheduler.loads import load_changed, load_figures
from computekit.store.chunks import chunks
from computekit.store.sql_store import SqlStore
from computekit.store.tables import INSTANCE
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["SqlInstances"]

_ALL = select(
    INSTANCE.c.id,
    INSTANCE.c.name,
    INSTANCE.c.project_id,
    INSTANCE.c.user_id,
    INSTANCE.c.state,
    INSTANCE.c.host,
    INSTANCE.c.zone,
    INSTANCE.c.epoch,
    INSTANCE.c.created_s,
    INSTANCE.c.flavor,
    INSTANCE.c.image,
    INSTANCE.c.hints,
).order_by(INSTANCE.c.created_s, INSTANCE.c.id)
_GUEST = select(INSTANCE.c.guest).where(INSTANCE.c.id == bindparam("instance"))
_LOCK = (
    select(INSTANCE.c.state, INSTANCE.c.host, INSTANCE.c.epoch)
    .where(INSTANCE.c.id == bindparam("instance"))
    .with_for_update()
)
_INSERT = insert(INSTANCE)
_UPDATE = update(INSTANCE).where(INSTANCE.c.id == bindparam("instance"))
_LOADS = (
    select(INSTANCE.c.host, INSTANCE.c.state, INSTANCE.c.image, func.count())
    .where(INSTANCE.c.host.is_not(None))
    .group_by(INSTANCE.c.host, INSTANCE.c.state, INSTANCE.c.image)
)
_SOME_LOADS = _LOADS.where(INSTANCE.c.host.in_(bindparam("hosts", expanding=True)))
_REMOVE = delete(INSTANCE).where(INSTANCE.c.id == bindparam("instance"))


class SqlInstances:
    """An `InstanceWriter` in a database.

    Args:
        store: whose transactions it writes in.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def instance(self, instance: InstanceId) -> Instance | None:
        with self._store.reading() as connection:
            row = connection.execute(_ALL.where(INSTANCE.c.id == instance)).first()
        return None if row is None else _parse(*row)

    def instances(
        self,
        *,
        host: HostName | None = None,
        name: str | None = None,
        group: ServerGroupId | None = None,
        deleted: bool = False,
    ) -> tuple[Instance, ...]:
        query = _ALL
        if group is not None:
            query = query.where(INSTANCE.c.group_id == group)
        if host is not None:
            query = query.where(INSTANCE.c.host == host)
        if name is not None:
            query = query.where(INSTANCE.c.name == name)
        if not deleted:
            query = query.where(INSTANCE.c.state != InstanceState.DELETED.value)
        with self._store.reading() as connection:
            return tuple(_parse(*row) for row in connection.execute(query))

    def guest(self, instance: InstanceId) -> GuestConfig | None:
        with self._store.reading() as connection:
            text = connection.execute(_GUEST, {"instance": instance}).scalar_one_or_none()
        return None if text is None else decode(text, GuestConfig)

    def loads(
        self, hosts: frozenset[HostName] | None = None
    ) -> Mapping[HostName, Mapping[str, float]]:
        with self._store.reading() as connection:
            if hosts is None:
                rows = list(connection.execute(_LOADS))
            else:
                rows = [
                    row
                    for some in chunks(hosts)
                    for row in connection.execute(_SOME_LOADS, {"hosts": some})
                ]
        counts: dict[HostName, list[tuple[InstanceState, Image, int]]] = {}
        for host, state, image, count in rows:
            found = counts.setdefault(HostName(host or ""), [])
            found.append((InstanceState(state), _image(image), count))
        return {host: load_figures(found) for host, found in counts.items()}

    def add_instance(self, tx: Tx, instance: Instance) -> None:
        connection = self._store.connection(tx)
        if connection.execute(_LOCK, {"instance": instance.id}).first() is not None:
            raise AlreadyExists("instance", instance.id)
        connection.execute(_INSERT, {"id": instance.id, **_values(instance)})
        load_changed(tx, None, (instance.host, instance.state))

    def change_instance(self, tx: Tx, before: Instance, after: Instance) -> None:
        connection = self._store.connection(tx)
        row = connection.execute(_LOCK, {"instance": before.id}).first()
        if row is None or tuple(row) != (before.state.value, before.host, before.epoch):
            actual = None if row is None else row[2]
            raise GenerationConflict("instance", before.id, before.epoch, actual)
        old, new = _values(before), _values(after)
        changed = {column: value for column, value in new.items() if value != old[column]}
        if changed:
            connection.execute(_UPDATE.values(changed), {"instance": before.id})
        load_changed(tx, (before.host, before.state), (after.host, after.state))

    def put_guest(self, tx: Tx, instance: InstanceId, guest: GuestConfig) -> None:
        connection = self._store.connection(tx)
        connection.execute(_UPDATE.values(guest=encode(guest)), {"instance": instance})

    def remove_instance(self, tx: Tx, instance: InstanceId) -> None:
        connection = self._store.connection(tx)
        row = connection.execute(_LOCK, {"instance": instance}).first()
        if row is None:
            return
        state, host, _epoch = row
        connection.execute(_REMOVE, {"instance": instance})
        load_changed(tx, (None if host is None else HostName(host), InstanceState(state)), None)


@lru_cache(maxsize=1024)
def _image(text: str) -> Image:
    """Return an image; instances are many, their images few."""
    return decode(text, Image)


def _values(instance: Instance) -> dict[str, object]:
    return {
        "name": instance.name,
        "project_id": instance.project,
        "user_id": instance.user,
        "state": instance.state.value,
        "host": instance.host,
        "zone": instance.zone,
        "epoch": instance.epoch,
        "created_s": instance.created_s,
        "flavor": encode(instance.flavor),
        "image": encode(instance.image),
        "hints": encode(instance.hints),
        "group_id": instance.group,
    }


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
) -> Instance:
    return Instance(
        id=InstanceId(id),
        name=name,
        project=ProjectId(project),
        user=UserId(user),
        flavor=decode(flavor, Flavor),
        image=decode(image, Image),
        state=InstanceState(state),
        created_s=Seconds(created_s),
        host=None if host is None else HostName(host),
        epoch=epoch,
        zone=zone,
        hints=decode(hints, FrozenMap[str, tuple[str, ...]]),
    )
