"""Predicates on figures of hosts: how many instances there are, builds under way, metrics."""

from typing import ClassVar

import attrs
import numpy as np

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, LowerFigure, RaiseFigure, ReportFigures

__all__ = ["AtLeast", "Below", "HasFigures"]


@attrs.frozen
class Below:
    """A figure of the host is lower than a bound; one that is not known counts as 0.

    Attributes:
        figure: its name in the index.
        bound: the least that is too much.
    """

    figure: str
    bound: int

    @property
    def rule(self) -> str:
        return self.figure.replace("_", " ")

    @property
    def asked(self) -> str:
        return f"below {self.bound}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found: BoolArray = fleet.figures.vector(self.figure, rows) < self.bound
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        found = fleet.figures.of(self.figure, row)
        return "not known" if found is None else f"{found:g}"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        if self.bound < 1:
            return ()
        now = fleet.figures.of(self.figure, row) or 0.0
        return (LowerFigure(fleet.names[row], self.figure, self.bound - 1, now),)


@attrs.frozen
class HasFigures:
    """All of some figures of the host are known.

    Attributes:
        figures: their names in the index.
    """

    figures: frozenset[str]
    rule: ClassVar[str] = "metrics"

    @property
    def asked(self) -> str:
        return ", ".join(sorted(self.figures))

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found = np.ones(len(fleet.up[rows]), dtype=np.bool_)
        for figure in self.figures:
            found &= ~np.isnan(fleet.figures.vector(figure, rows, np.nan))
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        lacking = [name for name in sorted(self.figures) if fleet.figures.of(name, row) is None]
        return f"lacks {', '.join(lacking)}" if lacking else "all known"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        lacking = (name for name in self.figures if fleet.figures.of(name, row) is None)
        return (ReportFigures(fleet.names[row], frozenset(lacking)),)


@attrs.frozen
class AtLeast:
    """A figure of the host is not lower than a bound.

    Attributes:
        figure: its name in the index.
        bound: the least that will do.
        if_known: whether a host of which the figure is not known passes.
    """

    figure: str
    bound: int
    if_known: bool = False

    @property
    def rule(self) -> str:
        return self.figure.replace("_", " ")

    @property
    def asked(self) -> str:
        return f"at least {self.bound}"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        unknown = np.inf if self.if_known else -np.inf
        found: BoolArray = fleet.figures.vector(self.figure, rows, unknown) >= self.bound
        return found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        found = fleet.figures.of(self.figure, row)
        return "not known" if found is None else f"{found:g}"

    def changes(self, fleet: FleetIndex, row: int, /) -> tuple[Adjustment, ...]:
        now = fleet.figures.of(self.figure, row) or 0.0
        return (RaiseFigure(fleet.names[row], self.figure, self.bound, now),)
