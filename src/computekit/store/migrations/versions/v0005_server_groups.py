"""Server groups and their members; who holds the counters of a scope; the aggregates of a host."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """There are no groups, and nobody could be a member: hints were refused."""
    op.create_table(
        "server_group",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=True),
        sa.Column("rules", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_server_group"),
    )
    op.create_index("ix_server_group_project_id", "server_group", ["project_id"])
    op.create_index("ix_counter_hold_scope", "counter_hold", ["scope"])
    op.create_index("ix_aggregate_host_host", "aggregate_host", ["host"])
    op.add_column("instance", sa.Column("group_id", sa.String(64), nullable=True))
    op.create_index("ix_instance_group_id", "instance", ["group_id"])


def downgrade() -> None:
    """Forget them; the hints of instances stay."""
    op.drop_index("ix_instance_group_id", "instance")
    op.drop_column("instance", "group_id")
    op.drop_index("ix_aggregate_host_host", "aggregate_host")
    op.drop_index("ix_counter_hold_scope", "counter_hold")
    op.drop_table("server_group")
