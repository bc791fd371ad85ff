"""Why a request does not go to a host, or to any: what it breaks, and the smallest way out."""

import attrs

from computekit.display import Page
from computekit.errors import NotFound
from computekit.ids import HostName
from computekit.placement import FleetIndex
from computekit.scheduler.explanation import Explanation
from computekit.scheduler.remedies import Remedies, Remedy
from computekit.scheduler.reports import HostReport
from computekit.scheduler.request import Request
from computekit.scheduler.rows import Row

__all__ = ["WhyNot", "why_not"]


@attrs.frozen
class WhyNot:
    """Why a request does not fit on one host, or on none of a fleet.

    Attributes:
        request: what was asked.
        host: the host that this is about; None: the fleet as a whole.
        fits: whether it fits after all.
        report: every rule against the host, or against the one that the remedy is for; None if
            nothing helps any host.
        remedies: the changes after which it fits, proved by deciding again on a copy; the fewest,
            then smallest first; none if it fits.
        explanation: of the decision about the whole fleet.
    """

    request: Request
    host: HostName | None
    fits: bool
    report: HostReport | None
    remedies: Remedies
    explanation: Explanation = attrs.field(eq=False, repr=False)

    @property
    def remedy(self) -> Remedy | None:
        """The smallest change; None if nothing on the list helps, or if it fits."""
        return self.remedies.found[0] if self.remedies.found else None

    @property
    def summary(self) -> str:
        """The answer in one line."""
        if self.host is None:
            return self.explanation.summary
        if self.fits:
            return f"{self.host} fits" + self._preferred()
        failing = self.report.failing if self.report is not None else ()
        reasons = ", ".join(
            f"{v.rule} {v.asked} against {v.there}" if v.asked != "yes" else f"{v.rule}: {v.there}"
            for v in failing
        )
        return f"{self.host} does not fit: {reasons}"

    @property
    def advice(self) -> str:
        """What would help, in one line; nothing if it fits."""
        if self.fits:
            return ""
        return self.remedies.line

    def changed(self, fleet: FleetIndex) -> Request:
        """Write the remedy into `fleet`, if it changes hosts; return the request as changed."""
        return self.request if self.remedy is None else self.remedy.apply(self.request, fleet)

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each rule of the host, or for each rule of the fleet's funnel."""
        if self.host is None or self.report is None:
            return self.explanation.rows()
        return self.report.rows()

    def text(self, *, width: int = 100) -> str:
        """Return all of this for a terminal of `width` columns."""
        return self._page().text(width=width)

    def html(self) -> str:
        """Return all of this as an HTML element."""
        return self._page().html()

    def _repr_html_(self) -> str:
        return self.html()

    def _preferred(self) -> str:
        chosen = self.explanation.chosen
        if chosen is None or chosen == self.host:
            return ""
        return f"; {chosen} is preferred"

    def _page(self) -> Page:
        from computekit.scheduler.views import why_not_view

        return why_not_view(self)


def why_not(explanation: Explanation, host: HostName | None) -> WhyNot:
    """Return why the request of a decision does not fit on one host, or on none of the fleet.

    Args:
        explanation: of the decision.
        host: which one; None: any.

    Raises:
        NotFound: there is no such host.
    """
    request = explanation.request
    if host is None:
        found = explanation.remedies_found
        report = explanation.host(found.found[0].host) if found.found else None
        fits = explanation.chosen is not None
        return WhyNot(request, None, fits, report, found, explanation)
    report = explanation.host(host)
    if report is None:
        raise NotFound("host", host)
    found = Remedies(()) if report.fits else explanation.remedies_of(host)
    return WhyNot(request, host, report.fits, report, found, explanation)
