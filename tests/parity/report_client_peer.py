"""Nova's side: its `SchedulerReportClient` works against a Placement server.

    python report_client_peer.py URL

Run by the Python of an environment that has nova. After each step it prints one line of JSON: the
step, what Nova was told, and all that the server then holds of the tree and the consumers.
"""

import json
import sys
import warnings
from typing import Any  # what nova and keystoneauth1 give has no types

warnings.simplefilter("ignore")

from keystoneauth1 import adapter, session, token_endpoint  # noqa: E402
from nova import (  # type: ignore[import-not-found]  # noqa: E402  # only where it runs
    conf,
    context,
    exception,
    objects,
)
from nova.compute import provider_tree  # type: ignore[import-not-found]  # noqa: E402
from nova.scheduler import utils  # type: ignore[import-not-found]  # noqa: E402
from nova.scheduler.client import report  # type: ignore[import-not-found]  # noqa: E402

HOST = "5f1f7f3c-0000-4000-8000-000000000001"
CELLS = ("5f1f7f3c-0000-4000-8000-000000000011", "5f1f7f3c-0000-4000-8000-000000000012")
RACK = "5f1f7f3c-0000-4000-8000-0000000000aa"
INSTANCE = "5f1f7f3c-0000-4000-8000-000000000101"
MIGRATION = "5f1f7f3c-0000-4000-8000-000000000102"
TOO_LARGE = "5f1f7f3c-0000-4000-8000-000000000103"
PROJECT, USER = "project-of-nova", "user-of-nova"


def stock(total: int, reserved: int = 0) -> dict[str, int | float]:
    return {
        "total": total,
        "reserved": reserved,
        "min_unit": 1,
        "max_unit": total,
        "step_size": 1,
        "allocation_ratio": 1.0,
    }


class Run:
    """One run of all steps."""

    def __init__(self, url: str) -> None:
        self.plain: Any = adapter.Adapter(
            session.Session(auth=token_endpoint.Token(url, "admin")),
            service_type="placement",
            raise_exc=False,
        )
        self.client: Any = report.SchedulerReportClient(self.plain)
        self.context: Any = context.get_admin_context()

    def get(self, path: str) -> Any:
        answer = self.plain.get(path, microversion="1.39")
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def say(self, step: str, told: object) -> None:
        """Print a step, what Nova was told, and what the server holds."""
        providers = {}
        for row in self.get(f"/resource_providers?in_tree={HOST}")["resource_providers"]:
            row.pop("links")
            path = f"/resource_providers/{row['uuid']}"
            row["inventories"] = self.get(f"{path}/inventories")["inventories"]
            row["traits"] = sorted(self.get(f"{path}/traits")["traits"])
            row["aggregates"] = sorted(self.get(f"{path}/aggregates")["aggregates"])
            row["usages"] = self.get(f"{path}/usages")["usages"]
            providers[row.pop("uuid")] = row
        consumers = {one: self.get(f"/allocations/{one}") for one in (INSTANCE, MIGRATION)}
        line = {"step": step, "told": told, "providers": providers, "consumers": consumers}
        print(json.dumps(line, sort_keys=True), flush=True)

    def tree(self) -> Any:
        """Return the tree as Nova has it, after asking for it."""
        self.client.clear_provider_cache()
        return self.client.get_provider_tree_and_ensure_root(self.context, HOST, name="compute-1")

    def all(self) -> None:
        """Do what a compute node and a scheduler do in their life."""
        tree = self.tree()
        self.say("a compute node comes", tree.exists(HOST))

        tree.update_inventory(
            HOST, {"VCPU": stock(8), "MEMORY_MB": stock(16384, 512), "CUSTOM_GADGET": stock(2)}
        )
        tree.update_traits(HOST, ["HW_CPU_X86_AVX2", "CUSTOM_OF_NOVA"])
        tree.update_aggregates(HOST, [RACK])
        self.client.update_from_provider_tree(self.context, tree)
        self.say("it tells what it has", None)

        claimed = self.claim(INSTANCE, {"VCPU": 2, "MEMORY_MB": 2048})
        self.say("an instance is claimed", claimed)
        self.say("one that is too large is not", self.claim(TOO_LARGE, {"VCPU": 9}, checked=False))

        stale = provider_tree.ProviderTree()
        stale.new_root("compute-1", HOST, generation=0)
        stale.update_inventory(HOST, {"VCPU": stock(1)})
        try:
            self.client.update_from_provider_tree(self.context, stale)
            told = "written"
        except exception.ResourceProviderUpdateConflict as error:
            told = type(error).__name__
        self.say("a view that is out of date is refused", told)

        moved = self.client.move_allocations(self.context, INSTANCE, MIGRATION)
        self.say("a migration takes the allocation over", moved)
        self.say("the instance takes one too", self.claim(INSTANCE, {"VCPU": 4}))
        self.client.delete_allocation_for_instance(self.context, INSTANCE, force=True)
        back = self.client.move_allocations(self.context, MIGRATION, INSTANCE)
        self.say("the migration is reverted", back)

        self.reshape()
        self.say("inventories and allocations move into cells", None)

        tree = self.tree()
        tree.update_inventory(CELLS[1], {})
        tree.remove(CELLS[1])
        self.client.update_from_provider_tree(self.context, tree)
        self.say("a cell goes", None)

        gone = self.client.delete_allocation_for_instance(self.context, INSTANCE)
        self.say("the instance is deleted", gone)

    def claim(self, consumer: str, amounts: dict[str, int], *, checked: bool = True) -> object:
        """Claim as the scheduler does; without `checked`, on the host whether it fits or not."""
        wanted = {"allocations": {HOST: {"resources": amounts}}}
        version = report.SAME_SUBTREE_VERSION
        if checked:
            objects.register_all()
            group = objects.RequestGroup(requester_id="_HOST", resources=amounts)
            rules = objects.RequestLevelParams()
            asked = utils.ResourceRequest.from_request_groups([group], rules, None)
            found, _, version = self.client.get_allocation_candidates(self.context, asked)
            assert len(found) == 1, found
            wanted = found[0]
        done: bool = self.client.claim_resources(
            self.context, consumer, wanted, PROJECT, USER, version
        )
        return done

    def reshape(self) -> None:
        """Move CPUs and memory from the host into two cells, with what is held of them."""
        tree = self.tree()
        held = self.client.get_allocations_for_provider_tree(self.context, "compute-1")
        for number, cell in enumerate(CELLS):
            tree.new_child(f"compute-1-cell-{number}", HOST, uuid=cell)
            tree.update_inventory(cell, {"VCPU": stock(4), "MEMORY_MB": stock(8192, 256)})
            tree.update_traits(cell, ["HW_NUMA_ROOT"])
        tree.update_inventory(HOST, {"CUSTOM_GADGET": stock(2)})
        for consumer in held.values():
            consumer["allocations"][CELLS[0]] = consumer["allocations"].pop(HOST)
        self.client.update_from_provider_tree(self.context, tree, allocations=held)


if __name__ == "__main__":
    conf.CONF([], project="nova", default_config_files=[])
    Run(sys.argv[1]).all()
