"""Whether an instance may be rebuilt where it is: only what concerns its new image is asked."""

from collections.abc import Iterator

from computekit.errors import NotFound
from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler.compile import shape_predicates
from computekit.scheduler.policy import HostRule, Policy
from computekit.scheduler.predicates import HasMachineType, Predicate
from computekit.scheduler.provider_predicates import HasTrait, LacksTrait
from computekit.scheduler.reports import HostReport, Verdict
from computekit.scheduler.request import Request

__all__ = ["check_rebuild"]


def check_rebuild(
    fleet: FleetIndex, request: Request, policy: Policy, host: HostName
) -> HostReport:
    """Return what the host that an instance is on has against a rebuild of it.

    The machine type and the traits that the guest requires or forbids are asked, and rules whose
    class says `on_rebuild = True`; resources are not, the instance has them, and neither is
    whether the host is enabled (Nova, rebuild with another image).

    Args:
        fleet: brought up to date before.
        request: with the new image in its intent.
        policy: whose rules hold.
        host: where the instance is.

    Raises:
        NotFound: there is no such host.
        StoreUnavailable: what the index follows cannot be read.
    """
    with fleet.lock:
        fleet.refresh()
        row = fleet.row(host)
        if row is None:
            raise NotFound("host", host)
        at = slice(row, row + 1)
        verdicts: list[Verdict] = []
        for predicate in (*_promised(request), *_on_rebuild(request, policy)):
            passed = bool(predicate.passed(fleet, at)[0])
            changes = () if passed else predicate.changes(fleet, row)
            there = predicate.there(fleet, row)
            verdicts.append(Verdict(predicate.rule, predicate.asked, there, passed, changes))
        return HostReport(host, tuple(verdicts))


def _promised(request: Request) -> Iterator[Predicate]:
    """Return what was promised to the guest and is the host's to keep, resources left aside."""
    for predicate in shape_predicates(request.placement, None, request.machine_type):
        if isinstance(predicate, HasTrait | LacksTrait | HasMachineType):
            yield predicate


def _on_rebuild(request: Request, policy: Policy) -> Iterator[Predicate]:
    for rule in policy.rules:
        if getattr(rule, "on_rebuild", False) is True and isinstance(rule, HostRule):
            yield from rule.predicates(request)
