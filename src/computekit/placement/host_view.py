"""One host: as the index is given it, and as the index has it."""

from typing import Protocol

import attrs

from computekit.ids import HostName, ProviderId
from computekit.model import FrozenMap, HostFacts, ResourceClass, Trait
from computekit.placement.ports import ProviderUse

__all__ = ["HostRow", "HostView"]


class HostRow(Protocol):
    """The row of a host, as the index reads it."""

    @property
    def name(self) -> HostName:
        """Unique."""
        ...

    @property
    def provider(self) -> ProviderId:
        """The root of its provider tree."""
        ...

    @property
    def facts(self) -> HostFacts:
        """What it has, as its agent last said."""
        ...

    @property
    def zone(self) -> str | None:
        """Its availability zone."""
        ...

    @property
    def disabled(self) -> str | None:
        """Why no new instance may go there."""
        ...

    @property
    def up(self) -> bool:
        """Whether its agent answers."""
        ...


@attrs.frozen
class HostView:
    """One host as the index has it.

    Attributes:
        name: unique.
        up: whether its agent answers.
        disabled: why no new instance may go there; None while it is enabled.
        labels: `zone`, `arch`, `hypervisor`, `virt_type`, `machine_types` (with a space between
            them); what it lacks is left out.
        capacity: what can be allocated, by class, over the whole tree.
        free: what is left of it.
        traits: those of the root of its tree.
        providers: its tree with what is used; the root first.
    """

    name: HostName
    up: bool
    disabled: str | None
    labels: FrozenMap[str, str]
    capacity: FrozenMap[ResourceClass, int]
    free: FrozenMap[ResourceClass, int]
    traits: frozenset[Trait]
    providers: tuple[ProviderUse, ...]
