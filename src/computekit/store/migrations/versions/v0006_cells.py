"""The NUMA nodes of hosts, and what consumers hold of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nobody holds any; a host's nodes are written when its agent comes back."""
    op.add_column(
        "host", sa.Column("topology", sa.Text, nullable=False, server_default=sa.text("'{}'"))
    )
    op.create_table(
        "cell_hold",
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("consumer_id", sa.String(64), nullable=False),
        sa.Column("node", sa.Integer, nullable=False),
        sa.Column("cpus", sa.Text, nullable=False),
        sa.Column("floating", sa.Integer, nullable=False),
        sa.Column("memory_mib", sa.BigInteger, nullable=False),
        sa.Column("page_kib", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("host", "consumer_id", "node", name="pk_cell_hold"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cell_hold_consumer_id", "cell_hold", ["consumer_id"])


def downgrade() -> None:
    """Forget both; guests keep the CPUs that they were pinned to."""
    op.drop_table("cell_hold")
    op.drop_column("host", "topology")
