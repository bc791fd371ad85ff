"""The nouns: frozen values that the rooms share."""

from computekit.model.aggregate import Aggregate
from computekit.model.allocation import Allocation, Consumer
from computekit.model.encoding import decode, decode_error, encode, encode_error
from computekit.model.flavor import Flavor
from computekit.model.frozen_map import FrozenMap
from computekit.model.group_policy import (
    GROUP_POLICIES,
    GroupPolicyName,
    GroupWords,
    group_words,
    parse_group_rules,
)
from computekit.model.host import HostCell, HostFacts
from computekit.model.image import Image
from computekit.model.instance import Instance, InstanceState
from computekit.model.inventory import MAX_AMOUNT, Inventory
from computekit.model.keypair import Keypair
from computekit.model.offered_flavor import OfferedFlavor
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
from computekit.model.server_group import (
    MOST_MEMBERS,
    MOST_RULES,
    PlacementRule,
    RuleKind,
    RuleMode,
    ServerGroup,
    UnknownDomain,
    rule_faults,
)
from computekit.model.server_record import LockedBy, ServerRecord
from computekit.model.topology_levels import HOST_LEVEL, TopologyLevel, TopologyLevels
from computekit.model.traits import Trait

__all__ = [
    "DISK_GB",
    "GROUP_POLICIES",
    "HOST_LEVEL",
    "MAX_AMOUNT",
    "MEMORY_MB",
    "MOST_MEMBERS",
    "MOST_RULES",
    "PCPU",
    "VCPU",
    "Aggregate",
    "Allocation",
    "Consumer",
    "Flavor",
    "FrozenMap",
    "GroupPolicyName",
    "GroupWords",
    "HostCell",
    "HostFacts",
    "Image",
    "Instance",
    "InstanceState",
    "Inventory",
    "Keypair",
    "LockedBy",
    "OfferedFlavor",
    "PlacementRequest",
    "PlacementRule",
    "Provider",
    "ProviderTree",
    "RequestGroup",
    "ResourceClass",
    "Resources",
    "RuleKind",
    "RuleMode",
    "ServerGroup",
    "ServerRecord",
    "TopologyLevel",
    "TopologyLevels",
    "Trait",
    "UnknownDomain",
    "decode",
    "decode_error",
    "encode",
    "encode_error",
    "group_words",
    "is_custom_name",
    "parse_group_rules",
    "rule_faults",
]
