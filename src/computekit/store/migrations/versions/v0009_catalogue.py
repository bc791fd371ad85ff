"""Flavors, keypairs, and what is kept for the users of servers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """There are none yet; instances without a record are shown as having an empty one."""
    op.create_table(
        "flavor",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("offered", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flavor"),
        sa.UniqueConstraint("name", name="uq_flavor_name"),
    )
    op.create_table(
        "keypair",
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("keypair", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "name", name="pk_keypair"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "server",
        sa.Column("instance_id", sa.String(64), nullable=False),
        sa.Column("reservation", sa.String(64), nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("changed_s", sa.Double, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("instance_id", name="pk_server"),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
            name="fk_server_instance_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_server_reservation", "server", ["reservation"])


def downgrade() -> None:
    """Forget all of it; the instances stay."""
    for table in ("server", "keypair", "flavor"):
        op.drop_table(table)
