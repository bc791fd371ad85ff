"""What all operations of the Placement API share."""

from typing import Protocol

from computekit.api.version import Microversion, VersionRange
from computekit.errors import GenerationConflict, NotFound
from computekit.ids import ProviderId
from computekit.placement.ports import PlacementReader, PlacementWriter, ProviderUse
from computekit.placement.provider_index import ProviderIndex
from computekit.work import Store

__all__ = ["PLACEMENT_VERSIONS", "Hosted", "since", "there"]

PLACEMENT_VERSIONS = VersionRange("placement", Microversion(1, 0), Microversion(1, 39))


class Hosted(Protocol):
    """A placement in this process; `computekit.placement.LocalPlacement` is one."""

    @property
    def store(self) -> Store:
        """What commits."""
        ...

    @property
    def books(self) -> PlacementWriter:
        """The rows."""
        ...

    @property
    def index(self) -> ProviderIndex:
        """The providers, ready to be searched."""
        ...


def since(minor: int) -> Microversion:
    """Return the microversion 1.`minor`."""
    return Microversion(1, minor)


def there(
    books: PlacementReader, provider: ProviderId, generation: int | None = None
) -> ProviderUse:
    """Return a provider with all its parts.

    Args:
        books: that it is in.
        provider: its id.
        generation: that it must be at; None takes any.

    Raises:
        NotFound: there is none.
        GenerationConflict: it is at another generation.
    """
    found = books.uses(frozenset((provider,)))
    if not found:
        raise NotFound("provider", provider)
    actual = found[0].provider.generation
    if generation is not None and generation != actual:
        raise GenerationConflict("provider", provider, generation, actual)
    return found[0]
