"""What an explanation says of rules and hosts, as values."""

import attrs

from computekit.ids import HostName
from computekit.scheduler.changes import Adjustment
from computekit.scheduler.rows import Row

__all__ = ["HostReport", "Past", "RankedHost", "RuleReport", "Verdict"]


@attrs.frozen
class Verdict:
    """One rule against one host.

    Attributes:
        rule: what is judged.
        asked: what the request asks for.
        there: what the host has.
        passed: whether that is enough.
        changes: the smallest changes that each make the host pass this rule; none if it passes.
    """

    rule: str
    asked: str
    there: str
    passed: bool
    changes: tuple[Adjustment, ...] = ()


@attrs.frozen
class HostReport:
    """Every rule against one host.

    Attributes:
        host: its name.
        verdicts: in the order of the rules.
    """

    host: HostName
    verdicts: tuple[Verdict, ...]

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """The rules that it breaks."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    @property
    def fits(self) -> bool:
        """Whether it can take the request."""
        return not self.failing

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each rule: `pandas.DataFrame(report.rows())`."""
        return tuple(
            {
                "host": self.host,
                "rule": verdict.rule,
                "asked": verdict.asked,
                "there": verdict.there,
                "passed": verdict.passed,
                "would_help": " or ".join(change.text for change in verdict.changes),
            }
            for verdict in self.verdicts
        )


@attrs.frozen
class RuleReport:
    """One rule against the fleet.

    Attributes:
        rule: what is judged.
        asked: what the request asks for.
        failed: how many hosts break it.
        alone: how many hosts break nothing else.
        left: how many hosts pass it and every rule before it.
    """

    rule: str
    asked: str
    failed: int
    alone: int
    left: int


@attrs.frozen
class RankedHost:
    """A host that fits, and why it stands where it does.

    Attributes:
        host: its name.
        score: the sum; higher is better.
        parts: what each weigher gave, by its name.
    """

    host: HostName
    score: float
    parts: tuple[tuple[str, float], ...]


@attrs.frozen
class Past:
    """The fleet has changed since the decision; it can no longer be explained.

    Attributes:
        epoch: of the decision.
        now: of the index.
    """

    epoch: int
    now: int

    def text(self, *, width: int = 100) -> str:
        """Return this as a sentence; `width` is there because an explanation has it."""
        return f"decided at epoch {self.epoch} of the fleet, which is now at epoch {self.now}"
