"""Where flavors, keypairs and what is said of servers are kept."""

from collections.abc import Sequence
from typing import Protocol

import attrs

from computekit.ids import FlavorId, HostName, ImageId, InstanceId, ProjectId, UserId
from computekit.journal import Operation
from computekit.model import Instance, InstanceState, Keypair, OfferedFlavor, ServerRecord
from computekit.units import Seconds
from computekit.work import Tx

__all__ = [
    "FlavorWriter",
    "KeypairWriter",
    "ServerQuery",
    "ServerRow",
    "ServerTimes",
    "ServerWriter",
]


class FlavorWriter(Protocol):
    """The flavors that instances can be made with; a write belongs to a transaction."""

    def flavor(self, flavor: FlavorId) -> OfferedFlavor | None:
        """Return a flavor, or None."""
        ...

    def flavors(self) -> tuple[OfferedFlavor, ...]:
        """Return all flavors, by id."""
        ...

    def add_flavor(self, tx: Tx, flavor: OfferedFlavor) -> None:
        """Write a new flavor.

        Raises:
            AlreadyExists: its id or its name is taken.
        """
        ...

    def put_flavor(self, tx: Tx, flavor: OfferedFlavor) -> None:
        """Write over the row of a flavor; nothing happens if it has gone."""
        ...

    def delete_flavor(self, tx: Tx, flavor: FlavorId) -> None:
        """Remove a flavor; nothing happens if there is none."""
        ...


class KeypairWriter(Protocol):
    """The keypairs of users; a write belongs to a transaction."""

    def keypair(self, user: UserId, name: str) -> Keypair | None:
        """Return a keypair, or None."""
        ...

    def keypairs(self, user: UserId) -> tuple[Keypair, ...]:
        """Return a user's keypairs, by name."""
        ...

    def add_keypair(self, tx: Tx, keypair: Keypair) -> None:
        """Write a new keypair.

        Raises:
            AlreadyExists: the user has one of this name.
        """
        ...

    def delete_keypair(self, tx: Tx, user: UserId, name: str) -> bool:
        """Remove a keypair; return whether there was one."""
        ...


@attrs.frozen
class ServerTimes:
    """What the journal says of an instance's life; wall seconds since the Unix epoch.

    Attributes:
        launched_s: when it first ran.
        deleted_s: when it was gone.
        touched_s: when an operation on it was last submitted or ended.
    """

    launched_s: Seconds | None = None
    deleted_s: Seconds | None = None
    touched_s: Seconds | None = None


@attrs.frozen
class ServerRow:
    """An instance and all that is shown of it.

    Attributes:
        instance: its row.
        record: what is kept for its users.
        live: the operation that is under way.
        failed: the last one that was taken back, for an instance that it left in error.
        times: of its life.
    """

    instance: Instance
    record: ServerRecord
    live: Operation | None = None
    failed: Operation | None = None
    times: ServerTimes = ServerTimes()


@attrs.frozen
class ServerQuery:
    """Which servers are asked for, and in which order.

    Attributes:
        project: whose; None: everybody's.
        user: who made them; None: anybody.
        name: a part of the name; between `^` and `$`, all of it.
        hosts: only those on one of these; None: anywhere.
        image: only those of this image.
        flavor: only those of this flavor.
        states: only those in one of these.
        ids: only these.
        reservation: only those that one request made.
        locked: only those that are locked, or that are not.
        tags: that all have.
        any_tags: of which they have one.
        no_tags: that none has all of.
        no_any_tags: that none has any of.
        deleted: only deleted ones, or only others; None: both.
        changed_since_s: only those changed at this time or later.
        changed_before_s: only those changed at this time or before.
        order: names of `created_s`, `name`, `id` ... and whether downward; the first counts most.
        limit: the most that are returned.
        after: begin behind this one, in the order asked for.
    """

    project: ProjectId | None = None
    user: UserId | None = None
    name: str | None = None
    hosts: frozenset[HostName] | None = None
    image: ImageId | None = None
    flavor: FlavorId | None = None
    states: frozenset[InstanceState] | None = None
    ids: frozenset[InstanceId] | None = None
    reservation: str | None = None
    locked: bool | None = None
    tags: frozenset[str] = frozenset()
    any_tags: frozenset[str] = frozenset()
    no_tags: frozenset[str] = frozenset()
    no_any_tags: frozenset[str] = frozenset()
    deleted: bool | None = False
    changed_since_s: Seconds | None = None
    changed_before_s: Seconds | None = None
    order: tuple[tuple[str, bool], ...] = (("created_s", True), ("id", True))
    limit: int = 1000
    after: InstanceId | None = None


class ServerWriter(Protocol):
    """What is kept with instances for their users; a write belongs to a transaction."""

    def server(self, server: InstanceId) -> ServerRow | None:
        """Return one, deleted or not, or None."""
        ...

    def servers(self, query: ServerQuery) -> Sequence[ServerRow]:
        """Return those that are asked for.

        Raises:
            NotFound: the one to begin behind is not there.
        """
        ...

    def put_record(self, tx: Tx, record: ServerRecord) -> None:
        """Write what is kept for the users of an instance, new or not."""
        ...
