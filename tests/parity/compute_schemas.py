"""Our answers of the Compute API against the response schemas of Nova 34.

    python -m tests.parity.compute_schemas

A cloud of fake hosts with one of everything is asked at several microversions; the answers are
judged in the environment of the peer, by its own validator.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.api.clouds import ADMIN, ComputeCloud, compute_cloud
from tests.parity import peers

MINORS = (1, 53, 79, 96, 104)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMPRVhiGQvZi4N5pGbnQmFmiTJuPWQ6n4aGwcKuWr3Qm somebody"

Judged = tuple[str, str, int, object]


def filled(directory: Path) -> tuple[ComputeCloud, dict[str, str]]:
    """Return a cloud with one of everything, and their ids."""
    cloud = compute_cloud(directory)
    cloud.ask("POST", "/os-keypairs", {"keypair": {"name": "k", "public_key": KEY}}, ADMIN)
    group = {"server_group": {"name": "g", "policy": "affinity"}}
    ids = {"group": cloud.ask("POST", "/os-server-groups", group, ADMIN).json["server_group"]["id"]}
    aggregate = {"aggregate": {"name": "left", "availability_zone": "z1"}}
    ids["aggregate"] = cloud.ask("POST", "/os-aggregates", aggregate, ADMIN).json["aggregate"]["id"]
    add = {"add_host": {"host": "a"}}
    cloud.ask("POST", f"/os-aggregates/{ids['aggregate']}/action", add, ADMIN)
    flavor = cloud.flavor(description="small")
    specs = {"extra_specs": {"hw:cpu_policy": "shared"}}
    cloud.ask("POST", f"/flavors/{flavor}/os-extra_specs", specs, ADMIN)
    huge = cloud.flavor(name="huge", ram=10**7)
    more = {"metadata": {"a": "b"}, "tags": ["t"], "key_name": "k", "availability_zone": "z1"}
    ids["server"] = cloud.server(ADMIN, **more)
    body = cloud.new_server(huge, name="refused")
    ids["refused"] = cloud.ask("POST", "/servers", body, ADMIN).json["server"]["id"]
    body = cloud.new_server(flavor, name="new") | {"os:scheduler_hints": {"group": ids["group"]}}
    ids["new"] = cloud.ask("POST", "/servers", body, ADMIN).json["server"]["id"]
    cloud.fleet.run()
    return cloud, {**ids, "flavor": flavor}


def answers(cloud: ComputeCloud, ids: dict[str, str], minor: int) -> Iterator[Judged]:
    """Return what is answered at 2.`minor`, with the schema that it is to fit."""
    server, flavor = f"/servers/{ids['server']}", f"/flavors/{ids['flavor']}"
    hosts = cloud.ask("GET", "/os-hypervisors", who=ADMIN, version=f"2.{minor}").json
    hypervisor = hosts["hypervisors"][0]["id"]
    actions = cloud.ask("GET", f"{server}/os-instance-actions", who=ADMIN).json["instanceActions"]
    asked: list[tuple[str, str, str]] = [
        ("servers", "index", "/servers"),
        ("servers", "detail", "/servers/detail"),
        ("servers", "index", "/servers?limit=1"),
        *(("servers", "show", f"/servers/{ids[name]}") for name in ("server", "refused", "new")),
        ("server_metadata", "index", f"{server}/metadata"),
        ("server_metadata", "show", f"{server}/metadata/a"),
        ("instance_actions", "index", f"{server}/os-instance-actions"),
        (
            "instance_actions",
            "show",
            f"{server}/os-instance-actions/{actions[0]['request_id']}",
        ),
        ("flavors", "index", "/flavors"),
        ("flavors", "detail", "/flavors/detail"),
        ("flavors", "show", flavor),
        ("flavors_extraspecs", "index", f"{flavor}/os-extra_specs"),
        ("flavors_extraspecs", "show", f"{flavor}/os-extra_specs/hw:cpu_policy"),
        ("keypairs", "index", "/os-keypairs"),
        ("keypairs", "show", "/os-keypairs/k"),
        ("server_groups", "index", "/os-server-groups"),
        ("server_groups", "show", f"/os-server-groups/{ids['group']}"),
        ("aggregates", "index", "/os-aggregates"),
        ("aggregates", "show", f"/os-aggregates/{ids['aggregate']}"),
        ("hypervisors", "index", "/os-hypervisors"),
        ("hypervisors", "detail", "/os-hypervisors/detail"),
        ("hypervisors", "show", f"/os-hypervisors/{hypervisor}"),
        ("services", "index", "/os-services"),
        ("availability_zone", "index", "/os-availability-zone"),
        ("availability_zone", "detail", "/os-availability-zone/detail"),
        ("limits", "index", "/limits"),
        ("quota_sets", "show", "/os-quota-sets/ops"),
    ]
    if minor >= 26:
        asked.append(("server_tags", "index", f"{server}/tags"))
    for module, method, path in asked:
        reply = cloud.ask("GET", path, who=ADMIN, version=f"2.{minor}")
        assert reply.status == 200, (path, minor, reply.body)
        yield module, method, minor, reply.json
    change = {"server": {"name": "web"}}
    updated = cloud.ask("PUT", server, change, ADMIN, f"2.{minor}").json
    yield "servers", "update", minor, updated
    networks = {} if minor < 37 else {"networks": "none"}
    said = {"name": "x", "imageRef": cloud.fleet.image.id, "flavorRef": ids["flavor"], **networks}
    made = cloud.ask("POST", "/servers", {"server": said}, ADMIN, f"2.{minor}")
    yield "servers", "create", minor, made.json


def main() -> int:
    nova = peers.made("nova")
    if nova is None:
        print(peers.missing("nova"))
        return 77
    with tempfile.TemporaryDirectory() as directory:
        cloud, ids = filled(Path(directory) / "cloud")
        judged = [one for minor in MINORS for one in answers(cloud, ids, minor)]
        cloud.fleet.close()
    peer = Path(__file__).with_name("compute_schemas_peer.py")
    done = subprocess.run(
        (nova / "bin" / "python", peer),
        input="".join(f"{json.dumps(one)}\n" for one in judged),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wrong = [json.loads(line) for line in done.stdout.splitlines()]
    for said in wrong:
        print(said)
    print(f"{len(judged) - len(wrong)} of {len(judged)} answers fit Nova's schemas")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
