"""The operations of the network stand-in: as much of OpenStack Networking v2 as servers need."""

from computekit.api.network.base import NETWORK_VERSIONS, Network, NetworkCalls

__all__ = ["NETWORK_VERSIONS", "Network", "NetworkCalls"]
