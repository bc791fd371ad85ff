"""Devices for one use, and whether they are as new."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing has been used yet."""
    op.create_table(
        "device_burn",
        sa.Column("root_id", sa.String(64), nullable=False),
        sa.Column("device", sa.String(512), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("consumer_id", sa.String(64), nullable=False),
        sa.Column("started", sa.Boolean, nullable=False),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.Column("uses", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("cleaner", sa.String(255), nullable=True),
        sa.Column("until_s", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("root_id", "device", name="pk_device_burn"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Forget who used what: whoever needs clean devices wipes them all."""
    op.drop_table("device_burn")
