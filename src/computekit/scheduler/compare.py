"""Two policies on the same requests: where each puts them, and what each leaves."""

from collections.abc import Iterable
from contextlib import ExitStack

import attrs

from computekit.display import Page, Table, Text
from computekit.ids import HostName
from computekit.model import FrozenMap, ResourceClass
from computekit.placement import FleetIndex
from computekit.scheduler.batch import taken_by
from computekit.scheduler.decision import Placed
from computekit.scheduler.policy import Policy
from computekit.scheduler.request import Request
from computekit.scheduler.rows import Row
from computekit.scheduler.scheduler import Scheduler

__all__ = ["Choice", "Compared", "Comparison", "Leftover", "compare"]

_SHOWN = 20


@attrs.frozen
class Choice:
    """What one policy did with a request, on the fleet as its own choices have left it.

    Attributes:
        host: where the request went; None: nowhere.
        score: of that host, by this policy; None without a host.
        other_score: by this policy, of the host that the other one chose; None if there is none or
            if it does not fit there.
    """

    host: HostName | None
    score: float | None
    other_score: float | None

    @property
    def margin(self) -> float | None:
        """By how much this policy prefers its own choice; None if it had no other."""
        if self.score is None or self.other_score is None:
            return None
        return self.score - self.other_score


@attrs.frozen
class Compared:
    """One request under both policies.

    Attributes:
        number: of the request, from 0.
        request: what was asked.
        a: the choice of the first.
        b: the choice of the second.
    """

    number: int
    request: Request
    a: Choice
    b: Choice

    @property
    def same(self) -> bool:
        """Whether both chose the same."""
        return self.a.host == self.b.host


@attrs.frozen
class Leftover:
    """What a policy leaves after all requests.

    Attributes:
        policy: what it is called here.
        placed: how many requests found a host.
        refused: how many did not.
        hosts_touched: how many hosts took something.
        largest_free: by class, the most that one host that takes instances has left.
        free: by class, what all of these have left.
    """

    policy: str
    placed: int
    refused: int
    hosts_touched: int
    largest_free: FrozenMap[ResourceClass, int]
    free: FrozenMap[ResourceClass, int]


@attrs.frozen
class Comparison:
    """Two policies on one snapshot of a fleet, each with a copy of its own to claim on.

    Attributes:
        names: what the policies are called here.
        requests: in the order in which they came.
        left: what each policy leaves.
    """

    names: tuple[str, str]
    requests: tuple[Compared, ...]
    left: tuple[Leftover, Leftover]

    @property
    def differing(self) -> tuple[Compared, ...]:
        """The requests for which the policies chose differently."""
        return tuple(one for one in self.requests if not one.same)

    @property
    def summary(self) -> str:
        """The outcome in one line."""
        a, b = self.left
        differ = len(self.differing)
        return (
            f"{differ} of {len(self.requests)} requests go elsewhere; "
            f"{a.policy} places {a.placed} on {_hosts(a.hosts_touched)}, "
            f"{b.policy} {b.placed} on {_hosts(b.hosts_touched)}"
        )

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each request: `pandas.DataFrame(comparison.rows())`."""
        return tuple(
            {
                "request": one.number,
                "same": one.same,
                "host_a": one.a.host,
                "host_b": one.b.host,
                "score_a": one.a.score,
                "score_b": one.b.score,
                "margin_a": one.a.margin,
                "margin_b": one.b.margin,
            }
            for one in self.requests
        )

    def left_rows(self) -> tuple[Row, ...]:
        """Return a row for each policy and resource class with what is left."""
        return tuple(
            {
                "policy": left.policy,
                "placed": left.placed,
                "refused": left.refused,
                "hosts_touched": left.hosts_touched,
                "resource_class": name,
                "largest_free": largest,
                "free": left.free[name],
            }
            for left in self.left
            for name, largest in left.largest_free.items()
        )

    def text(self, *, width: int = 100) -> str:
        """Return all of this for a terminal of `width` columns."""
        return self._page().text(width=width)

    def html(self) -> str:
        """Return all of this as an HTML element."""
        return self._page().html()

    def _repr_html_(self) -> str:
        return self.html()

    def _page(self) -> Page:
        return Page((Text((self.summary,)), self._left_table(), self._differences()))

    def _left_table(self) -> Table:
        a, b = self.left
        rows = [
            ("requests placed", str(a.placed), str(b.placed)),
            ("requests refused", str(a.refused), str(b.refused)),
            ("hosts touched", str(a.hosts_touched), str(b.hosts_touched)),
        ]
        of_class = (("largest free", a.largest_free, b.largest_free), ("free", a.free, b.free))
        for word, of_a, of_b in of_class:
            rows.extend((f"{word} {name}", str(of_a[name]), str(of_b[name])) for name in of_a)
        headings = ("what each leaves", a.policy, b.policy)
        return Table(headings, tuple(rows), numbers=frozenset(headings[1:]))

    def _differences(self) -> Table:
        a, b = self.names
        shown = self.differing[:_SHOWN]
        rows = tuple(
            (
                str(one.number),
                one.a.host or "nowhere",
                one.b.host or "nowhere",
                _margin(one.a),
                _margin(one.b),
            )
            for one in shown
        )
        more = len(self.differing) - len(shown)
        title = "Where they differ" + (f" (the first {len(shown)}; {more} more)" if more else "")
        headings = ("request", f"{a} chose", f"{b} chose", f"better by {a}", f"better by {b}")
        numbers = frozenset((headings[0], *headings[3:]))
        return Table(headings, rows, numbers=numbers, title=title)


def compare(
    fleet: FleetIndex,
    policy_a: Policy,
    policy_b: Policy,
    requests: Iterable[Request],
    *,
    names: tuple[str, str] = ("a", "b"),
) -> Comparison:
    """Decide the same requests in the same order by two policies; nothing real is claimed.

    Each policy claims on a copy of `fleet`, so that it sees what its own choices have left.

    Args:
        fleet: the snapshot; it stays as it is.
        policy_a: the first.
        policy_b: the second.
        requests: in the order in which they come.
        names: what the policies are called.

    Raises:
        InvalidInput: a request contradicts itself.
    """
    with ExitStack() as taken:
        sides = _Side(fleet, policy_a, taken), _Side(fleet, policy_b, taken)
        found = tuple(_compared(sides, number, one) for number, one in enumerate(requests))
        a_left, b_left = (s.left(name, len(found)) for s, name in zip(sides, names, strict=True))
    return Comparison(names, found, (a_left, b_left))


def _compared(sides: "tuple[_Side, _Side]", number: int, request: Request) -> Compared:
    """Decide a request on both sides, and count what each decision takes."""
    decisions = tuple(side.scheduler.place(request) for side in sides)
    hosts = tuple(one.host if isinstance(one, Placed) else None for one in decisions)
    choices: list[Choice] = []
    for side, decision, other in zip(sides, decisions, reversed(hosts), strict=True):
        if not isinstance(decision, Placed):
            choices.append(Choice(None, None, None))
            continue
        score = decision.candidate.score
        of_other = score if other == decision.host else side.score(request, other)
        choices.append(Choice(decision.host, score, of_other))
    for side, decision in zip(sides, decisions, strict=True):
        if isinstance(decision, Placed):
            side.take(decision, number)
    a, b = choices
    return Compared(number, request, a, b)


class _Side:
    """One policy with a fleet of its own."""

    def __init__(self, fleet: FleetIndex, policy: Policy, taken: ExitStack) -> None:
        self._fleet = fleet.copy()
        self._taken = taken
        self.scheduler = Scheduler(self._fleet, policy)
        self._placed = 0
        self._touched: set[HostName] = set()

    def score(self, request: Request, host: HostName | None) -> float | None:
        """Return the score of a host that must take the request; None if it cannot."""
        if host is None:
            return None
        run = attrs.evolve(request.run, host=host)
        decision = self.scheduler.place(attrs.evolve(request, run=run))
        return decision.candidate.score if isinstance(decision, Placed) else None

    def take(self, decision: Placed, number: int) -> None:
        """Count what a decision about a request takes."""
        name = f"compared:{number}"
        taken = taken_by(self._fleet, decision.request, decision.candidate, name)
        self._taken.enter_context(taken)
        self._placed += 1
        self._touched.add(decision.host)

    def left(self, name: str, asked: int) -> Leftover:
        """Return what is left."""
        fleet = self._fleet
        rows = [row for row in range(len(fleet)) if fleet.up[row] and fleet.disabled[row] is None]
        largest: dict[ResourceClass, int] = {}
        free: dict[ResourceClass, int] = {}
        for resource_class, column in sorted(fleet.resources.items()):
            values = column.free.value[rows]
            largest[resource_class] = int(values.max(initial=0))
            free[resource_class] = int(values.sum())
        return Leftover(
            name,
            self._placed,
            asked - self._placed,
            len(self._touched),
            FrozenMap(largest),
            FrozenMap(free),
        )


def _margin(choice: Choice) -> str:
    if choice.host is None:
        return ""
    return "it alone fits" if choice.margin is None else f"{choice.margin:g}"


def _hosts(count: int) -> str:
    return "1 host" if count == 1 else f"{count} hosts"
