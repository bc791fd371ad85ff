"""Requests with flavors, images and hints, that the tests of rules share."""

from collections.abc import Mapping

import attrs

from computekit.ids import AggregateId, FlavorId, HostName, ImageId, InstanceId, ProjectId
from computekit.model import Aggregate, Flavor, FrozenMap, Image
from computekit.placement import FleetIndex
from computekit.scheduler import (
    HostRule,
    OverlayRule,
    PlacementIntent,
    Policy,
    Request,
    Scheduler,
    SchedulingRun,
)
from computekit.units import Bytes, Mib
from tests.unit.scheduler.fleet import request

NONE: Mapping[str, str] = {}


def asking(
    specs: Mapping[str, str] = NONE,
    image: Mapping[str, str] | None = None,
    *,
    hints: Mapping[str, tuple[str, ...]] | None = None,
    project: str | None = None,
    flavor: str = "small",
    image_id: str = "image",
    hosts_of: Mapping[str, tuple[str, ...]] | None = None,
    no_flavor: bool = False,
) -> Request:
    """Return a small request of an instance with this flavor, image and hints."""
    found = Flavor(FlavorId("f"), flavor, 1, Mib(1_024), extra_specs=FrozenMap(specs))
    picture = Image(
        ImageId(image_id), "i", "raw", Bytes(1), Bytes(1), "", properties=FrozenMap(image or {})
    )
    intent = PlacementIntent(
        hints=FrozenMap(hints or {}),
        project=None if project is None else ProjectId(project),
        flavor=None if no_flavor else found,
        image=None if image is None else picture,
    )
    where = {
        InstanceId(name): frozenset(map(HostName, hosts))
        for name, hosts in (hosts_of or {}).items()
    }
    return attrs.evolve(request(), intent=intent, run=SchedulingRun(hosts_of=FrozenMap(where)))


def aggregate(number: int, *hosts: str, **metadata: str) -> Aggregate:
    """Return an aggregate of some hosts."""
    return Aggregate(
        number,
        AggregateId(f"u{number}"),
        f"n{number}",
        FrozenMap(metadata),
        frozenset(map(HostName, hosts)),
    )


def passing(fleet: FleetIndex, rule: HostRule | OverlayRule, asked: Request) -> str:
    """Return the hosts that a request may go to under one rule, by name."""
    candidates = Scheduler(fleet, Policy(rules=(rule,))).place(asked).candidates()
    return "".join(sorted(candidate.host for candidate in candidates))
