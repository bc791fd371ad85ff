"""Nova's side of the comparison of aliases; run by the Python of an environment that has nova.

Reads one case a line as JSON: aliases, whether Placement is asked, what a flavor says. Answers with
the requests that the flavor makes: name, count, policy, what is asked for; or that Nova refuses.
"""

import json
import sys
import warnings
from collections.abc import Mapping
from typing import Any  # what nova gives has no types

warnings.simplefilter("ignore")

from nova import conf, exception, objects  # type: ignore[import-not-found]  # noqa: E402
from nova.pci import request  # type: ignore[import-not-found]  # noqa: E402  # only there

objects.register_all()
conf.CONF([], project="nova", default_config_files=[])


def answer(case: Mapping[str, Any]) -> object:
    """Return what Nova says of a case."""
    conf.CONF.set_override("alias", case["aliases"], "pci")
    conf.CONF.set_override("pci_in_placement", case["in_placement"], "filter_scheduler")
    request.get_alias_from_config.cache_clear()  # Nova reads its aliases once
    flavor = objects.Flavor(extra_specs={"pci_passthrough:alias": case["asked"]})
    try:
        found = request.get_pci_requests_from_flavor(flavor)
    except exception.NovaException as error:
        return {"refused": type(error).__name__}
    except (KeyError, ValueError) as error:  # what Nova forgets to catch
        return {"crashed": type(error).__name__}
    return [
        {
            "alias": it.alias_name,
            "count": it.count,
            "policy": it.numa_policy,
            "options": [
                {key: str(value) for key, value in spec.items() if key in KEYS} for spec in it.spec
            ],
        }
        for it in found.requests
    ]


KEYS = ("vendor_id", "product_id", "dev_type", "resource_class", "traits", "live_migratable")

for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
