"""The nouns: frozen values that the rooms share."""

from computekit.model.aggregate import Aggregate
from computekit.model.allocation import Allocation, Consumer
from computekit.model.encoding import decode, decode_error, encode, encode_error
from computekit.model.flavor import Flavor
from computekit.model.frozen_map import FrozenMap
from computekit.model.host import HostCell, HostFacts
from computekit.model.image import Image
from computekit.model.instance import Instance, InstanceState
from computekit.model.inventory import MAX_AMOUNT, Inventory
from computekit.model.provider_tree import Provider, ProviderTree
from computekit.model.request_group import PlacementRequest, RequestGroup
from computekit.model.resources import (
    DISK_GB,
    MEMORY_MB,
    PCPU,
    VCPU,
    ResourceClass,
    Resources,
    is_custom_name,
)
from computekit.model.traits import Trait

__all__ = [
    "DISK_GB",
    "MAX_AMOUNT",
    "MEMORY_MB",
    "PCPU",
    "VCPU",
    "Aggregate",
    "Allocation",
    "Consumer",
    "Flavor",
    "FrozenMap",
    "HostCell",
    "HostFacts",
    "Image",
    "Instance",
    "InstanceState",
    "Inventory",
    "PlacementRequest",
    "Provider",
    "ProviderTree",
    "RequestGroup",
    "ResourceClass",
    "Resources",
    "Trait",
    "decode",
    "decode_error",
    "encode",
    "encode_error",
    "is_custom_name",
]
