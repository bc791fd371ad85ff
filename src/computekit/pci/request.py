"""What an instance asks for: from aliases to requests in Placement and wants on a host."""

from collections.abc import Iterable, Mapping

import attrs

from computekit.ids import ProviderId
from computekit.model import FrozenMap, RequestGroup, ResourceClass, Resources, Trait
from computekit.pci.alias import Alias, AliasCount, AliasOption, NumaPolicy
from computekit.pci.answering import asked_class
from computekit.pci.names import LIVE_MIGRATABLE_TRAIT, OWNER_TRAIT

__all__ = ["DeviceGrant", "DeviceRequest", "DeviceWant", "device_grants", "device_requests"]


@attrs.frozen
class DeviceGrant:
    """What Placement gave for one want: kept as it is, never read from a name.

    Attributes:
        want: its name, the suffix of its request group.
        provider: that gives.
        resource_class: one of it.
    """

    want: str
    provider: ProviderId
    resource_class: ResourceClass


@attrs.frozen
class DeviceWant:
    """One unit that somebody wants.

    Attributes:
        name: unique within a request; the suffix of its request group.
        option: what will do.
        numa_policy: how near to the guest's nodes.
        provider: that must give it; None: any.
    """

    name: str
    option: AliasOption
    numa_policy: NumaPolicy = NumaPolicy.LEGACY
    provider: ProviderId | None = None


@attrs.frozen
class DeviceRequest:
    """So many devices, or groups of devices, of one alias.

    Attributes:
        id: unique among the requests of an instance; `[a-zA-Z0-9_-]`, 60 characters at most.
        alias: what was asked for.
        count: of units.
        numa_policy: how near to the guest's nodes.
    """

    id: str
    alias: Alias
    count: int
    numa_policy: NumaPolicy

    def wants(self, grants: Mapping[str, DeviceGrant]) -> tuple[DeviceWant, ...]:
        """Return the single wants; one with a grant is bound to its provider."""
        names = [f"{self.id}-{at}" for at in range(self.count)]
        return tuple(
            DeviceWant(
                name,
                self.alias.options[0],
                self.numa_policy,
                None if name not in grants else grants[name].provider,
            )
            for name in names
        )

    def groups(self, *, owned: bool = True) -> tuple[RequestGroup, ...]:
        """Return a request group for each unit: one provider, one unit, the alias's traits.

        Args:
            owned: whether every provider of devices says whose it is, so that this can be asked.
        """
        option = self.alias.options[0]
        resource_class = asked_class(option)
        if resource_class is None:
            return ()  # without Placement a class need not be said
        required = {*option.traits, *((OWNER_TRAIT,) if owned else ())}
        forbidden: set[Trait] = set()
        if option.live_migratable is not None:
            (required if option.live_migratable else forbidden).add(LIVE_MIGRATABLE_TRAIT)
        return tuple(
            RequestGroup(
                suffix=f"{self.id}-{at}",
                resources=Resources({resource_class: 1}),
                required=frozenset(frozenset({trait}) for trait in required),
                forbidden=frozenset(forbidden),
            )
            for at in range(self.count)
        )


def device_grants(
    requests: Iterable[DeviceRequest], mappings: Mapping[str, tuple[ProviderId, ...]]
) -> FrozenMap[str, DeviceGrant]:
    """Return what Placement gave, by want.

    Args:
        requests: what was asked for.
        mappings: of a candidate: the providers of each request group.
    """
    found: dict[str, DeviceGrant] = {}
    for request in requests:
        resource_class = asked_class(request.alias.options[0])
        for want in request.wants({}):
            if resource_class is not None and want.name in mappings:
                provider = mappings[want.name][0]  # a group of one unit has one provider
                found[want.name] = DeviceGrant(want.name, provider, resource_class)
    return FrozenMap(found)


def device_requests(
    counts: Iterable[AliasCount],
    aliases: Mapping[str, Alias],
    ids: Iterable[str],
    policy: NumaPolicy | None = None,
) -> tuple[DeviceRequest, ...]:
    """Return what a flavor asks for.

    Args:
        counts: of the flavor, as `parse_alias_request` reads them.
        aliases: by name; those of `counts` are among them.
        ids: one for each count, in order.
        policy: of the flavor or the image, which goes before that of an alias.
    """
    return tuple(
        DeviceRequest(
            id_,
            aliases[it.name],
            it.count,
            policy or aliases[it.name].numa_policy or NumaPolicy.LEGACY,
        )
        for it, id_ in zip(counts, ids, strict=True)
    )
