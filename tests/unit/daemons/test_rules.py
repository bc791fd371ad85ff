"""Filters and weighers by name, and those that a package brings."""

from importlib.metadata import EntryPoint

import pytest

from computekit.errors import InvalidInput
from computekit.placement import HostView
from computekit.scheduler import (
    ComputeFilter,
    HostFilter,
    HostWeigher,
    Normalised,
    Policy,
    Request,
    RequestFilter,
)
from computekit_daemons.rules import (
    FILTER_GROUP,
    STANDARD_POLICY,
    WEIGHER_GROUP,
    Brought,
    brought,
    policy_of,
)

HERE = __name__


def warm(host: HostView) -> bool | str:
    return host.up or "cold"


def fits_rack(host: HostView, request: Request) -> bool:
    return request.intent.zone is None


def coolness(host: HostView) -> float:
    return -host.figures.get("heat", 0.0)


OTHER = 5


def fail() -> None:
    raise RuntimeError("a defect")


class Broken:
    def __init__(self) -> None:
        fail()


def points(group: str, **values: str) -> Brought:
    return {name: EntryPoint(name, f"{HERE}:{value}", group) for name, value in values.items()}


FILTERS = points(
    FILTER_GROUP, warm="warm", rack="fits_rack", ready="ComputeFilter", number="OTHER", bad="Broken"
)
WEIGHERS = points(WEIGHER_GROUP, cool="coolness", number="OTHER")


def policy(filters: tuple[str, ...] = (), weighers: tuple[str, ...] = ()) -> Policy:
    return policy_of(filters, weighers, more_filters=FILTERS, more_weighers=WEIGHERS)


def test_without_names_the_standard_policy_holds() -> None:
    assert policy() == STANDARD_POLICY
    assert [rule.name for rule in STANDARD_POLICY.rules] == [
        "SameHostFilter",
        "DifferentHostFilter",
    ]


def test_filters_are_those_of_nova_and_those_that_were_brought() -> None:
    found = policy(("IoOpsFilter", "warm", "rack", "ready", "SameHostFilter"))
    assert found.filters == (HostFilter("warm", warm), RequestFilter("rack", fits_rack))
    assert [rule.name for rule in found.rules] == [
        "SameHostFilter",
        "DifferentHostFilter",
        "IoOpsFilter",
        ComputeFilter.name,
    ]
    assert isinstance(found.weighers, Normalised)
    assert "RAMWeigher" in {weigher.name for weigher in found.weighers.weighers}


def test_weighers_that_are_named_weigh_alone() -> None:
    found = policy(weighers=("cool", "CPUWeigher", "CrossCellWeigher"))
    assert isinstance(found.weighers, Normalised)
    assert [weigher.name for weigher in found.weighers.weighers] == ["cool", "CPUWeigher"]
    assert found.weighers.weighers[0] == HostWeigher("cool", coolness)
    assert [weigher.name for weigher in found.overlay_weighers] == ["CrossCellWeigher"]


def test_everything_that_is_wrong_is_told() -> None:
    with pytest.raises(InvalidInput) as error:
        policy(("warn", "number", "bad"), ("number", "RAMWeighter"))
    assert [fault.message for fault in error.value.faults] == [
        "there is no filter 'warn'; did you mean warm?",
        f"{HERE}:OTHER is no filter",
        "filter bad cannot be loaded: a defect",
        f"{HERE}:OTHER is no weigher",
        "there is no weigher 'RAMWeighter'; did you mean RAMWeigher?",
    ]


def test_what_is_installed_is_found_without_loading_it() -> None:
    assert all(point.group == FILTER_GROUP for point in brought(FILTER_GROUP).values())
