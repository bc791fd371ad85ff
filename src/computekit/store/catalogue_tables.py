"""The tables of what is kept for the users of servers; no decision reads them."""

from sqlalchemy import Boolean, Column, Double, ForeignKey, Named, String, Table, Text, TypedColumns

from computekit.store.tables import METADATA
from computekit.units import Seconds

__all__ = ["FLAVOR", "KEYPAIR", "SERVER"]


class _Flavor(TypedColumns):
    id = Column(String(255), primary_key=True)
    name = Column(String(255), nullable=False, unique=True)
    offered = Column(Text, nullable=False)
    """The flavor as JSON, and who may use it."""


FLAVOR = Table("flavor", METADATA, _Flavor)


class _Keypair(TypedColumns):
    user_id = Column(String(255), primary_key=True)
    name = Column(String(255), primary_key=True)
    keypair = Column(Text, nullable=False)
    """The keypair as JSON."""


KEYPAIR = Table("keypair", METADATA, _Keypair, sqlite_with_rowid=False)


class _Server(TypedColumns):
    instance_id = Column(
        String(64), ForeignKey("instance.id", ondelete="CASCADE"), primary_key=True
    )
    reservation = Column(String(64), nullable=False, index=True)
    locked = Column(Boolean, nullable=False)
    tags = Column(Text, nullable=False)
    """Each between two line ends."""
    changed_s: Named[Seconds] = Column(Double, nullable=False)
    record = Column(Text, nullable=False)
    """The record as JSON."""


SERVER = Table("server", METADATA, _Server)
