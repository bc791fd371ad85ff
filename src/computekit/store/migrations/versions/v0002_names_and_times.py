"""Custom classes and traits as rows, times, and consumers by project."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NAMES = (
    ("resource_class", "inventory", "resource_class"),
    ("trait", "provider_trait", "trait"),
)


def upgrade() -> None:
    """Make known what is in use."""
    for table, used_in, column in _NAMES:
        op.create_table(
            table,
            sa.Column("name", sa.String(255), nullable=False),
            sa.Column("number", sa.Integer, nullable=False),
            sa.Column("since_s", sa.Double, nullable=False),
            sa.PrimaryKeyConstraint("name", name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )
        name = sa.column(column, sa.String)
        used = (
            sa.select(name.label("name"))
            .select_from(sa.table(used_in, name))
            .where(name.startswith("CUSTOM_", autoescape=True))
            .distinct()
            .subquery()
        )
        number = sa.func.row_number().over(order_by=used.c.name)
        names = sa.table(table, *(sa.column(c) for c in ("name", "number", "since_s")))
        op.execute(
            sa.insert(names).from_select(
                ["name", "number", "since_s"], sa.select(used.c.name, number, sa.literal(0.0))
            )
        )
    for table in ("provider", "consumer"):
        op.add_column(
            table, sa.Column("updated_s", sa.Double, server_default=sa.text("0"), nullable=False)
        )
    op.create_index("ix_consumer_project_id", "consumer", ["project_id", "user_id"])


def downgrade() -> None:
    """Forget what is not in use; who is of no known type is an instance."""
    op.drop_index("ix_consumer_project_id", "consumer")
    op.execute("UPDATE consumer SET type = 'INSTANCE' WHERE type = ''")
    for table in ("consumer", "provider"):
        op.drop_column(table, "updated_s")
    for table, _, _ in _NAMES:
        op.drop_table(table)
