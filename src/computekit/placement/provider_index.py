"""All providers of a placement, ready to be searched; a replica that follows the rows."""

import threading
from collections.abc import Iterable, Iterator

from computekit.ids import ProviderId
from computekit.model import FrozenMap, PlacementRequest, RequestGroup
from computekit.placement.fit import check_request, fits
from computekit.placement.found import Found, FoundCandidate, TreeSummary
from computekit.placement.plan import plan_of
from computekit.placement.ports import PROVIDER_CHANGED, PlacementReader, ProviderUse
from computekit.placement.service import Candidate, CandidatePage, ProviderNode, ProviderSummary
from computekit.placement.tree_pattern import SHARES, can_serve
from computekit.work import Store

__all__ = ["ProviderIndex"]


class ProviderIndex:
    """The providers of a placement, searched for where a request fits.

    Answers are those of the rows when it was last refreshed, and every method may be called by
    several threads.

    Args:
        store: whose commits are followed; None: follows nothing.
        books: where the rows are read.
    """

    def __init__(self, store: Store | None = None, books: PlacementReader | None = None) -> None:
        self.lock: threading.RLock = threading.RLock()
        self._store = store
        self._books = books
        self._head: int | None = None
        self._uses: dict[ProviderId, ProviderUse] = {}

    @classmethod
    def of(cls, uses: Iterable[ProviderUse]) -> "ProviderIndex":
        """Return an index of these providers that follows nothing."""
        index = cls()
        index._uses = {use.provider.id: use for use in uses}
        return index

    def refresh(self) -> None:
        """Bring the index up to what is committed; an index that follows nothing stays as it is.

        Raises:
            StoreUnavailable: the rows cannot be read; the index is as it was.
        """
        if self._store is None or self._books is None:
            return
        with self.lock:
            head = self._store.head()
            if head == self._head:
                return
            news = None if self._head is None else self._store.changes(self._head)
            if news is None:
                self._uses = {use.provider.id: use for use in self._books.uses()}
                self._head = head
                return
            ids = frozenset(
                ProviderId(change.key) for change in news.changes if change.kind == PROVIDER_CHANGED
            )
            read = self._books.uses(ids) if ids else ()
            for provider in ids:
                self._uses.pop(provider, None)
            for use in read:
                self._uses[use.provider.id] = use
            self._head = news.head

    def providers(
        self, matching: RequestGroup | None = None, *, name: str | None = None
    ) -> tuple[ProviderNode, ...]:
        """Return what `PlacementService.providers` says."""
        with self.lock:
            group = RequestGroup("_") if matching is None else matching
            suffixed = RequestGroup(
                "_",
                group.resources,
                group.required,
                group.forbidden,
                group.member_of,
                group.not_member_of,
                group.in_tree,
            )
            (kind,) = plan_of(PlacementRequest((suffixed,))).kinds
            at = None if kind.in_tree is None else self._uses.get(kind.in_tree)
            return tuple(
                ProviderNode(p.id, p.name, p.generation, use.root, p.parent)
                for use in sorted(self._uses.values(), key=lambda u: u.provider.id)
                for p in (use.provider,)
                if name is None or p.name == name
                if can_serve(
                    kind,
                    use,
                    root_aggregates=frozenset(),
                    in_tree=kind.in_tree is None or (at is not None and at.root == use.root),
                )
            )

    def candidates(self, request: PlacementRequest, *, twins: bool = False) -> Iterator[Candidate]:
        """Return the ways to serve a request one by one, each found when it is asked for.

        The first of each tree by the id of its root, then the second of each ... This order is
        the same in every process. A tree that changes in the meantime is judged as it is then.

        Args:
            request: what is asked.
            twins: also give ways that differ only by which of several alike providers serve which
                of several alike groups; without it they are given once.

        Raises:
            InvalidInput: with every fault of the request.
        """
        for found in self._search(request, twins):
            yield found.candidate

    def found(
        self,
        request: PlacementRequest,
        *,
        limit: int | None = None,
        twins: bool = False,
        one_per_tree: bool = False,
    ) -> Found:
        """Return the answer to a search in pieces that stay the same objects while they hold.

        Args:
            request: what is asked.
            limit: the most candidates, at least 1.
            twins: as in `candidates`.
            one_per_tree: leave out candidates that take of two providers of one tree (what the
                Placement API gives below microversion 1.29).

        Raises:
            InvalidInput: with every fault of the request.
        """
        with self.lock:
            self.refresh()
            candidates: list[FoundCandidate] = []
            for found in self._search(request, twins):
                roots = [self._uses[p].root for p in found.candidate.allocation]
                if one_per_tree and len(set(roots)) < len(roots):
                    continue
                candidates.append(found)
                if limit is not None and len(candidates) >= limit:
                    break
            roots = [self._uses[p].root for f in candidates for p in f.candidate.allocation]
            return Found(tuple(candidates), tuple(map(self._summary, dict.fromkeys(roots))))

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

    def _search(self, request: PlacementRequest, twins: bool) -> Iterator[FoundCandidate]:
        check_request(request)
        self.refresh()
        trees: dict[ProviderId, list[ProviderUse]] = {}
        for use in sorted(self._uses.values(), key=lambda u: (u.root, u.provider.name)):
            trees.setdefault(use.root, []).append(use)
        sharing = [use for use in self._uses.values() if SHARES in use.provider.traits]
        running = []
        for root in sorted(trees):
            tree = sorted(trees[root], key=lambda u: u.provider.parent is not None)
            groups = {a for use in tree for a in use.provider.aggregates}
            near = [s for s in sharing if s.root != root and s.provider.aggregates & groups]
            running.append((root, fits(tree, request, near, twins=twins)))
        seen: set[Candidate] = set()
        while running:
            still = []
            for root, ways in running:
                fit = next(ways, None)
                if fit is None:
                    continue
                still.append((root, ways))
                if all(self._uses[p].root != root for ps in fit.mappings.values() for p in ps):
                    same = Candidate(ProviderId(""), fit.allocation, fit.mappings)
                    if same in seen:
                        continue
                    seen.add(same)
                yield FoundCandidate(Candidate(root, fit.allocation, fit.mappings))
            running = still

    def _summary(self, root: ProviderId) -> TreeSummary:
        members = [use for use in self._uses.values() if use.root == root]
        return TreeSummary(root, tuple(_summary(use) for use in members))


def _summary(use: ProviderUse) -> ProviderSummary:
    p = use.provider
    capacity = {name: inventory.capacity for name, inventory in p.inventories.items()}
    used = {name: use.used.get(name, 0) for name in capacity}
    return ProviderSummary(p.id, use.root, p.parent, FrozenMap(capacity), FrozenMap(used), p.traits)
