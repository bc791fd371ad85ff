"""Instances in server groups, from the hint to the last of them."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from computekit import compute
from computekit.compute import audit, create_group, delete_group, group_members, make_group
from computekit.errors import CounterFull, InUse, InvalidInput, NotFound, NoValidHost
from computekit.ids import HostName, InstanceId, ProjectId, UserId
from computekit.model import (
    Flavor,
    FrozenMap,
    InstanceState,
    PlacementRule,
    RuleKind,
    ServerGroup,
    TopologyLevel,
    TopologyLevels,
    decode_error,
)
from computekit.placement import group_scope
from computekit.testing.fake_fleet import SMALL, FakeFleet, fake_facts

LEVELS = TopologyLevels(
    (TopologyLevel("az", "availability_zone"), TopologyLevel("rack", "topology:rack"))
)
PROJECT, USER = ProjectId("p"), UserId("u")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FakeFleet]:
    hosts = tuple(fake_facts(name) for name in "abc")
    fleet = FakeFleet(tmp_path, hosts, levels=LEVELS)
    yield fleet
    fleet.close()


def group(fleet: FakeFleet, policy: str = "anti-affinity", **rules: str) -> ServerGroup:
    return create_group(
        fleet.services, name="web", policy=policy, rules=rules, project=PROJECT, user=USER
    )


def created(
    fleet: FakeFleet, flavor: Flavor = SMALL, project: ProjectId = PROJECT, **hints: str
) -> InstanceId:
    instance, _operation = compute.create(
        fleet.services,
        name="one",
        flavor=flavor,
        image=fleet.image.id,
        project=project,
        user=USER,
        hints=FrozenMap({name: (value,) for name, value in hints.items()}),
    )
    fleet.run()
    return instance.id


def host_of(fleet: FakeFleet, instance: InstanceId) -> HostName | None:
    return fleet.services.existing(instance).host


def test_members_lie_apart_until_there_is_no_room(fleet: FakeFleet) -> None:
    web = group(fleet)
    members = [created(fleet, group=web.id) for _ in range(3)]
    assert {host_of(fleet, one) for one in members} == {"a", "b", "c"}
    late = created(fleet, group=web.id)
    assert fleet.services.existing(late).state is InstanceState.ERROR
    (operation,) = fleet.journal.history(late)
    refusal = decode_error(operation.error or "")
    assert isinstance(refusal, NoValidHost)
    assert "3 fail server group at most 1 per host in web" in refusal.message
    found = group_members(fleet.services, web.id)
    assert {one.id for one in found.members} == {*members, late}
    assert audit(fleet.services).discrepancies == ()


def test_deleting_gives_the_slot_back(fleet: FakeFleet) -> None:
    web = group(fleet, "affinity")
    first = created(fleet, group=web.id)
    home = host_of(fleet, first)
    assert host_of(fleet, created(fleet, group=web.id)) == home
    for one in group_members(fleet.services, web.id).members:
        compute.delete(fleet.services, one.id)
    fleet.run()
    assert fleet.services.placement.counted(scope=group_scope(web.id)) == ()
    assert group_members(fleet.services, web.id).members == ()


def test_hints_that_nobody_keeps_are_refused(fleet: FakeFleet) -> None:
    web = group(fleet)
    foreign = make_group(
        fleet.services, "other", (PlacementRule(RuleKind.SPREAD, "host"),), ProjectId("q")
    )
    for hints, code in (
        ({"query": "[]"}, "unsupported_hint"),
        ({"group": "web"}, "not_a_uuid"),
        ({"group": foreign.id}, "not_found"),
        ({"same_host": "x"}, "not_a_uuid"),
    ):
        with pytest.raises(InvalidInput) as raised:
            created(fleet, **hints)
        assert [fault.code for fault in raised.value.faults] == [code]
    assert group_members(fleet.services, web.id).members == ()


def test_beside_one_and_away_from_another(fleet: FakeFleet) -> None:
    one = created(fleet)
    beside = created(fleet, same_host=one)
    away = created(fleet, different_host=one)
    assert host_of(fleet, beside) == host_of(fleet, one) != host_of(fleet, away)


def test_nobody_gets_beside_servers_of_others(fleet: FakeFleet) -> None:
    one = created(fleet)
    beside = created(fleet, project=ProjectId("q"), same_host=one)
    assert host_of(fleet, beside) is None
    nobody = "aaaaaaaa-0000-4000-8000-00000000000a"
    nowhere = created(fleet, project=ProjectId("q"), same_host=nobody)
    assert host_of(fleet, nowhere) is None


def test_a_group_has_so_many_members_and_a_project_so_many_groups(fleet: FakeFleet) -> None:

    fleet.services = attrs.evolve(fleet.services, most_members=2)
    web = group(fleet)
    for _ in range(2):
        created(fleet, group=web.id)
    with pytest.raises(CounterFull) as full:
        created(fleet, group=web.id)
    assert (full.value.scope, full.value.bound) == ("server_group_members", 2)
    for _ in range(9):
        group(fleet)
    with pytest.raises(CounterFull) as many:
        group(fleet)
    assert (many.value.scope, many.value.bound) == ("server_groups", 10)


def test_all_that_is_wrong_with_a_group_is_told(fleet: FakeFleet) -> None:
    with pytest.raises(InvalidInput) as raised:
        create_group(
            fleet.services,
            name="",
            policy="anti-affinity",
            rules={"max_server_per_shelf": 1, "max_skew_az": "x"},
            project=PROJECT,
        )
    assert {fault.path for fault in raised.value.faults} == {
        "name",
        "rules['max_server_per_shelf']",
        "rules['max_skew_az']",
    }
    clash = (PlacementRule(RuleKind.SPREAD, "host"), PlacementRule(RuleKind.TOGETHER, "host"))
    with pytest.raises(InvalidInput):
        make_group(fleet.services, "web", clash, PROJECT)


def test_members_of_a_deleted_group_stay_and_are_free(fleet: FakeFleet) -> None:
    web = group(fleet)
    one = created(fleet, group=web.id)
    delete_group(fleet.services, web.id)
    assert fleet.services.existing(one).state is InstanceState.ACTIVE
    for call in (delete_group, group_members):
        with pytest.raises(NotFound):
            call(fleet.services, web.id)
    with pytest.raises(InvalidInput):
        created(fleet, group=web.id)
    assert group_members(fleet.services, group(fleet).id).members == ()


def test_a_host_with_members_stays_in_its_domains(fleet: FakeFleet) -> None:
    services = fleet.services
    rack = compute.create_aggregate(services, "r1", metadata={"topology:rack": "r1"})
    for name in "abc":
        compute.add_host_to_aggregate(services, rack.uuid, HostName(name))
    rules = (PlacementRule(RuleKind.SPREAD, "rack", max_per_domain=2),)
    web = make_group(services, "web", rules, PROJECT)
    first, second = created(fleet, group=web.id), created(fleet, group=web.id)
    assert None not in {host_of(fleet, first), host_of(fleet, second)}
    assert host_of(fleet, created(fleet, group=web.id)) is None
    home = host_of(fleet, first)
    assert home is not None
    with pytest.raises(InUse) as raised:
        compute.remove_host_from_aggregate(services, rack.uuid, home)
    assert "server group web" in raised.value.message
    with pytest.raises(InUse):
        compute.describe_aggregate(services, rack.uuid, {"topology:rack": "r2"})
    compute.describe_aggregate(services, rack.uuid, {"ssd": "true"})
    delete_group(services, web.id)
    compute.remove_host_from_aggregate(services, rack.uuid, home)
