"""The answer to one candidate search, in pieces that stay the same objects while nothing changes.

An edge that turns answers into bytes keeps them in `encoded` of the piece that they are of, under
a key of its own. A piece is replaced as soon as what it says is no longer so, and with it goes
what was kept; the next answer is then put together from the pieces that are still good.
"""

from collections.abc import Hashable

import attrs

from computekit.ids import ProviderId
from computekit.model import FrozenMap
from computekit.placement.service import Candidate, CandidatePage, ProviderSummary

__all__ = ["Found", "FoundCandidate", "TreeSummary"]


@attrs.frozen(eq=False)
class FoundCandidate:
    """A candidate that a search gives as long as it holds.

    Attributes:
        candidate: the way to serve the request.
        encoded: what edges made of it.
    """

    candidate: Candidate
    encoded: dict[Hashable, bytes] = attrs.field(factory=dict, repr=False, init=False)


@attrs.frozen(eq=False)
class TreeSummary:
    """Every provider of one tree, as long as none of them changes.

    Attributes:
        root: of the tree.
        providers: the root first, then depth first.
        encoded: what edges made of it.
    """

    root: ProviderId
    providers: tuple[ProviderSummary, ...]
    encoded: dict[Hashable, bytes] = attrs.field(factory=dict, repr=False, init=False)


@attrs.frozen(eq=False)
class Found:
    """The answer to a search; the same object for the same question while nothing changes at all.

    Attributes:
        candidates: the first of each tree by the id of its root, then the second of each ...
        trees: each tree that one of them takes something of, in the order of first mention.
        encoded: what edges made of the whole.
    """

    candidates: tuple[FoundCandidate, ...]
    trees: tuple[TreeSummary, ...]
    encoded: dict[Hashable, bytes] = attrs.field(factory=dict, repr=False, init=False)

    def page(self) -> CandidatePage:
        """Return the answer as one value."""
        return CandidatePage(
            tuple(found.candidate for found in self.candidates),
            FrozenMap({p.id: p for tree in self.trees for p in tree.providers}),
        )
