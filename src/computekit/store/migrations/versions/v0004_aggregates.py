"""Aggregates of hosts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """There are none."""
    op.create_table(
        "aggregate",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_aggregate"),
        sa.UniqueConstraint("uuid", name="uq_aggregate_uuid"),
        sa.UniqueConstraint("name", name="uq_aggregate_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "aggregate_host",
        sa.Column("aggregate_id", sa.Integer, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("aggregate_id", "host", name="pk_aggregate_host"),
        sa.ForeignKeyConstraint(
            ["aggregate_id"], ["aggregate.id"], name="fk_aggregate_host_aggregate_id"
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("aggregate_host")
    op.drop_table("aggregate")
