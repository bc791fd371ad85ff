"""Nova's side of the comparison of requests; run by the Python of an environment that has nova.

Reads one case a line as JSON, answers one line each: the groups by suffix (amounts, required and
forbidden traits) with the group policy, or why the case is refused.
"""

import json
import logging
import sys
import warnings
from collections.abc import Mapping
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from nova import objects  # type: ignore[import-not-found]  # noqa: E402  # only where it runs
from nova.scheduler import utils  # type: ignore[import-not-found]  # noqa: E402
from nova.virt import hardware  # type: ignore[import-not-found]  # noqa: E402


def answer(case: Mapping[str, Any]) -> dict[str, object]:
    """Ask Nova about one case."""
    flavor = objects.Flavor(
        vcpus=case["vcpus"],
        memory_mb=case["memory"],
        root_gb=case["root"],
        ephemeral_gb=case["ephemeral"],
        swap=case["swap"],
        extra_specs=case["specs"],
    )
    try:
        image = objects.ImageMeta.from_dict({"properties": case["properties"]})
        spec = objects.RequestSpec(
            flavor=flavor,
            image=image,
            is_bfv=False,
            requested_resources=[],
            numa_topology=hardware.numa_get_constraints(flavor, image),
            request_level_params=objects.RequestLevelParams(),
            pci_requests=None,
        )
        found = utils.ResourceRequest.from_request_spec(spec)
    except Exception as error:  # noqa: BLE001  # every refusal is one
        return {"refused": f"{type(error).__name__}: {error}"}
    groups = {
        suffix or "": [
            {name: amount for name, amount in group.resources.items() if amount},
            sorted(group.required_traits),
            sorted(group.forbidden_traits),
        ]
        for suffix, group in found._rg_by_id.items()
    }
    groups.setdefault("", [{}, [], []])
    return {"groups": groups, "policy": found.group_policy}


def main() -> None:
    """Answer until the input ends."""
    objects.register_all()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


main()
