"""The network stand-in on the wire (OpenStack Networking v2.0)."""

from computekit.http.network.endpoints import network_document, network_endpoints

__all__ = ["network_document", "network_endpoints"]
