"""How many executors a step has outlived, and operations by their end."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ENDED = sa.text("ended_s IS NOT NULL")


def upgrade() -> None:
    """Nobody has been counted."""
    op.add_column(
        "operation", sa.Column("deaths", sa.Integer, server_default=sa.text("0"), nullable=False)
    )
    op.create_index(
        "ix_operation_ended",
        "operation",
        ["kind", "ended_s"],
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )


def downgrade() -> None:
    """Count from the start again."""
    op.drop_index("ix_operation_ended", "operation")
    op.drop_column("operation", "deaths")
