"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("pruned", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
        sa.CheckConstraint("id = 1", name="ck_head_one_row"),
    )
    op.execute("INSERT INTO head (id, number, pruned) VALUES (1, 0, 0)")
    op.create_table(
        "change",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("number", "kind", "key", name="pk_change"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("parent_id", sa.String(64), nullable=True),
        sa.Column("root_id", sa.String(64), nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider"),
        sa.UniqueConstraint("name", name="uq_provider_name"),
        sa.ForeignKeyConstraint(["parent_id"], ["provider.id"], name="fk_provider_parent_id"),
        sa.ForeignKeyConstraint(["root_id"], ["provider.id"], name="fk_provider_root_id"),
    )
    op.create_index("ix_provider_parent_id", "provider", ["parent_id"])
    op.create_index("ix_provider_root_id", "provider", ["root_id"])
    op.create_table(
        "inventory",
        sa.Column("provider_id", sa.String(64), nullable=False),
        sa.Column("resource_class", sa.String(255), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("reserved", sa.Integer, nullable=False),
        sa.Column("min_unit", sa.Integer, nullable=False),
        sa.Column("max_unit", sa.Integer, nullable=False),
        sa.Column("step_size", sa.Integer, nullable=False),
        sa.Column("allocation_ratio", sa.Double, nullable=False),
        sa.Column("capacity", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "resource_class", name="pk_inventory"),
        sa.CheckConstraint("used >= 0", name="ck_inventory_used"),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name="fk_inventory_provider_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "provider_trait",
        sa.Column("provider_id", sa.String(64), nullable=False),
        sa.Column("trait", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "trait", name="pk_provider_trait"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name="fk_provider_trait_provider_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "provider_aggregate",
        sa.Column("provider_id", sa.String(64), nullable=False),
        sa.Column("aggregate_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "aggregate_id", name="pk_provider_aggregate"),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name="fk_provider_aggregate_provider_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consumer",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consumer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "allocation",
        sa.Column("consumer_id", sa.String(64), nullable=False),
        sa.Column("provider_id", sa.String(64), nullable=False),
        sa.Column("resource_class", sa.String(255), nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint(
            "consumer_id", "provider_id", "resource_class", name="pk_allocation"
        ),
        sa.ForeignKeyConstraint(["consumer_id"], ["consumer.id"], name="fk_allocation_consumer_id"),
        sa.ForeignKeyConstraint(
            ["provider_id", "resource_class"],
            ["inventory.provider_id", "inventory.resource_class"],
            name="fk_allocation_provider_id",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_allocation_provider_id", "allocation", ["provider_id"])
    op.create_table(
        "counter",
        sa.Column("scope", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_counter"),
        sa.CheckConstraint("used >= 0", name="ck_counter_used"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counter_hold",
        sa.Column("consumer_id", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("amount", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("consumer_id", "scope", "name", name="pk_counter_hold"),
        sa.ForeignKeyConstraint(
            ["consumer_id"], ["consumer.id"], name="fk_counter_hold_consumer_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "host",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("provider_id", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(255), nullable=True),
        sa.Column("disabled", sa.Text, nullable=True),
        sa.Column("up", sa.Boolean, nullable=False),
        sa.Column("incarnation", sa.String(255), nullable=False),
        sa.Column("seen_s", sa.Double, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_host"),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("project_id", sa.String(255), nullable=False),
        sa.Column("user_id", sa.String(255), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=True),
        sa.Column("zone", sa.String(255), nullable=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("flavor", sa.Text, nullable=False),
        sa.Column("image", sa.Text, nullable=False),
        sa.Column("hints", sa.Text, nullable=False),
        sa.Column("guest", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_instance"),
    )
    op.create_index("ix_instance_name", "instance", ["name"])
    op.create_index("ix_instance_host", "instance", ["host"])
    op.create_table(
        "operation",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("back_to", sa.Integer, nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("entered_s", sa.Double, nullable=False),
        sa.Column("wake_s", sa.Double, nullable=False),
        sa.Column("doing", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("undo_error", sa.Text, nullable=True),
        sa.Column("cancel", sa.Text, nullable=True),
        sa.Column("executor", sa.String(255), nullable=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_until_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_operation"),
    )
    live = sa.text("state = 'live'")
    op.create_index("ix_operation_number", "operation", ["subject", "number"], unique=True)
    op.create_index(
        "ix_operation_live",
        "operation",
        ["subject"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index(
        "ix_operation_due", "operation", ["wake_s"], sqlite_where=live, postgresql_where=live
    )
    op.create_index("ix_operation_age", "operation", ["created_s", "id"])
    op.create_table(
        "result",
        sa.Column("operation_id", sa.String(64), nullable=False),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("n", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("value", sa.Text, nullable=True),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("operation_id", "step", "n", name="pk_result"),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name="fk_result_operation_id"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Remove all tables."""
    for table in (
        "result",
        "operation",
        "instance",
        "host",
        "counter_hold",
        "counter",
        "allocation",
        "consumer",
        "provider_aggregate",
        "provider_trait",
        "inventory",
        "provider",
        "change",
        "head",
    ):
        op.drop_table(table)
