"""Nova's filters on the metadata of aggregates, as rules of a policy (Nova, filters)."""

from collections.abc import Iterator
from typing import ClassVar

import attrs

from computekit.model import FrozenMap
from computekit.scheduler.condition import parse_condition
from computekit.scheduler.demands import Malformed
from computekit.scheduler.image_filters import KIND_KEYS, plain_word
from computekit.scheduler.metadata_predicates import (
    AdmitsProject,
    BelowBound,
    MetadataAdmits,
    MetadataLists,
    MetadataMeets,
)
from computekit.scheduler.overlays import Overlay
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.remembered import remembered
from computekit.scheduler.request import Request

__all__ = [
    "AggregateImagePropertiesIsolation",
    "AggregateInstanceExtraSpecsFilter",
    "AggregateIoOpsFilter",
    "AggregateMultiTenancyIsolation",
    "AggregateNumInstancesFilter",
    "AggregateTypeAffinityFilter",
]

_SCOPE = "aggregate_instance_extra_specs"


@attrs.frozen
class AggregateInstanceExtraSpecsFilter:
    """Asks the aggregates of a host for what the flavor's extra specs say.

    Extra specs without a scope, and those of the scope `aggregate_instance_extra_specs`, are
    conditions on the metadata of that key; a host whose aggregates do not have the key fails.
    """

    name: ClassVar[str] = "AggregateInstanceExtraSpecsFilter"

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        flavor = request.intent.flavor
        return () if flavor is None else _spec_conditions(flavor.extra_specs)


@remembered
def _spec_conditions(extra_specs: FrozenMap[str, str]) -> tuple[Predicate, ...]:
    return tuple(_each_condition(extra_specs))


def _each_condition(extra_specs: FrozenMap[str, str]) -> Iterator[Predicate]:
    for spec, text in sorted(extra_specs.items()):
        scope, colon, scoped = spec.partition(":")
        if colon and scope != _SCOPE:
            continue
        key = scoped if colon else spec
        try:
            yield MetadataMeets(key, parse_condition(text), spec)
        except ValueError as error:
            yield Malformed(f"aggregate {key}", text, str(error), "extra spec", spec)


@attrs.frozen
class AggregateImagePropertiesIsolation:
    """Keeps images away from hosts whose aggregates are for others.

    What the aggregates say of a key must have the image's property of that name in it; a property
    that the image lacks is not looked at.

    Attributes:
        namespace: only keys that begin with this and the separator count; "" for all.
        separator: between the namespace and the rest of the key.
    """

    namespace: str = ""
    separator: str = "."
    name: ClassVar[str] = "AggregateImagePropertiesIsolation"
    on_rebuild: ClassVar[bool] = True

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        image = request.intent.image
        if image is None:
            return ()
        prefix = f"{self.namespace}{self.separator}" if self.namespace else ""
        return _image_conditions(image.properties, prefix)


@remembered
def _image_conditions(properties: FrozenMap[str, str], prefix: str) -> tuple[Predicate, ...]:
    return tuple(
        MetadataAdmits(key, plain_word(value) if key in KIND_KEYS else value)
        for key, value in sorted(properties.items())
        if value and key.startswith(prefix)
    )


@attrs.frozen
class AggregateMultiTenancyIsolation:
    """Keeps other projects away from hosts whose aggregates name some.

    The values of all keys that begin with `filter_tenant_id` list the projects.
    """

    name: ClassVar[str] = "AggregateMultiTenancyIsolation"

    def overlays(self, request: Request, /) -> tuple[Overlay, ...]:
        return (AdmitsProject(request.intent.project or ""),)


@attrs.frozen
class AggregateTypeAffinityFilter:
    """Keeps other flavors away from hosts whose aggregates name some.

    The values of the key `instance_type` list the names of flavors.
    """

    name: ClassVar[str] = "AggregateTypeAffinityFilter"

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        flavor = request.intent.flavor
        return () if flavor is None else (MetadataLists("instance_type", flavor.name),)


@attrs.frozen
class AggregateNumInstancesFilter:
    """Leaves a host alone that has many instances, as its aggregates or the setting say.

    Attributes:
        max_instances_per_host: so many are too many where no aggregate says otherwise.
    """

    max_instances_per_host: int = 50
    name: ClassVar[str] = "AggregateNumInstancesFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return (BelowBound("instances", self.max_instances_per_host, "max_instances_per_host"),)


@attrs.frozen
class AggregateIoOpsFilter:
    """Leaves a host alone on which much is being built ..., as its aggregates or the setting say.

    Attributes:
        max_io_ops_per_host: so many at once are too many where no aggregate says otherwise.
    """

    max_io_ops_per_host: int = 8
    name: ClassVar[str] = "AggregateIoOpsFilter"

    def predicates(self, _request: Request, /) -> tuple[Predicate, ...]:
        return (BelowBound("io_ops", self.max_io_ops_per_host, "max_io_ops_per_host"),)
