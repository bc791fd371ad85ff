"""How the explanation of a candidate search looks."""

from computekit.display import Drawing, Page, Table, Text, Tree
from computekit.model import PlacementRequest
from computekit.placement.explanation import PlacementExplanation, TreeReport

__all__ = ["placement_explanation_view", "request_words", "tree_report_view"]

_NUMBERS = frozenset({"trees", "first", "only this"})


def placement_explanation_view(explanation: PlacementExplanation) -> Page:
    """Return the summary, the reasons, and the trees that come closest."""
    asked = f"asked: {request_words(explanation.request)}"
    parts: list[Drawing] = [Text((explanation.summary, asked))]
    if explanation.reasons:
        rows = tuple(
            (
                count.reason.text,
                str(count.trees),
                str(count.first),
                str(count.alone),
                ", ".join(count.examples),
            )
            for count in explanation.reasons
        )
        headings = ("not met", "trees", "first", "only this", "for example")
        parts.append(Table(headings, rows, numbers=_NUMBERS, title="Why not"))
    if explanation.near_misses:
        parts.append(Text((), title="Nearest"))
        parts.extend(map(tree_report_view, explanation.near_misses))
    return Page(tuple(parts))


def tree_report_view(report: TreeReport) -> Tree:
    """Return everything that a tree does not meet, and with what it would fit."""
    if report.fits:
        return Tree(report.name, ("fits",))
    notes = [obstacle.text for obstacle in report.obstacles]
    if report.would_fit:
        notes.append("would fit " + ", ".join(report.would_fit))
    return Tree(report.name, tuple(notes))


def request_words(request: PlacementRequest) -> str:
    """Return a request in one line."""
    parts: list[str] = []
    for group in request.groups:
        words = [f"{amount} {name}" for name, amount in group.resources.items()]
        words += [" or ".join(sorted(any_of)) for any_of in sorted(group.required, key=sorted)]
        words += [f"not {trait}" for trait in sorted(group.forbidden)]
        parts.append(f"{group.suffix}: {', '.join(words)}" if group.suffix else ", ".join(words))
    return "; ".join(parts)
