"""What all operations of the Compute API share."""

from typing import Generic, TypeVar

import attrs

from computekit.api.context import CallContext, Identity
from computekit.api.image import UsableImages
from computekit.api.version import Microversion, VersionRange
from computekit.compute import FlavorWriter, KeypairWriter, ServerRow, ServerWriter, Services
from computekit.errors import NotFound
from computekit.ids import InstanceId, ProjectId, UserId
from computekit.model import InstanceState

__all__ = [
    "COMPUTE_VERSIONS",
    "Cloud",
    "Page",
    "is_admin",
    "may_see",
    "project_of",
    "since",
    "user_of",
]

COMPUTE_VERSIONS = VersionRange("compute", Microversion(2, 1), Microversion(2, 104))

T = TypeVar("T")


def since(minor: int) -> Microversion:
    """Return the microversion 2.`minor`."""
    return Microversion(2, minor)


@attrs.frozen
class Page(Generic[T]):
    """Some of the things that were asked for.

    Attributes:
        items: on this page.
        more: whether there are others behind them.
        query_text: as it was asked for, for the link to the next page.
    """

    items: tuple[T, ...]
    more: bool = False
    query_text: str = ""


@attrs.frozen
class Cloud:
    """What carries out the operations of the Compute API.

    Attributes:
        services: the ports of operations.
        flavors: that servers can be made with.
        keypairs: of users.
        servers: instances with what is kept for their users.
        images: which somebody may make servers from; None: all that there are.
    """

    services: Services
    flavors: FlavorWriter
    keypairs: KeypairWriter
    servers: ServerWriter
    images: UsableImages | None = None

    def existing(self, server: InstanceId, context: CallContext) -> ServerRow:
        """Return a server that the caller may see; one of another project is as good as none.

        Raises:
            NotFound: there is none, or it is deleted.
        """
        row = self.servers.server(server)
        gone = row is None or row.instance.state is InstanceState.DELETED
        if row is None or gone or not may_see(context.identity, row.instance.project):
            raise NotFound("instance", server)
        return row


def is_admin(identity: Identity) -> bool:
    """Return whether somebody sees and may change what is of other projects."""
    return "admin" in identity.roles


def may_see(identity: Identity, project: ProjectId | None) -> bool:
    """Return whether somebody learns of what is of this project."""
    return is_admin(identity) or (project is not None and project == identity.project)


def project_of(context: CallContext) -> ProjectId:
    """Return the project that a call is made for."""
    return context.identity.project or ProjectId("")


def user_of(context: CallContext) -> UserId:
    """Return the user that makes a call."""
    return context.identity.user or UserId("")
