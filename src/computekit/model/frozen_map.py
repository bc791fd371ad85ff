"""An immutable, hashable mapping."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

__all__ = ["FrozenMap"]

K = TypeVar("K")
V = TypeVar("V", covariant=True)


class FrozenMap(Mapping[K, V]):
    """A mapping that cannot change; equal maps have equal hashes, order does not count."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        self._items: dict[K, V] = dict(items)
        self._hash: int | None = None

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def replace(self, key: K, value: V) -> "FrozenMap[K, V]":  # type: ignore[misc]  # K, V read-only
        """Return a map in which `key` has `value`."""
        return FrozenMap({**self._items, key: value})

    def without(self, key: K) -> "FrozenMap[K, V]":
        """Return a map that lacks `key`."""
        return FrozenMap({k: v for k, v in self._items.items() if k != key})
