"""The operations of the network stand-in, bound to the networks that there are."""

from collections.abc import Iterable, Mapping

import msgspec

from computekit import __version__
from computekit.api.network import NETWORK_VERSIONS, Network, NetworkCalls
from computekit.api.network import base as network_api
from computekit.http.endpoint import Endpoint, endpoint
from computekit.http.network import answers, forms
from computekit.http.openapi import NetworkErrors, Shape, plain_openapi

__all__ = ["network_document", "network_endpoints"]

_TEXT: Mapping[str, object] = {"type": "string"}
_NETWORKS: Mapping[str, object] = {
    "type": "object",
    "properties": dict.fromkeys(("id", "name", "router:external", "shared"), _TEXT),
}

SHAPES: Mapping[str, Shape] = {
    "show_versions": Shape({200: answers.VersionsAnswer}),
    "show_v2": Shape({200: answers.ResourcesAnswer}),
    "list_extensions": Shape({200: answers.ExtensionsAnswer}),
    "list_networks": Shape({200: answers.NetworksAnswer}, query=_NETWORKS),
    "show_network": Shape({200: answers.NetworkAnswer}),
    "list_ports": Shape({200: answers.PortsAnswer}),
    "list_subnets": Shape({200: answers.SubnetsAnswer}),
}
"""What each operation looks like, by its name."""


def network_endpoints(networks: tuple[Network, ...] | None = None) -> tuple[Endpoint, ...]:
    """Return every operation of the network stand-in.

    Args:
        networks: that there are; by default the one that there always is.
    """
    calls = NetworkCalls((network_api.private_network(),) if networks is None else networks)
    extensions = forms.NothingForm(answers.ExtensionsAnswer([]))
    ports = forms.NothingForm(answers.PortsAnswer([]))
    subnets = forms.NothingForm(answers.SubnetsAnswer([]))
    return (
        endpoint(network_api.SHOW_VERSIONS, calls.place, forms.VersionsForm()),
        endpoint(network_api.SHOW_V2, calls.place, forms.V2Form()),
        endpoint(network_api.LIST_EXTENSIONS, calls.none, extensions),
        endpoint(network_api.LIST_NETWORKS, calls.list, forms.NetworksForm()),
        endpoint(network_api.SHOW_NETWORK, calls.show, forms.NetworkForm()),
        endpoint(network_api.LIST_PORTS, calls.none, ports),
        endpoint(network_api.LIST_SUBNETS, calls.none, subnets),
    )


def network_document(endpoints: Iterable[Endpoint]) -> bytes:
    """Return the OpenAPI document of these endpoints as indented JSON."""
    document = plain_openapi(
        "Network", __version__, NETWORK_VERSIONS, endpoints, SHAPES, NetworkErrors
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
