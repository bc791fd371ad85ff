"""Zones of hosts are what aggregates say of them."""

import json

import sqlalchemy as sa
from alembic import op

from computekit.ids import derived_uuid

revision = "0008"
down_revision = "0007"

_NAMESPACE = "3d0c2c0e-7a53-4f0e-9a6e-5f3d1c0f1b7a"
_HOST = sa.table("host", sa.column("name", sa.String), sa.column("zone", sa.String))
_AGGREGATE = sa.table(
    "aggregate",
    sa.column("id", sa.Integer),
    sa.column("uuid", sa.String),
    sa.column("name", sa.String),
    sa.column("metadata", sa.Text),
)
_MEMBER = sa.table(
    "aggregate_host", sa.column("aggregate_id", sa.Integer), sa.column("host", sa.String)
)


def upgrade() -> None:
    """Each zone that a host was put into gets an aggregate, unless the host is in one of it."""
    connection = op.get_bind()
    homes: dict[str, int] = {}
    names: set[str] = set()
    pairs = connection.execute(sa.select(_MEMBER.c.aggregate_id, _MEMBER.c.host))
    members = {(number, host) for number, host in pairs}
    rows = sa.select(_AGGREGATE.c.id, _AGGREGATE.c.name, _AGGREGATE.c.metadata)
    for number, name, metadata in connection.execute(rows.order_by(_AGGREGATE.c.id)):
        names.add(name)
        zone = json.loads(metadata).get("availability_zone")
        if zone is not None:
            homes.setdefault(zone, number)
    hosts = sa.select(_HOST.c.name, _HOST.c.zone).where(_HOST.c.zone.is_not(None))
    for host, zone in connection.execute(hosts.order_by(_HOST.c.name)).all():
        if zone not in homes:
            uuid = derived_uuid(_NAMESPACE, zone)
            name = zone if zone not in names else f"zone {zone}"
            made = {
                "uuid": uuid,
                "name": name,
                "metadata": json.dumps({"availability_zone": zone}, separators=(",", ":")),
            }
            connection.execute(sa.insert(_AGGREGATE), made)
            found = sa.select(_AGGREGATE.c.id).where(_AGGREGATE.c.uuid == uuid)
            homes[zone] = connection.execute(found).scalar_one()
        if (homes[zone], host) not in members:
            connection.execute(sa.insert(_MEMBER), {"aggregate_id": homes[zone], "host": host})


def downgrade() -> None:
    """Nothing: the rows of hosts show their zones as before."""
