"""What all operations of the image service share: versions, and who may see and change what."""

from computekit.access import changes_in, everywhere, reads_in
from computekit.api.context import Identity
from computekit.api.version import Microversion, VersionRange
from computekit.images import ImageRecord

__all__ = ["IMAGE_VERSIONS", "SINCE", "changes", "sees"]

SINCE = Microversion(2, 0)
IMAGE_VERSIONS = VersionRange("image", SINCE, Microversion(2, 9))
"""The Image API's versions only add; who speaks an older one finds all that it knows."""


def sees(identity: Identity, record: ImageRecord) -> bool:
    """Return whether somebody sees an image: its project's, or everybody's."""
    if everywhere(identity.roles):
        return True
    if record.visibility in ("public", "community"):
        return identity.user is not None
    return reads_in(identity.roles, identity.project, record.owner)


def changes(identity: Identity, record: ImageRecord) -> bool:
    """Return whether somebody may change or delete an image: who uses its project's things."""
    return changes_in(identity.roles, identity.project, record.owner)
