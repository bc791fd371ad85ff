"""The machine type that a guest gets, and the hosts that have it."""

import attrs

from computekit.model import HostFacts
from computekit.placement import FleetIndex, ProviderUse
from computekit.scheduler import Explanation, HasMachineType, Host, Placed, Request, Scheduler
from tests.unit.scheduler.fleet import facts, flat, index, request

NEW = "pc-q35-9.2"


def having(name: str, *machine_types: str) -> tuple[Host, tuple[ProviderUse, ...]]:
    host, uses = flat(name)
    of_host: HostFacts = facts(name, machine_types)
    return attrs.evolve(host, facts=of_host), uses


def fleet() -> FleetIndex:
    return index(
        having("new", "pc", "q35", NEW),
        having("old", "pc", "q35", "pc-q35-7.2", "pc-i440fx-7.2"),
        having("odd"),
    )


def wanting(machine_type: str | None) -> Request:
    return attrs.evolve(request(), machine_type=machine_type)


def hosts(scheduler: Scheduler, asked: Request) -> set[str]:
    return {candidate.host for candidate in scheduler.place(asked).candidates()}


def test_only_hosts_that_have_it_are_chosen() -> None:
    scheduler = Scheduler(fleet())
    for _again in range(2):
        assert hosts(scheduler, wanting(NEW)) == {"new"}
        assert hosts(scheduler, wanting("q35")) == {"new", "old"}
        assert hosts(scheduler, wanting("q3")) == set()
        assert hosts(scheduler, wanting(None)) == {"new", "old", "odd"}


def test_a_host_that_learns_it_is_chosen() -> None:
    found = fleet()
    scheduler = Scheduler(found)
    assert hosts(scheduler, wanting(NEW)) == {"new"}
    upgraded, _uses = having("old", "q35", NEW)
    found.put_host(upgraded)
    assert hosts(scheduler, wanting(NEW)) == {"new", "old"}


def test_an_explanation_shows_the_nearest_that_are_there() -> None:
    explanation = Scheduler(fleet()).place(wanting("pc-q35-9.9")).explain()
    assert isinstance(explanation, Explanation)
    said = {
        report.host: (verdict.asked, verdict.there)
        for report in explanation.hosts
        for verdict in report.failing
    }
    assert said == {
        "new": ("pc-q35-9.9", "pc-q35-9.2, q35, pc"),
        "old": ("pc-q35-9.9", "pc-q35-7.2, q35, pc-i440fx-7.2 and 1 more"),
        "odd": ("pc-q35-9.9", "none"),
    }
    assert "with machine type pc-q35-9.9" in explanation.text()
    assert "do without machine type pc-q35-9.9: then" in explanation.text()


def test_without_it_the_request_fits() -> None:
    asked = wanting("isapc")
    changed = HasMachineType("isapc").without(asked)
    assert changed == wanting(None)
    assert isinstance(Scheduler(fleet()).place(changed), Placed)
