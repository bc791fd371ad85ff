"""Why a request finds a place on a tree or does not, as values."""

import attrs

from computekit.display import Drawing
from computekit.ids import ProviderId
from computekit.model import PlacementRequest

__all__ = ["Obstacle", "PlacementExplanation", "Reason", "ReasonCount", "TreeReport"]


@attrs.frozen
class Reason:
    """A constraint of a request.

    Attributes:
        rule: what is judged: `inventory`, `amount`, `units`, `required`, `forbidden`, `member_of`,
            `not member_of`, `in_tree`, `root_required`, `isolate`, `same_subtree`, `together`.
        group: suffix of the group that asks; "" for the unsuffixed one and for the whole.
        asked: what is asked for.
    """

    rule: str
    group: str
    asked: str

    @property
    def text(self) -> str:
        """The constraint in words."""
        where = f" (group {self.group})" if self.group else ""
        return f"{self.rule} {self.asked}{where}"


@attrs.frozen
class Obstacle:
    """A constraint that a tree does not meet.

    Attributes:
        reason: the constraint.
        provider: the provider that comes closest; None if it is about several.
        name: of that provider.
        there: what it has.
        change: what would have to be asked instead; "" if nothing small would help.
    """

    reason: Reason
    provider: ProviderId | None
    name: str
    there: str
    change: str = ""

    @property
    def text(self) -> str:
        """Asked against there, in words."""
        where = f"{self.name}: " if self.name else ""
        return f"{self.reason.text}; {where}{self.there}"


@attrs.frozen
class TreeReport:
    """A request against one tree.

    Attributes:
        root: of the tree.
        name: of the root.
        fits: whether there is a candidate.
        obstacles: every constraint that is not met, in the order of judging; for a group that no
            provider serves, those that the provider which comes closest does not meet.
        would_fit: the changes of the request, all together, with which the tree was proved to have
            a candidate; empty if none is known.
    """

    root: ProviderId
    name: str
    fits: bool
    obstacles: tuple[Obstacle, ...]
    would_fit: tuple[str, ...] = ()

    @property
    def first(self) -> Obstacle | None:
        """The first constraint that is not met."""
        return self.obstacles[0] if self.obstacles else None


@attrs.frozen
class ReasonCount:
    """A constraint against all trees.

    Attributes:
        reason: the constraint.
        trees: how many do not meet it.
        first: of how many it is the first that is not met.
        alone: of how many it is the only one.
        examples: names of the roots of some that do not meet it.
    """

    reason: Reason
    trees: int
    first: int
    alone: int
    examples: tuple[str, ...]


@attrs.frozen
class PlacementExplanation:
    """Why a request finds so many candidates, or none.

    Attributes:
        request: what is asked.
        trees: how many there are.
        fitting: how many have a candidate.
        reasons: by how many trees they exclude first; together the counts of `first` and `fitting`
            are all trees.
        near_misses: the trees without a candidate that come closest, nearest first.
        reports: trees without a candidate by the ids of their roots, as many as were asked for.
    """

    request: PlacementRequest
    trees: int
    fitting: int
    reasons: tuple[ReasonCount, ...]
    near_misses: tuple[TreeReport, ...]
    reports: tuple[TreeReport, ...]

    @property
    def summary(self) -> str:
        """The outcome and its reasons in one line."""
        total = "1 tree" if self.trees == 1 else f"{self.trees} trees"
        if not self.trees:
            return "there are no providers"
        if self.fitting == self.trees:
            return f"fits on all of {total}"
        reasons = ", ".join(
            f"{count.first} {'fails' if count.first == 1 else 'fail'} {count.reason.text}"
            for count in self.reasons
            if count.first
        )
        fitting = f"fits on {self.fitting} of {total}" if self.fitting else f"none of {total} fits"
        return f"{fitting}: {reasons}"

    def text(self, *, width: int = 100) -> str:
        """Return all of this for a terminal of `width` columns."""
        return self._page().text(width=width)

    def html(self) -> str:
        """Return all of this as an HTML element."""
        return self._page().html()

    def _repr_html_(self) -> str:
        return self.html()

    def _page(self) -> Drawing:
        from computekit.placement.explanation_view import placement_explanation_view

        return placement_explanation_view(self)
