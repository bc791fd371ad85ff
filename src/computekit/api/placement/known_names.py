"""Which custom resource classes and traits exist: what is asked about others is refused."""

import threading
from collections.abc import Iterable

from computekit.errors import Fault, InvalidInput
from computekit.model import PlacementRequest, RequestGroup, ResourceClass, Trait
from computekit.placement.names import standard_classes, standard_traits
from computekit.placement.ports import CLASS_CHANGED, TRAIT_CHANGED, PlacementReader
from computekit.work import Store

__all__ = ["UNKNOWN_CLASS", "UNKNOWN_TRAIT", "KnownNames"]

UNKNOWN_CLASS = "resource_class.unknown"
UNKNOWN_TRAIT = "trait.unknown"
"""`Fault.code` of a name that does not exist; `Fault.path` is the name."""


class KnownNames:
    """The names that exist, read again only when one came or went.

    Args:
        store: whose commits are followed.
        books: where names are read.
    """

    def __init__(self, store: Store, books: PlacementReader) -> None:
        self._store = store
        self._books = books
        self._lock = threading.Lock()
        self._head: int | None = None
        self._classes: frozenset[str] = frozenset()
        self._traits: frozenset[str] = frozenset()

    def check_request(self, request: PlacementRequest) -> None:
        """Check all names of a request for candidates, those of the root first.

        Raises:
            InvalidInput: with every name that does not exist.
        """
        self.check((name for group in request.groups for name in group.resources), ())
        self.check((), request.root_required | request.root_forbidden)
        for group in request.groups:
            self.check((), _traits(group))

    def check_group(self, group: RequestGroup) -> None:
        """Check all names of one group.

        Raises:
            InvalidInput: with every name that does not exist.
        """
        self.check(group.resources, _traits(group))

    def check(self, classes: Iterable[ResourceClass], traits: Iterable[Trait]) -> None:
        """Check names.

        Raises:
            InvalidInput: with every name that does not exist.
        """
        if (unknown := self.unknown(classes, traits)) is not None:
            raise unknown

    def unknown(
        self, classes: Iterable[ResourceClass], traits: Iterable[Trait]
    ) -> InvalidInput | None:
        """Return an error with every name that does not exist, or None; not inside a write."""
        odd_classes = set(classes) - standard_classes().keys()
        odd_traits = set(traits)
        if odd_traits:
            odd_traits -= standard_traits().keys()
        if not odd_classes and not odd_traits:
            return None
        self._refresh()
        faults = [
            Fault(name, code, f"No such {kind} {name}")
            for code, kind, odd, known in (
                (UNKNOWN_CLASS, "resource class", odd_classes, self._classes),
                (UNKNOWN_TRAIT, "trait", odd_traits, self._traits),
            )
            for name in sorted(odd - known)
        ]
        return InvalidInput(tuple(faults)) if faults else None

    def _refresh(self) -> None:
        with self._lock:
            head = self._store.head()
            if head == self._head:
                return
            news = None if self._head is None else self._store.changes(self._head)
            if news is None:
                self._read()
                self._head = head
                return
            if any(change.kind in (CLASS_CHANGED, TRAIT_CHANGED) for change in news.changes):
                self._read()
            self._head = news.head

    def _read(self) -> None:
        self._classes = frozenset(self._books.resource_classes())
        self._traits = frozenset(self._books.traits("CUSTOM_"))


def _traits(group: RequestGroup) -> set[Trait]:
    return {trait for one_of in group.required for trait in one_of} | group.forbidden
