"""Custom classes and traits, in dictionaries."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from computekit.errors import AlreadyExists, NotFound
from computekit.placement import rules
from computekit.units import Seconds
from computekit.work import MemoryTable, MemoryTx

__all__ = ["MemoryNames"]

N = TypeVar("N", bound=str)


class MemoryNames(Generic[N]):
    """Custom names of one kind, in the order they came.

    Args:
        kind: what they are, in words.
        change: the `Change.kind` that replicas are told.
        standard: the names that are always known.
    """

    def __init__(self, kind: str, change: str, standard: Iterable[N]) -> None:
        self._kind = kind
        self._change = change
        self._standard = dict.fromkeys(standard, Seconds(0.0))
        self._rows: MemoryTable[N, tuple[int, Seconds]] = MemoryTable()

    def known(self) -> dict[N, Seconds]:
        custom = sorted(self._rows.rows.items(), key=lambda row: row[1])
        return self._standard | {name: since_s for name, (_, since_s) in custom}

    def since(self, name: N) -> Seconds | None:
        if (row := self._rows.rows.get(name)) is not None:
            return row[1]
        return self._standard.get(name)

    def add(self, tx: MemoryTx, names: Iterable[N], now_s: Seconds) -> bool:
        """Make names known; return whether one is new."""
        new = sorted(n for n in names if n not in self._standard and n not in self._rows.rows)
        for name in new:
            number = 1 + max((n for n, _ in self._rows.rows.values()), default=0)
            self._rows.put(tx, name, (number, now_s))
            tx.changed(self._change, name)
        return bool(new)

    def rename(self, tx: MemoryTx, old: N, new: N, now_s: Seconds) -> None:
        self.check_there(old)
        rules.check_custom_name(new)
        if new in self._rows.rows:
            raise AlreadyExists(self._kind, new)
        number, _ = self._rows.rows[old]
        self._rows.remove(tx, old)
        self._rows.put(tx, new, (number, now_s))
        tx.changed(self._change, old)
        tx.changed(self._change, new)

    def remove(self, tx: MemoryTx, name: N) -> None:
        self._rows.remove(tx, name)
        tx.changed(self._change, name)

    def check_there(self, name: N) -> None:
        """Raise `NotFound` unless it is a custom name that is known."""
        rules.check_custom_name(name)
        if name not in self._rows.rows:
            raise NotFound(self._kind, name)
