"""All providers of a placement, ready to be searched for where a request fits."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from computekit.clock import Deadline
from computekit.errors import NotFound
from computekit.ids import ProviderId
from computekit.model import (
    PlacementRequest,
    RequestGroup,
)
from computekit.placement.capacity import Room, room_for_more
from computekit.placement.explain import Explainer
from computekit.placement.explanation import PlacementExplanation, TreeReport
from computekit.placement.fit import check_request
from computekit.placement.found import Found, FoundCandidate, TreeSummary
from computekit.placement.patience import Patience
from computekit.placement.plan import plan_of
from computekit.placement.ports import PlacementReader
from computekit.placement.provider_replica import ProviderReplica
from computekit.placement.row_mask import Bits, masks
from computekit.placement.service import Candidate, CandidatePage, ProviderNode
from computekit.placement.shapes import Shape
from computekit.placement.tree_summaries import TreeSummaries
from computekit.work import Store

__all__ = ["ProviderIndex"]

_SHAPES = 64
# What all shapes together keep: trees with their candidates, rows of vectors, answers of a shape.
_KEPT_TREES = 200_000
_KEPT_CELLS = 16_000_000
_ANSWERS = 4
_LOOK_AT_CLOCK = 64
"""Candidates between two looks at the clock."""

_LONGEST_ANSWER = 20_000
_CHUNK = 256


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
        self._patience = Patience()

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
            InvalidInput: with every fault of the request.
            DeadlineExceeded: it took too long.
        """
        with self.lock, self._patience.until(deadline):
            self.refresh()
            shape = self._shape(request, twins)
            rows = self.rows
            question = (limit, one_per_tree)
            known = shape.answers.get(question)
            if trees is None and known is not None and known[0] == rows.version:
                return known[1]
            candidates: list[FoundCandidate] = []
            ways = self._search(request, twins, trees, following=False)
            for number, found in enumerate(ways):
                if number % _LOOK_AT_CLOCK == 0:
                    self._patience.check()
                if one_per_tree and self._shares_tree(found.candidate):
                    continue
                candidates.append(found)
                if limit is not None and len(candidates) >= limit:
                    break
            answer = Found(tuple(candidates), self._trees_of(candidates))
            if trees is None and len(candidates) <= _LONGEST_ANSWER:
                shape.answers.pop(question, None)
                while len(shape.answers) >= _ANSWERS:
                    del shape.answers[next(iter(shape.answers))]
                shape.answers[question] = (rows.version, answer)
            return answer

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
        with self.lock, self._patience.until(deadline):
            self.refresh()
            return Explainer(self.rows, self._shape(request, True)).explanation(reports=reports)

    def explain_tree(self, request: PlacementRequest, root: ProviderId) -> TreeReport:
        """Return why a request does not fit on one tree, or that it does.

        Raises:
            InvalidInput: with every fault of the request.
            NotFound: there is no such tree.
        """
        with self.lock:
            self.refresh()
            row = self.rows.row(root)
            if row is None or self.rows.root[row] != row:
                raise NotFound("provider tree", root)
            return Explainer(self.rows, self._shape(request, True)).report(row)

    def room(self, request: PlacementRequest, *, deadline: Deadline | None = None) -> Room:
        """Return how many more consumers that ask the same would fit, one after the other.

        Args:
            request: what each of them asks.
            deadline: as in `found`.

        Raises:
            InvalidInput: with every fault of the request.
            DeadlineExceeded: it took too long.
        """
        with self.lock, self._patience.until(deadline):
            self.refresh()
            return room_for_more(self.rows, self._shape(request, True))

    # Searching

    def _shape(self, request: PlacementRequest, twins: bool) -> Shape:
        key = (request, twins)
        shape = self._shapes.pop(key, None)
        if shape is None:
            check_request(request)
            shape = Shape(self.rows, request, twins=twins, patience=self._patience)
            self._make_way()
        self._shapes[key] = shape
        return shape

    def _make_way(self) -> None:
        """Forget the shapes that were not asked for longest, until the others are few enough."""
        shapes = self._shapes
        kept = sum(shape.kept for shape in shapes.values())
        cells = sum(shape.cells for shape in shapes.values()) + self.rows.room
        while shapes and (len(shapes) >= _SHAPES or kept > _KEPT_TREES or cells > _KEPT_CELLS):
            oldest = shapes.pop(next(iter(shapes)))
            kept -= oldest.kept
            cells -= oldest.cells

    def _search(
        self,
        request: PlacementRequest,
        twins: bool,
        only: Sequence[ProviderId] | None = None,
        *,
        following: bool = True,
    ) -> Iterator[FoundCandidate]:
        """Return candidates, first of each tree, second of each ...; locked while it looks.

        With `following` it looks at the rows as they are whenever it goes on.
        """
        # None: all, by their ids.
        trees: Sequence[ProviderId] | None = only
        seen: set[tuple[object, object]] = set()
        number = 0
        while trees is None or trees:
            further: list[ProviderId] = []
            chunk: Sequence[ProviderId]
            last, at, size = ProviderId(""), 0, 1
            while True:
                with self.lock:
                    if following:
                        self.refresh()
                    shape = self._shape(request, twins)
                    if trees is None:
                        chunk = self._next_trees(shape, last, size)
                    else:
                        chunk, at = trees[at : at + size], at + size
                    if not chunk:
                        break
                    last, size = chunk[-1], min(2 * size, _CHUNK)
                    found = self._of_trees(shape, chunk, number, further, seen)
                yield from found
            trees = further
            number += 1

    def _next_trees(self, shape: Shape, last: ProviderId, size: int) -> list[ProviderId]:
        """Return the next few trees after `last` that may take the request."""
        open_trees, name = shape.open_trees(), self.rows.id
        start = bisect_right(open_trees, last, key=name) if last else 0
        return [name(row) for row in open_trees[start : start + size].tolist()]

    def _of_trees(
        self,
        shape: Shape,
        trees: Sequence[ProviderId],
        number: int,
        further: list[ProviderId],
        seen: set[tuple[object, object]],
    ) -> list[FoundCandidate]:
        """Return the candidates of this number on some trees; note the trees that may have more."""
        rows, result = self.rows, []
        shared = {rows.id(lender.row) for lender in shape.lenders}
        for root in trees:
            row = rows.row(root)
            found = None if row is None else shape.candidate(row, number)
            if row is None or found is None:
                continue
            if shape.may_have_more(row):
                further.append(root)
            if shared:
                way = found.candidate
                if all(p in shared for serving in way.mappings.values() for p in serving):
                    # Only sharing providers serve it: other trees may lead to the same.
                    key = (way.allocation, way.mappings)
                    if key in seen:
                        continue
                    seen.add(key)
            result.append(found)
        return result

    def _shares_tree(self, candidate: Candidate) -> bool:
        roots = self._roots_of(candidate)
        return len(set(roots)) < len(roots)

    def _roots_of(self, candidate: Candidate) -> list[int]:
        rows = self.rows
        at = map(rows.row, candidate.allocation)
        return [int(rows.root[row]) for row in at if row is not None]

    def _trees_of(self, candidates: Sequence[FoundCandidate]) -> tuple[TreeSummary, ...]:
        roots = (root for found in candidates for root in self._roots_of(found.candidate))
        return tuple([self._summaries.of(root) for root in dict.fromkeys(roots)])
