"""Rules and preferences that somebody wrote as plain functions of one host."""

import math
from collections.abc import Callable

import attrs
import numpy as np

from computekit.placement import FleetIndex, HostView, Rows
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.multipliers import multipliers
from computekit.scheduler.request import Request

__all__ = ["HostFilter", "HostWeigher", "Refusal", "RequestFilter"]


@attrs.frozen
class HostFilter:
    """A rule that somebody wrote as a plain function of one host.

    It runs only on hosts that pass everything else, best first, until one passes. If it raises,
    that host is refused and the reason says so.

    Attributes:
        name: for explanations.
        judge: returns True if the host passes; False, or why not as text, if it does not.
        pure: whether its answer changes only when the host's row does; then it is remembered.
    """

    name: str
    judge: Callable[[HostView], bool | str]
    pure: bool = False

    def refusal(self, host: HostView, _request: Request) -> str | None:
        """Return why the host is refused, or None if it passes."""
        return _refused(lambda: self.judge(host))


@attrs.frozen
class RequestFilter:
    """A rule that somebody wrote as a plain function of one host and the request for it.

    What holds for `HostFilter` holds for it too, but that its answer is never remembered.

    Attributes:
        name: for explanations.
        judge: returns True if the host passes; False, or why not as text, if it does not.
    """

    name: str
    judge: Callable[[HostView, Request], bool | str]

    @property
    def pure(self) -> bool:
        """Its answer may be another for the next request."""
        return False

    def refusal(self, host: HostView, request: Request) -> str | None:
        """Return why the host is refused, or None if it passes."""
        return _refused(lambda: self.judge(host, request))


def _refused(judge: Callable[[], bool | str]) -> str | None:
    try:
        verdict = judge()
    except Exception as error:  # noqa: BLE001  # a defect of somebody's rule costs one host only
        return f"raised {type(error).__name__}: {error}"
    if verdict is True:
        return None
    return verdict if isinstance(verdict, str) and verdict else "refused"


@attrs.frozen
class Refusal:
    """A filter refused a host.

    Attributes:
        filter: its name.
        reason: why.
        lasting: whether that stays until the host's row changes.
    """

    filter: str
    reason: str
    lasting: bool


@attrs.frozen
class HostWeigher:
    """A preference that somebody wrote as a plain function of one host.

    It runs once for each host, and again when the host's row changes; so its answer must depend on
    nothing else. A host for which it raises, or returns no finite number, weighs 0.

    It may stand among the weighers of a policy, where what it returns is a score, or in
    `Normalised`, where it is scaled.

    Attributes:
        name: for explanations.
        weigh: returns the weight of a host; higher is better.
        multiplier: what the weight counts for; below zero less is better.
        least: the lower end of the range in `Normalised`; None: the least in the running.
        option: the key by which aggregates set another multiplier in `Normalised`; "" if not.
    """

    name: str
    weigh: Callable[[HostView], float]
    multiplier: float = 1.0
    least: float | None = None
    option: str = ""

    def scores(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        return self.raw(fleet, rows) * self.multiplier

    def raw(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray:
        at = np.arange(len(fleet))[rows]
        return np.fromiter((self.weight(fleet, row) for row in at.tolist()), np.float64, len(at))

    def weight(self, fleet: FleetIndex, row: int, /) -> float:
        try:
            found = float(self.weigh(fleet.view(row)))
        except Exception:  # noqa: BLE001  # a defect of somebody's preference costs one host only
            return 0.0
        return found if math.isfinite(found) else 0.0

    def multipliers(self, fleet: FleetIndex, rows: Rows, /) -> FloatArray | None:
        return multipliers(fleet, rows, self.option, self.multiplier)
