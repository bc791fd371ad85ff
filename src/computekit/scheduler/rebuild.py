"""Whether an instance may be rebuilt where it is: only what concerns its new image is asked."""

from computekit.errors import NotFound
from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler.policy import HostRule, Policy
from computekit.scheduler.reports import HostReport, Verdict
from computekit.scheduler.request import Request

__all__ = ["check_rebuild"]


def check_rebuild(
    fleet: FleetIndex, request: Request, policy: Policy, host: HostName
) -> HostReport:
    """Return what the rules about images say of the host that an instance is on.

    A rule whose class says `on_rebuild = True` is asked; resources are not, the instance has them,
    and neither is whether the host is enabled (Nova, rebuild with another image).

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
        for rule in policy.rules:
            if getattr(rule, "on_rebuild", False) is not True or not isinstance(rule, HostRule):
                continue
            for predicate in rule.predicates(request):
                passed = bool(predicate.passed(fleet, at)[0])
                changes = () if passed else predicate.changes(fleet, row)
                there = predicate.there(fleet, row)
                verdicts.append(Verdict(predicate.rule, predicate.asked, there, passed, changes))
        return HostReport(host, tuple(verdicts))
