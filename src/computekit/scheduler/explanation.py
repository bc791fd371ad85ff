"""Why a request went where it went, or nowhere: every rule, every host, and what would help."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

from computekit.display import Page
from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler.judged import YES, HostReports, Judged, judge
from computekit.scheduler.narrowing import overlay_parts
from computekit.scheduler.normalised import Normalised
from computekit.scheduler.plain_functions import Refusal
from computekit.scheduler.policy import Policy
from computekit.scheduler.prefiltering import prefiltered
from computekit.scheduler.remedies import Remedies, Remedy
from computekit.scheduler.reports import HostReport, RankedHost, RuleReport
from computekit.scheduler.request import Request
from computekit.scheduler.rows import Row

if TYPE_CHECKING:
    from computekit.scheduler.why_not import WhyNot

__all__ = ["Explanation", "explain"]

_NEAR = 10
_BEST = 5


@attrs.frozen
class Explanation:
    """Why a request went where it went, or nowhere.

    Attributes:
        request: what was asked.
        epoch: of the index that this is about.
        chosen: the host that it went to; None if there is none.
        rules: in the order in which they are told.
        ranking: the best hosts that fit, best first.
        near_misses: the hosts that come closest, nearest first.
    """

    request: Request
    epoch: int
    chosen: HostName | None
    rules: tuple[RuleReport, ...]
    ranking: tuple[RankedHost, ...]
    near_misses: tuple[HostReport, ...]
    _judged: Judged = attrs.field(eq=False, repr=False)

    @property
    def hosts(self) -> Sequence[HostReport]:
        """Every host against every rule, by name; each report is made when it is looked at."""
        return HostReports(self._judged)

    def host(self, name: HostName) -> HostReport | None:
        """Return one host against every rule, or None if there was no such host."""
        row = self._judged.fleet.row(name)
        return None if row is None else self._judged.report(row)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """Changes after which the request fits, each proved by deciding again; fewest first.

        None once a host was chosen.
        """
        return self.remedies_found.found

    @property
    def remedies_found(self) -> Remedies:
        """What the look for remedies comes to: they, and whether everything was tried."""
        return Remedies(()) if self.chosen is not None else self._judged.remedies

    def remedy(self, name: HostName) -> Remedy | None:
        """Return the fewest, then smallest changes after which this host takes the request.

        None if none is known; with no changes in it if the host fits as it is.
        """
        found = self.remedies_of(name).found
        return found[0] if found else None

    def remedies_of(self, name: HostName) -> Remedies:
        """Return what a look for the smallest changes for one host comes to."""
        row = self._judged.fleet.row(name)
        return Remedies(()) if row is None else self._judged.remedies_of(row)

    def why_not(self, host: HostName | None = None) -> "WhyNot":
        """Return why the request does not go to a host (None: to any), and what would help.

        Raises:
            NotFound: there is no such host.
        """
        from computekit.scheduler.why_not import why_not

        return why_not(self, host)

    @property
    def summary(self) -> str:
        """The outcome and its reasons in one line."""
        total = len(self._judged.fleet)
        if self.chosen is not None:
            fit = self.rules[-1].left if self.rules else total
            return f"{self.chosen} takes it; {fit} of {_hosts(total)} could"
        if not total:
            return "there are no hosts"
        before = total
        parts: list[tuple[int, str]] = []
        for rule in self.rules:
            if rule.left < before:
                asked = "" if rule.asked == YES else f" {rule.asked}"
                parts.append((before - rule.left, f"{rule.rule}{asked}"))
            before = rule.left
        parts.sort(key=lambda part: -part[0])
        reasons = ", ".join(
            f"{count} {'fails' if count == 1 else 'fail'} {text}" for count, text in parts
        )
        return f"none of {_hosts(total)} fits: {reasons}"

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each rule: `pandas.DataFrame(explanation.rows())`."""
        before = len(self._judged.fleet)
        found: list[Row] = []
        for rule in self.rules:
            found.append(
                {
                    "rule": rule.rule,
                    "asked": rule.asked,
                    "hosts_left": rule.left,
                    "lost": before - rule.left,
                    "failed": rule.failed,
                    "failed_only_this": rule.alone,
                }
            )
            before = rule.left
        return tuple(found)

    def text(self, *, width: int = 100) -> str:
        """Return all of this for a terminal of `width` columns."""
        return self._page().text(width=width)

    def html(self) -> str:
        """Return all of this as an HTML element."""
        return self._page().html()

    def _repr_html_(self) -> str:
        return self.html()

    def _page(self) -> Page:
        from computekit.scheduler.views import explanation_view

        return explanation_view(self)


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"


def explain(
    fleet: FleetIndex,
    request: Request,
    policy: Policy,
    refusals: Mapping[HostName, Refusal],
    *,
    chosen: HostName | None = None,
) -> Explanation:
    """Return the explanation of a request on a fleet that no longer changes.

    Args:
        fleet: a copy that nobody writes to.
        request: what was asked.
        policy: by which it was decided.
        refusals: what filters said when it was decided; hosts not in it are asked now.
        chosen: the host that was decided on.
    """
    request = prefiltered(request, policy, fleet)
    judged = judge(fleet, request, policy, refusals)
    return Explanation(
        request,
        fleet.epoch,
        chosen,
        tuple(judged.rules()),
        _ranking(fleet, request, policy, np.flatnonzero(judged.broken == 0)),
        tuple(judged.report(row) for row in judged.near[:_NEAR].tolist()),
        judged,
    )


def _ranking(
    fleet: FleetIndex, request: Request, policy: Policy, fitting: npt.NDArray[np.intp]
) -> tuple[RankedHost, ...]:
    weighers = policy.weighers_of(request.placement)
    parts = overlay_parts(fleet, request, policy, fitting)
    if isinstance(weighers, Normalised):
        parts |= weighers.parts(fleet, fitting)
    else:
        parts |= {weigher.name: weigher.scores(fleet, fitting) for weigher in weighers}
    total = sum(parts.values(), np.zeros(len(fitting)))
    return tuple(
        RankedHost(
            fleet.names[int(fitting[at])],
            float(total[at]),
            tuple((name, float(scores[at])) for name, scores in parts.items()),
        )
        for at in np.argsort(-total, kind="stable")[:_BEST].tolist()
    )
