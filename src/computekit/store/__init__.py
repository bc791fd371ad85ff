"""Everything in a database: SQLite or PostgreSQL, through SQLAlchemy Core."""

from computekit.store.aggregates import SqlAggregates
from computekit.store.burns import SqlBurns
from computekit.store.cells import SqlCells
from computekit.store.flavors import SqlFlavors
from computekit.store.groups import SqlGroups
from computekit.store.hosts import SqlHosts
from computekit.store.instances import SqlInstances
from computekit.store.journal import SqlJournal
from computekit.store.keypairs import SqlKeypairs
from computekit.store.open_placement import open_placement
from computekit.store.placement import SqlPlacement
from computekit.store.servers import SqlServers
from computekit.store.sql_store import SqlStore

__all__ = [
    "SqlAggregates",
    "SqlBurns",
    "SqlCells",
    "SqlFlavors",
    "SqlGroups",
    "SqlHosts",
    "SqlInstances",
    "SqlJournal",
    "SqlKeypairs",
    "SqlPlacement",
    "SqlServers",
    "SqlStore",
    "open_placement",
]
