"""One host: as the index is given it, and as the index has it."""

from collections.abc import Mapping
from typing import Protocol

import attrs

from computekit.ids import HostName, ProviderId
from computekit.model import FrozenMap, HostFacts, ResourceClass, Trait
from computekit.placement.ports import ProviderUse

__all__ = ["LABELS", "HostRow", "HostView", "labels_of", "used_further"]


LABELS = (
    "arch",
    "cpu_model",
    "guests",
    "host_ip",
    "hypervisor",
    "machine_types",
    "virt_type",
    "zone",
)
"""The words that each host has, by name."""


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
        labels: `zone`, `arch`, `hypervisor`, `virt_type`, `cpu_model`, `host_ip`,
            `machine_types` and `guests` (kinds, as `x86_64/kvm/hvm`) with a space between them;
            what it lacks is left out.
        capacity: what can be allocated, by class, over the whole tree.
        free: what is left of it.
        traits: those of the root of its tree.
        providers: its tree with what is used; the root first.
        metadata: the values of each key over the aggregates that it belongs to.
        figures: `instances`, `io_ops` ... and measured ones; what is not known is left out.
    """

    name: HostName
    up: bool
    disabled: str | None
    labels: FrozenMap[str, str]
    capacity: FrozenMap[ResourceClass, int]
    free: FrozenMap[ResourceClass, int]
    traits: frozenset[Trait]
    providers: tuple[ProviderUse, ...]
    metadata: FrozenMap[str, frozenset[str]] = FrozenMap()
    figures: FrozenMap[str, float] = FrozenMap()


def labels_of(host: HostRow) -> dict[str, str | None]:
    """Return the words by which rules know a host."""
    return {
        "zone": host.zone,
        "arch": host.facts.arch,
        "hypervisor": host.facts.hypervisor,
        "machine_types": " ".join(sorted(host.facts.machine_types)),
        "virt_type": host.facts.virt_type,
        "cpu_model": host.facts.cpu_model or None,
        "guests": _guests(host.facts),
        "host_ip": host.facts.address or None,
    }


def _guests(facts: HostFacts) -> str:
    """Return the kinds of guests that a host runs: architecture, hypervisor type and mode."""
    types = dict.fromkeys(
        (facts.virt_type, "qemu") if facts.virt_type == "kvm" else (facts.virt_type,)
    )
    return " ".join(f"{facts.arch}/{kind}/hvm" for kind in types)


def used_further(
    use: ProviderUse, provider: ProviderId, amounts: Mapping[ResourceClass, int], sign: int
) -> ProviderUse:
    """Return `use`, with `amounts` more taken of it (-1: given back) if it is of `provider`."""
    if use.provider.id != provider:
        return use
    used = {n: use.used.get(n, 0) + sign * amount for n, amount in amounts.items()}
    return attrs.evolve(use, used=FrozenMap({**use.used, **used}))
