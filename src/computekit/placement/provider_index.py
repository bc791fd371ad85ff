"""All providers of a placement, ready to be searched for where a request fits."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import attrs
import numpy as np

from computekit.clock import Deadline
from computekit.errors import NotFound
from computekit.ids import ProviderId
from computekit.model import (
    PlacementRequest,
    RequestGroup,
)
from computekit.placement.candidate_rounds import Answer, Repeats
from computekit.placement.capacity import Room, room_for_more
from computekit.placement.explain import Explainer
from computekit.placement.explanation import PlacementExplanation, TreeReport
from computekit.placement.fit import check_request
from computekit.placement.found import Found, FoundCandidate, TreeSummary
from computekit.placement.patience import Moved, Patience
from computekit.placement.plan import plan_of
from computekit.placement.ports import PlacementReader
from computekit.placement.provider_replica import ProviderReplica
from computekit.placement.row_mask import Bits, masks
from computekit.placement.searches import Searches
from computekit.placement.service import Candidate, CandidatePage, ProviderNode
from computekit.placement.shapes import Shape
from computekit.placement.tree_summaries import TreeSummaries
from computekit.placement.tree_ways import TreeWays
from computekit.work import Store

__all__ = ["ProviderIndex"]

_SHAPES = 64
# What all shapes together keep: candidates, ways and the like; rows of vectors. Answers of a shape.
_KEPT = 200_000
_KEPT_CELLS = 16_000_000
_ANSWERS = 4
_LONGEST_ANSWER = 20_000
_CHUNK = 256


T = TypeVar("T")


@attrs.frozen(eq=False)
class Begun:
    """The first round of an answer, and all that the others are made of.

    Attributes:
        shape: of the request.
        version: of the rows.
        answer: so far.
        repeats: what was told once.
        further: the trees that may have more candidates.
        summaries: of every tree that a candidate may take of, by its root.
    """

    shape: Shape
    version: int
    answer: Answer
    repeats: Repeats
    further: tuple[TreeWays, ...]
    summaries: Mapping[ProviderId, TreeSummary]


class ProviderIndex(ProviderReplica):
    """The providers of a placement, searched for where a request fits.

    Every method may be called by several threads, but not inside `Store.write`. Questions see all
    that was committed before.

    Args:
        store: whose commits are followed; None: follows nothing.
        books: where the rows are read.

    Attributes:
        lock: held by each question; re-entrant.
        rows: the providers; read under `lock`.
    """

    def __init__(self, store: Store | None = None, books: PlacementReader | None = None) -> None:
        super().__init__(store, books)
        self._shapes: dict[tuple[PlacementRequest, bool], Shape] = {}
        self._summaries = TreeSummaries(self.rows)
        self._patience = Patience(self.lock, lambda: (self.rows, self.rows.version))

    # Keeping

    @property
    def shapes(self) -> int:
        """Of how many different questions something is kept."""
        return len(self._shapes)

    def forget(self) -> None:
        """Forget what was kept of earlier questions; answers stay the same, the first is slow."""
        with self.lock:
            self._shapes.clear()
            self._summaries = TreeSummaries(self.rows)

    def start_anew(self) -> None:
        """Forget all providers, and what was kept of them."""
        super().start_anew()
        self.forget()

    # Asking

    def providers(
        self, matching: RequestGroup | None = None, *, name: str | None = None
    ) -> tuple[ProviderNode, ...]:
        """Return the providers of this name that could serve `matching` alone, by id.

        `matching.suffix` is not looked at; `member_of` means the provider itself.
        """
        with self.lock:
            self.refresh()
            rows = self.rows
            at = np.flatnonzero(rows.root[: rows.count] >= 0)
            if matching is not None:
                plan = plan_of(PlacementRequest((attrs.evolve(matching, suffix="_"),)))
                at = at[(masks(plan, Bits(plan), rows, at) & 1) != 0]
            found = [row for row in at.tolist() if name is None or rows.names[row] == name]
            return tuple(self._node(row) for row in sorted(found, key=rows.id))

    def _node(self, row: int) -> ProviderNode:
        rows = self.rows
        return ProviderNode(
            rows.id(row),
            rows.names[row],
            int(rows.generation[row]),
            rows.id(int(rows.root[row])),
            rows.parents[row],
        )

    def candidates(self, request: PlacementRequest, *, twins: bool = False) -> Iterator[Candidate]:
        """Return the ways to serve a request one by one, each found when it is asked for.

        The first of each tree by the id of its root, then the second of each ... This order is
        the same in every process. What changes in the meantime is seen as it is when its turn
        comes.

        Args:
            request: what is asked.
            twins: also give ways that differ only by which of several alike providers serve which
                of several alike groups; without it they are given once.

        Raises:
            InvalidInput: with every fault of the request.
        """
        check_request(request)
        return (found.candidate for found in self._search(request, twins))

    def found(
        self,
        request: PlacementRequest,
        *,
        limit: int | None = None,
        twins: bool = False,
        one_per_tree: bool = False,
        trees: Sequence[ProviderId] | None = None,
        deadline: Deadline | None = None,
    ) -> Found:
        """Return the answer to a search in pieces that stay the same objects while they hold.

        Args:
            request: what is asked.
            limit: the most candidates, at least 1.
            twins: as in `candidates`.
            one_per_tree: leave out candidates that take of two providers of one tree (what the
                Placement API gives below microversion 1.29).
            trees: only on the trees of these roots, in this order; such answers are not kept.
            deadline: when nobody waits any more; ways may be more than anybody can list.

        Raises:
            InvalidInput: with every fault of the request; or there are more candidates than one
                answer may have (200 000), and `limit` is to be given.
            DeadlineExceeded: it took too long.
        """
        question = (limit, one_per_tree)
        with self.lock:
            self.refresh()
            known = self._shape(request, twins).answers.get(question)
            if trees is None and known is not None and known[0] == self.rows.version:
                return known[1]

        def first_round() -> Begun:
            return self._begin(request, twins, limit, one_per_tree, trees)

        seen: Sequence[TreeWays] = ()
        try:
            begun = self._at_one_moment(deadline, first_round)
            answer, seen = begun.answer, begun.further
            if seen:
                answer.go_on(seen, begun.repeats, deadline)
            found = Found(
                tuple(answer.candidates), tuple([begun.summaries[root] for root in answer.roots])
            )
            if trees is None and len(found.candidates) <= _LONGEST_ANSWER:
                with self.lock:
                    answers = begun.shape.answers
                    answers.pop(question, None)
                    while len(answers) >= _ANSWERS:
                        del answers[next(iter(answers))]
                    answers[question] = (begun.version, found)
            return found
        finally:
            self._settle(request, twins, seen)

    def page(
        self,
        request: PlacementRequest,
        *,
        limit: int | None = None,
        twins: bool = False,
        one_per_tree: bool = False,
    ) -> CandidatePage:
        """Return what `found` finds as one value."""
        return self.found(request, limit=limit, twins=twins, one_per_tree=one_per_tree).page()

    def freest_trees(self, request: PlacementRequest, most: int) -> tuple[ProviderId, ...]:
        """Return the roots of those trees with most left that may take a request, by their ids.

        What counts is the smallest share that would stay free of any class that is asked for. Of a
        tree of several providers, or with which others share, it is not known before it is
        searched; it counts as all.

        Args:
            request: what is asked.
            most: how many are wanted.

        Raises:
            InvalidInput: with every fault of the request.
        """
        with self.lock:
            self.refresh()
            shape = self._shape(request, False)
            roots = shape.open_trees()
            shares = shape.shares(roots)
            if len(roots) > most:
                best = np.argsort(-shares, kind="stable")[:most]
                roots = roots[np.sort(best)]
            return tuple([self.rows.id(row) for row in roots.tolist()])

    def explain(
        self, request: PlacementRequest, *, reports: int = 0, deadline: Deadline | None = None
    ) -> PlacementExplanation:
        """Return why a request finds so many candidates, or none.

        Args:
            request: what is asked.
            reports: of how many trees without a candidate everything is told.
            deadline: as in `found`.

        Raises:
            InvalidInput: with every fault of the request.
            DeadlineExceeded: it took too long.
        """

        def explain() -> PlacementExplanation:
            return Explainer(self.rows, self._shape(request, True)).explanation(reports=reports)

        try:
            return self._at_one_moment(deadline, explain)
        finally:
            self._settle(request, True)

    def explain_tree(self, request: PlacementRequest, root: ProviderId) -> TreeReport:
        """Return why a request does not fit on one tree, or that it does.

        Raises:
            InvalidInput: with every fault of the request.
            NotFound: there is no such tree.
        """

        def explain() -> TreeReport:
            row = self.rows.row(root)
            if row is None or self.rows.root[row] != row:
                raise NotFound("provider tree", root)
            return Explainer(self.rows, self._shape(request, True)).report(row)

        try:
            return self._at_one_moment(None, explain)
        finally:
            self._settle(request, True)

    def room(self, request: PlacementRequest, *, deadline: Deadline | None = None) -> Room:
        """Return how many more consumers that ask the same would fit, one after the other.

        Args:
            request: what each of them asks.
            deadline: as in `found`.

        Raises:
            InvalidInput: with every fault of the request.
            DeadlineExceeded: it took too long.
        """

        def room() -> Room:
            return room_for_more(self.rows, self._shape(request, True))

        try:
            return self._at_one_moment(deadline, room)
        finally:
            self._settle(request, True)

    # Searching

    def _shape(self, request: PlacementRequest, twins: bool) -> Shape:
        key = (request, twins)
        shape = self._shapes.pop(key, None)
        if shape is None:
            check_request(request)
            searches = Searches(self._patience)
            shape = Shape(self.rows, request, twins=twins, searches=searches)
            self._make_way(1)
        self._shapes[key] = shape
        return shape

    def _make_way(self, coming: int) -> None:
        """Forget the shapes that were not asked for longest, until the others are few enough."""
        shapes = self._shapes
        kept = sum([shape.kept for shape in shapes.values()])
        cells = sum([shape.cells for shape in shapes.values()]) + coming * self.rows.room
        while shapes and (len(shapes) + coming > _SHAPES or kept > _KEPT or cells > _KEPT_CELLS):
            oldest = shapes.pop(next(iter(shapes)))
            kept -= oldest.kept
            cells -= oldest.cells

    def _settle(
        self, request: PlacementRequest, twins: bool, seen: Sequence[TreeWays] = ()
    ) -> None:
        """Count what is kept after a question, and forget what is too much."""
        with self.lock:
            shape = self._shapes.get((request, twins))
            if shape is None:
                return
            shape.count(seen)
            if shape.kept > _KEPT:
                del self._shapes[request, twins]
            self._make_way(0)

    def _at_one_moment(self, deadline: Deadline | None, answer: Callable[[], T]) -> T:
        """Return an answer that is true of one moment.

        The lock is let go of while a search takes long. If something has changed by then, what
        was read before is void, and it is begun again; what was found by pattern stays found.
        """
        while True:
            with self.lock, self._patience.until(deadline):
                self._patience.check()
                self.refresh()
                try:
                    return answer()
                except Moved:
                    continue

    def _begin(
        self,
        request: PlacementRequest,
        twins: bool,
        limit: int | None,
        one_per_tree: bool,
        only: Sequence[ProviderId] | None,
    ) -> Begun:
        """Look at the first candidate of each tree, and at what the others can be made of."""
        rows, shape, repeats = self.rows, self._shape(request, twins), Repeats()
        further: list[ProviderId] = []
        lenders: dict[ProviderId, ProviderId] = {}
        answer = Answer(limit, one_per_tree=one_per_tree, lenders=lenders)
        shape.catch_up()
        for lender in shape.lenders:
            lenders[rows.id(lender.row)] = rows.id(int(rows.root[lender.row]))
        repeats.lenders = lenders
        for chunk in self._chunks(shape, only):
            self._patience.check()
            for found in self._of_trees(shape, chunk, 0, further):
                if not repeats.has(found.candidate):
                    answer.add(found)
                    if answer.full():
                        break
            if answer.full():
                further.clear()
                break
        roots = dict.fromkeys((*answer.roots, *further, *(lenders.values() if further else ())))
        at = {root: row for root in roots if (row := rows.row(root)) is not None}
        return Begun(
            shape,
            rows.version,
            answer,
            repeats,
            tuple([shape.tree(at[root]) for root in further]),
            {root: self._summaries.of(row) for root, row in at.items()},
        )

    def _chunks(
        self, shape: Shape, only: Sequence[ProviderId] | None
    ) -> Iterator[Sequence[ProviderId]]:
        """Return the trees to look at, few at first: few may be enough."""
        last, at, size = ProviderId(""), 0, 1
        while True:
            if only is None:
                chunk: Sequence[ProviderId] = self._next_trees(shape, last, size)
            else:
                chunk = only[at : at + size]
            if not chunk:
                return
            yield chunk
            last, at, size = chunk[-1], at + size, min(2 * size, _CHUNK)

    def _search(self, request: PlacementRequest, twins: bool) -> Iterator[FoundCandidate]:
        """Return candidates, first of each tree, second of each ...; locked while it looks.

        It looks at the rows as they are whenever it goes on.
        """
        # None: all, by their ids.
        trees: Sequence[ProviderId] | None = None
        repeats = Repeats()
        number = 0
        while trees is None or trees:
            further: list[ProviderId] = []
            last, at, size = ProviderId(""), 0, 1
            while True:
                part = None if trees is None else trees[at : at + size]
                look = partial(self._look, request, twins, number, part, last, size)
                chunk, found, more, repeats.lenders = self._at_one_moment(None, look)
                if not chunk:
                    break
                further += more
                last, at, size = chunk[-1], at + size, min(2 * size, _CHUNK)
                yield from (one for one in found if not repeats.has(one.candidate))
            trees = further
            number += 1

    def _look(
        self,
        request: PlacementRequest,
        twins: bool,
        number: int,
        part: Sequence[ProviderId] | None,
        last: ProviderId,
        size: int,
    ) -> tuple[Sequence[ProviderId], list[FoundCandidate], list[ProviderId], frozenset[ProviderId]]:
        """Return some trees, their candidates of a number, who may have more, and who shares."""
        shape, further = self._shape(request, twins), list[ProviderId]()
        chunk = self._next_trees(shape, last, size) if part is None else part
        found = self._of_trees(shape, chunk, number, further)
        if size == _CHUNK:
            shape.count()
        shared = frozenset([self.rows.id(lender.row) for lender in shape.lenders])
        return chunk, found, further, shared

    def _next_trees(self, shape: Shape, last: ProviderId, size: int) -> list[ProviderId]:
        """Return the next few trees after `last` that may take the request."""
        open_trees, name = shape.open_trees(), self.rows.id
        start = bisect_right(open_trees, last, key=name) if last else 0
        return [name(row) for row in open_trees[start : start + size].tolist()]

    def _of_trees(
        self, shape: Shape, trees: Sequence[ProviderId], number: int, further: list[ProviderId]
    ) -> list[FoundCandidate]:
        """Return the candidates of this number on some trees; note the trees that may have more."""
        rows, result = self.rows, []
        for root in trees:
            row = rows.row(root)
            found = None if row is None else shape.candidate(row, number)
            if row is None or found is None:
                continue
            if shape.may_have_more(row):
                further.append(root)
            result.append(found)
        return result
