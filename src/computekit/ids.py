"""Identifiers: one type for each kind of thing, all canonical strings.

Ids that are UUIDs are stored in their canonical form (lower case, with dashes).
"""

import random
import uuid
from typing import NewType

__all__ = [
    "AggregateId",
    "ConsumerId",
    "ExecutorId",
    "FlavorId",
    "HostName",
    "ImageId",
    "InstanceId",
    "NetworkId",
    "OperationId",
    "ProjectId",
    "ProviderId",
    "ServerGroupId",
    "UserId",
    "derived_uuid",
    "is_uuid",
    "new_uuid",
]

InstanceId = NewType("InstanceId", str)
ConsumerId = NewType("ConsumerId", str)
ProviderId = NewType("ProviderId", str)
AggregateId = NewType("AggregateId", str)
OperationId = NewType("OperationId", str)
ExecutorId = NewType("ExecutorId", str)
ImageId = NewType("ImageId", str)
FlavorId = NewType("FlavorId", str)
ProjectId = NewType("ProjectId", str)
NetworkId = NewType("NetworkId", str)
UserId = NewType("UserId", str)
ServerGroupId = NewType("ServerGroupId", str)
HostName = NewType("HostName", str)


def new_uuid(source: random.Random) -> str:
    """Return a random (version 4) UUID drawn from `source`."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def derived_uuid(namespace: str, name: str) -> str:
    """Return the version 5 UUID of `name` in the UUID `namespace`: the same for the same input."""
    return str(uuid.uuid5(uuid.UUID(namespace), name))


def is_uuid(text: str) -> bool:
    """Return whether `text` is a UUID in its canonical form: lower case, with dashes."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
