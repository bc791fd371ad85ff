"""Placement's side: its own gabbi tests, sent to servers that another process starts.

    python gabbits_peer.py [NAME ...]

Run by the Python of an environment that has openstack-placement and gabbi. Tests and topologies
are read from the installed package as they are; what its fixtures would write into a database in
this process is written over HTTP instead. For each file it prints `{"start": PROFILE}` and reads
from stdin the URL of an empty server of that profile, then prints what came of the file.
"""

import json
import os
import pathlib
import sys
import types
import unittest
import unittest.mock
import warnings
from typing import Any  # what gabbi and Placement's fixtures give has no types

warnings.simplefilter("ignore")

import httpx  # type: ignore[import-not-found]  # noqa: E402  # only where it runs
import placement  # type: ignore[import-not-found]  # noqa: E402  # only where it runs
from gabbi import (  # type: ignore[import-not-found]  # noqa: E402
    handlers,
    suitemaker,
    utils,
)
from oslo_utils import uuidutils  # noqa: E402
from oslo_utils.fixture import uuidsentinel  # noqa: E402
from placement.tests.functional.fixtures import (  # type: ignore[import-not-found]  # noqa: E402
    gabbits as topologies,
)

PROFILES = {
    "LegacyRBACPolicyFixture": "legacy",
    "SecureRBACPolicyFixture": "secure",
    "OpenPolicyFixture": "open",
    "CORSFixture": "cors",
}
IN_PROCESS = (
    *("capture", "output", "logging_error", "config_fixture", "conf", "fixtures", "context"),
    *("policy_opts", "policy_fixture", "policies", "cfg"),
)
"""What the fixtures' module uses of a service in its own process."""

# The answers of this process must not be mixed with what the tests print.
SAY = os.fdopen(os.dup(1), "w")


class Server:
    """The server that is being tested."""

    url = ""

    def __call__(self, method: str, path: str, body: Any = None, minor: int = 37) -> Any:
        headers = {"x-auth-token": "admin", "openstack-api-version": f"placement 1.{minor}"}
        with httpx.Client(base_url=self.url, trust_env=False, timeout=60) as client:
            answer = client.request(method, path, headers=headers, json=body)
        if not answer.is_success:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None


SERVER = Server()


class Holder:
    """A user, a project, a consumer: nothing to be written before it holds something."""

    def __init__(self, _context: Any = None, external_id: str = "", **_other: Any) -> None:
        self.external_id = external_id
        self.uuid = ""
        self.whose: tuple[str, str] = ("", "")

    def create(self) -> None:
        pass


class NewClass:
    """A custom resource class to be made."""

    def __init__(self, context: Any = None, name: str = "") -> None:
        self.name = name

    def create(self) -> None:
        SERVER("PUT", f"/resource_classes/{self.name}")


class ProviderRow:
    """What a fixture keeps of a provider that it made."""

    def __init__(self, uuid: str, name: str) -> None:
        self.uuid, self.name = uuid, name
        self.path = f"/resource_providers/{uuid}"

    @property
    def generation(self) -> int:
        found: int = SERVER("GET", self.path)["generation"]
        return found

    def set_aggregates(self, aggregates: list[str]) -> None:
        # 1.18 is the last version that leaves the generation alone, as writing rows does.
        SERVER("PUT", f"{self.path}/aggregates", list(aggregates), minor=18)


def create_provider(_context: Any, name: str, *aggregates: str, **more: Any) -> ProviderRow:
    row = ProviderRow(more.get("uuid") or getattr(uuidsentinel, name), name)
    body = {"name": name, "uuid": row.uuid}
    if more.get("parent"):
        body["parent_provider_uuid"] = more["parent"]
    SERVER("POST", "/resource_providers", body)
    if aggregates:
        row.set_aggregates(list(aggregates))
    return row


def add_inventory(row: ProviderRow, name: str, total: int, **more: Any) -> None:
    if name.startswith("CUSTOM_"):
        SERVER("PUT", f"/resource_classes/{name}")
    said = {"resource_class": name, "total": total, "max_unit": total, **more}
    SERVER("POST", f"{row.path}/inventories", said)


def set_traits(row: ProviderRow, *traits: str) -> None:
    for trait in traits:
        if trait.startswith("CUSTOM_"):
            SERVER("PUT", f"/traits/{trait}")
    body = {"traits": list(traits), "resource_provider_generation": row.generation}
    SERVER("PUT", f"{row.path}/traits", body)


def create_user_and_project(_context: Any, prefix: str = "fake") -> tuple[Holder, Holder]:
    return Holder(external_id=f"{prefix}-user"), Holder(external_id=f"{prefix}-project")


def ensure_consumer(_context: Any, user: Any, project: Any, consumer_id: Any = None) -> Holder:
    consumer = Holder()
    consumer.uuid = consumer_id or uuidutils.generate_uuid()
    consumer.whose = user.external_id, project.external_id
    return consumer


def set_allocation(_context: Any, row: ProviderRow, consumer: Holder, amounts: Any) -> None:
    path = f"/allocations/{consumer.uuid}"
    body = {
        "allocations": {row.uuid: {"resources": dict(amounts)}},
        "user_id": consumer.whose[0],
        "project_id": consumer.whose[1],
        "consumer_generation": SERVER("GET", path).get("consumer_generation"),
    }
    SERVER("PUT", path, body)


class Outcome(unittest.TestResult):
    """What came of the tests of one file."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802  unittest calls it so
        super().addSuccess(test)
        self.passed += 1

    def faults(self) -> list[str]:
        return [f"{test}: {said[-600:]}" for test, said in (*self.failures, *self.errors)]


def over_http() -> None:
    """Let the fixtures build their topologies through the server."""
    for name in IN_PROCESS:
        setattr(topologies, name, unittest.mock.MagicMock(name=name))
    topologies.user_obj = types.SimpleNamespace(User=Holder)
    topologies.project_obj = types.SimpleNamespace(Project=Holder)
    topologies.rc_obj = types.SimpleNamespace(ResourceClass=NewClass)
    topologies.tb = types.SimpleNamespace(
        create_provider=create_provider,
        add_inventory=add_inventory,
        set_traits=set_traits,
        create_user_and_project=create_user_and_project,
        ensure_consumer=ensure_consumer,
        set_allocation=set_allocation,
    )


def say(**what: Any) -> None:
    SAY.write(f"{json.dumps(what)}\n")
    SAY.flush()


def run(path: pathlib.Path) -> None:
    """Run the tests of one file on a new server."""
    suite_data = utils.load_yaml(yaml_file=str(path))
    kinds = [getattr(topologies, name) for name in suite_data.get("fixtures", ())]
    above = [base.__name__ for kind in kinds for base in kind.__mro__]
    say(start=next((PROFILES[name] for name in above if name in PROFILES), "default"))
    SERVER.url = sys.stdin.readline().strip()
    host, port, prefix, _ = utils.host_info_from_target(SERVER.url)
    suite = suitemaker.test_suite_from_dict(
        unittest.TestLoader(),
        path.stem,
        suite_data,
        str(path.parent),
        host,
        port,
        topologies,
        None,
        prefix=prefix,
        handlers=[handler() for handler in handlers.RESPONSE_HANDLERS],
        test_loader_name="gabbits",
    )
    outcome = Outcome()
    suite.run(outcome)
    total = len(suite_data["tests"])
    say(file=path.name, tests=total, passed=outcome.passed, faults=outcome.faults())


def main() -> None:
    sys.stdout = sys.stderr
    over_http()
    home = pathlib.Path(placement.__path__[0]) / "tests" / "functional" / "gabbits"
    for path in sorted(home.glob("*.yaml")):
        if len(sys.argv) == 1 or path.stem in sys.argv[1:]:
            run(path)


if __name__ == "__main__":
    main()
