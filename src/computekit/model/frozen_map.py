"""An immutable, hashable mapping."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TypeVar, overload

__all__ = ["FrozenMap"]

K = TypeVar("K")
V = TypeVar("V", covariant=True)
D = TypeVar("D")


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

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return super().__eq__(other)

    # What a dictionary does itself is several times as fast as what `Mapping` builds upon it.

    def __contains__(self, key: object) -> bool:
        return key in self._items

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: D, /) -> V | D: ...
    def get(self, key: K, default: object = None, /) -> object:
        return self._items.get(key, default)

    def keys(self) -> KeysView[K]:
        return self._items.keys()

    def values(self) -> ValuesView[V]:
        return self._items.values()

    def items(self) -> ItemsView[K, V]:
        return self._items.items()

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def replace(self, key: K, value: V) -> "FrozenMap[K, V]":  # type: ignore[misc]  # K, V read-only
        """Return a map in which `key` has `value`."""
        return FrozenMap({**self._items, key: value})

    def without(self, key: K) -> "FrozenMap[K, V]":
        """Return a map that lacks `key`."""
        return FrozenMap({k: v for k, v in self._items.items() if k != key})
