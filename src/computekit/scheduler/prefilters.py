"""The request filters of Nova, as values of a policy.

What hosts a zone has is a rule of every request (`InZone`); the others are here. A trait that
nobody knows costs only itself, and is told; a network that cannot be looked up is a refusal.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import attrs

from computekit.errors import InvalidInput
from computekit.guest import GuestFeature, features_of
from computekit.model import Trait
from computekit.scheduler.request import PlacementIntent
from computekit.scheduler.request_delta import FilterContext, Prefilter, RequestDelta

__all__ = [
    "PREFILTERS",
    "AcceleratorPrefilter",
    "ComputeStatusPrefilter",
    "FeaturePrefilter",
    "ImageMetadataPrefilter",
    "ImageTypePrefilter",
    "IsolatedAggregatesPrefilter",
    "OwnerPrefilter",
    "RemoteManagedPortsPrefilter",
    "RoutedNetworksPrefilter",
    "TenantAggregatesPrefilter",
]

_TENANT = "filter_tenant_id"
_TRAIT = "trait:"
_OF_IMAGE: Mapping[str, str] = MappingProxyType(
    {
        "hw_architecture": "HW_ARCH_",
        "hw_cdrom_bus": "COMPUTE_STORAGE_BUS_",
        "hw_disk_bus": "COMPUTE_STORAGE_BUS_",
        "hw_emulation_architecture": "COMPUTE_ARCH_",
        "hw_video_model": "COMPUTE_GRAPHICS_MODEL_",
        "hw_vif_model": "COMPUTE_NET_VIF_MODEL_",
        "hw_viommu_model": "COMPUTE_VIOMMU_",
    }
)


@attrs.frozen
class TenantAggregatesPrefilter:
    """Hosts of the aggregates that are for the project: `filter_tenant_id` and keys beginning so.

    Attributes:
        needed: whether a project for which there are none may go nowhere.
    """

    needed: bool = False
    name: ClassVar[str] = "tenant aggregates"

    def delta(self, intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        mine = frozenset(
            aggregate.uuid
            for aggregate in context.aggregates
            for key, value in aggregate.metadata.items()
            if key.startswith(_TENANT) and value == intent.project
        )
        if intent.project is None or not (mine or self.needed):
            return RequestDelta(self.name)
        if not mine:
            return RequestDelta(self.name, refusal=f"no aggregate is for project {intent.project}")
        return RequestDelta(self.name, any_of=frozenset({mine}))


@attrs.frozen
class ImageTypePrefilter:
    """Hosts that can boot the image's format: `COMPUTE_IMAGE_TYPE_...`."""

    name: ClassVar[str] = "image type"

    def delta(self, intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        if intent.image is None or context.root_on_volume:
            return RequestDelta(self.name)
        wanted = _trait("COMPUTE_IMAGE_TYPE_", intent.image.disk_format)
        return RequestDelta.requiring(self.name, (wanted,), context.knows)


@attrs.frozen
class ComputeStatusPrefilter:
    """No hosts that another Nova marked as disabled: `COMPUTE_STATUS_DISABLED`."""

    name: ClassVar[str] = "compute status"

    def delta(self, _intent: PlacementIntent, _context: FilterContext, /) -> RequestDelta:
        return RequestDelta(self.name, forbidden=frozenset({Trait("COMPUTE_STATUS_DISABLED")}))


@attrs.frozen
class IsolatedAggregatesPrefilter:
    """No hosts of aggregates that are for traits which the request does not require."""

    name: ClassVar[str] = "isolated aggregates"

    def delta(self, _intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        closed = frozenset(
            aggregate.uuid
            for aggregate in context.aggregates
            if {
                key.removeprefix(_TRAIT)
                for key, value in aggregate.metadata.items()
                if key.startswith(_TRAIT) and value == "required"
            }
            - context.required
        )
        return RequestDelta(self.name, none_of=closed)


@attrs.frozen
class ImageMetadataPrefilter:
    """Hosts that can give the guest the buses and models that its image names."""

    name: ClassVar[str] = "image metadata"

    def delta(self, intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        properties = {} if intent.image is None else intent.image.properties
        wanted = (
            _trait(prefix, properties[key])
            for key, prefix in _OF_IMAGE.items()
            if key in properties
        )
        return RequestDelta.requiring(self.name, wanted, context.knows)


@attrs.frozen
class AcceleratorPrefilter:
    """Hosts with accelerators, for flavors with a device profile."""

    name: ClassVar[str] = "accelerators"

    def delta(self, intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        asked = intent.flavor is not None and "accel:device_profile" in intent.flavor.extra_specs
        wanted = (Trait("COMPUTE_ACCELERATORS"),) if asked else ()
        return RequestDelta.requiring(self.name, wanted, context.knows)


@attrs.frozen
class FeaturePrefilter:
    """Hosts that can give what flavor or image ask of some features.

    Attributes:
        name: what these features are called.
        features: that are looked for.
    """

    name: str
    features: frozenset[GuestFeature]

    def delta(self, intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        if intent.flavor is None or intent.image is None:
            return RequestDelta(self.name)
        try:
            asked = features_of(intent.flavor, intent.image) & self.features
        except InvalidInput as error:
            return RequestDelta(self.name, refusal=error.message)
        return RequestDelta.requiring(self.name, (one.trait for one in asked), context.knows)


@attrs.frozen
class RoutedNetworksPrefilter:
    """Hosts on a segment of each network that the instance asks for."""

    name: ClassVar[str] = "routed networks"

    def delta(self, _intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        lost = sorted(found.network for found in context.networks if found.aggregates is None)
        if lost:
            why = f"the segments of {', '.join(lost)} could not be found out"
            return RequestDelta(self.name, refusal=why)
        segments = frozenset(found.aggregates for found in context.networks if found.aggregates)
        return RequestDelta(self.name, any_of=segments)


@attrs.frozen
class RemoteManagedPortsPrefilter:
    """Hosts that can have ports managed from afar, for instances with such a port."""

    name: ClassVar[str] = "remote managed ports"

    def delta(self, _intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        wanted = (Trait("COMPUTE_REMOTE_MANAGED_PORTS"),) if context.remote_managed_ports else ()
        return RequestDelta.requiring(self.name, wanted, context.knows)


@attrs.frozen
class OwnerPrefilter:
    """Hosts whose root says that it is Nova's: `OWNER_NOVA`."""

    name: ClassVar[str] = "owner"

    def delta(self, _intent: PlacementIntent, context: FilterContext, /) -> RequestDelta:
        return RequestDelta.requiring(self.name, (Trait("OWNER_NOVA"),), context.knows)


F = GuestFeature
PREFILTERS: tuple[Prefilter, ...] = (
    TenantAggregatesPrefilter(),
    ImageTypePrefilter(),
    ComputeStatusPrefilter(),
    IsolatedAggregatesPrefilter(),
    ImageMetadataPrefilter(),
    AcceleratorPrefilter(),
    FeaturePrefilter("packed virtqueue", frozenset({F.PACKED_VIRTQUEUE})),
    RoutedNetworksPrefilter(),
    RemoteManagedPortsPrefilter(),
    FeaturePrefilter(
        "ephemeral encryption",
        frozenset(
            {
                F.EPHEMERAL_ENCRYPTION,
                F.EPHEMERAL_ENCRYPTION_LUKS,
                F.EPHEMERAL_ENCRYPTION_PLAIN,
            }
        ),
    ),
    FeaturePrefilter("virtio sound", frozenset({F.SOUND_VIRTIO})),
    FeaturePrefilter(
        "TPM key security",
        frozenset({F.TPM_KEY_OF_USER, F.TPM_KEY_OF_HOST, F.TPM_KEY_OF_DEPLOYMENT}),
    ),
    OwnerPrefilter(),
)
"""All of them, in Nova's order; a policy takes those that it wants."""


def _trait(prefix: str, value: str) -> Trait:
    return Trait(prefix + value.upper().replace("-", "_"))
