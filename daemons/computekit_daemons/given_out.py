"""What of a host is given out, which zone hosts are in by default, and further request filters."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import attrs
import click

from computekit.agent import InventoryRules
from computekit.errors import Fault, InvalidInput
from computekit.guest import parse_cpu_set
from computekit.scheduler import DEFAULT_ZONE, PREFILTERS, Policy, check_zone_name

__all__ = ["given_out", "given_out_options", "with_placing"]

C = TypeVar("C", bound=Callable[..., object])

_PREFILTERS = {each.name.lower().replace(" ", "-"): each for each in PREFILTERS}


def given_out(dedicated: str | None, shared: str | None) -> InventoryRules:
    """Return how much of each host is given out.

    Args:
        dedicated: CPUs that are given to one vCPU each, as `2-7,^4`; None: none are.
        shared: CPUs on which vCPUs float; None: all, or, where some are dedicated, none.

    Raises:
        InvalidInput: one is no set of CPUs; both are told.
    """
    faults: list[Fault] = []
    found: list[frozenset[int] | None] = []
    for path, text in (("dedicated_cpus", dedicated), ("shared_cpus", shared)):
        try:
            found.append(None if text is None else parse_cpu_set(text))
        except ValueError as error:
            faults.append(Fault(path, "invalid_value", str(error)))
    if faults:
        raise InvalidInput(tuple(faults))
    return InventoryRules(dedicated_cpus=found[0], shared_cpus=found[1])


def with_placing(policy: Policy, prefilters: Iterable[str], default_zone: str) -> Policy:
    """Return a policy with request filters by name, and with a name for the zone of all others.

    Raises:
        InvalidInput: there is no such request filter, or this is no name for a zone.
    """
    check_zone_name(default_zone, "default_zone")
    unknown = sorted(set(prefilters) - _PREFILTERS.keys())
    if unknown:
        known = ", ".join(sorted(_PREFILTERS))
        message = f"there is no request filter {unknown[0]!a}; there are {known}"
        raise InvalidInput((Fault("request_filters", "unknown_filter", message),))
    wanted = tuple(_PREFILTERS[name] for name in dict.fromkeys(prefilters))
    return attrs.evolve(policy, prefilters=wanted, default_zone=default_zone)


def given_out_options(command: C) -> C:
    """Give a command what `given_out` and `with_placing` take."""
    for option in (
        click.option(
            "--default-zone", default=DEFAULT_ZONE, help="Zone of hosts that are in no other."
        ),
        click.option(
            "--request-filter",
            "prefilters",
            metavar="NAME",
            multiple=True,
            help="A request filter of Nova; may be given several times.",
        ),
        click.option("--shared-cpus", metavar="CPUS", help="CPUs of each host that vCPUs share."),
        click.option(
            "--dedicated-cpus",
            metavar="CPUS",
            help="CPUs of each host that are given to one vCPU each, as 2-7,^4.",
        ),
    ):
        command = option(command)
    return command
