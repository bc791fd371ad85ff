"""The operations of the Placement API."""

from computekit.api.placement.operations import (
    CREATE_PROVIDER,
    LIST_PROVIDERS,
    SHOW_VERSIONS,
    VERSIONS,
    NewProvider,
    ProviderQuery,
)

__all__ = [
    "CREATE_PROVIDER",
    "LIST_PROVIDERS",
    "SHOW_VERSIONS",
    "VERSIONS",
    "NewProvider",
    "ProviderQuery",
]
