"""Conditions on a host's values, as extra specs write them: `>= 5`, `<in> avx`, `<or> a <or> b`.

Source of the rules: Nova's operators for `capabilities:` and aggregate metadata. A condition is
parsed once, when it is written; judging a value can then not fail.
"""

import math
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType

import attrs

__all__ = ["Condition", "parse_condition"]

_Number = Callable[[float, float], bool]
_Word = Callable[[str, str], bool]

_NUMBERS: Mapping[str, _Number] = MappingProxyType(
    {"=": ge, "==": eq, "!=": ne, ">=": ge, "<=": le}
)
_WORDS: Mapping[str, _Word] = MappingProxyType(
    {"s==": eq, "s!=": ne, "s<": lt, "s<=": le, "s>": gt, "s>=": ge}
)
_SETS = ("<in>", "<all-in>", "<or>")


@attrs.frozen
class Condition:
    """What a value must be.

    Attributes:
        text: as it was written.
        operator: `=` (which means "at least"), `==`, `!=`, `>=`, `<=` on numbers; `s==`, `s!=`,
            `s<`, `s<=`, `s>`, `s>=` on words; `<in>`, `<all-in>` (parts of the value), `<or>`;
            "" if the value must be the text.
        operands: one, but for `<all-in>` and `<or>` one or more.
    """

    text: str
    operator: str = ""
    operands: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Return whether `value` is as wanted; a value that is not there, or no number, is not."""
        if value is None:
            return False
        if not self.operator:
            return value == self.text
        if self.operator == "<or>":
            return value in self.operands
        if self.operator in {"<in>", "<all-in>"}:
            return all(part in value for part in self.operands)
        if (word := _WORDS.get(self.operator)) is not None:
            return word(value, self.operands[0])
        number, wanted = _number(value), _number(self.operands[0])
        if number is None or wanted is None:
            return False
        return _NUMBERS[self.operator](number, wanted)

    def __str__(self) -> str:
        return self.text


def parse_condition(text: str) -> Condition:
    """Return the condition that `text` says.

    Text that does not begin with an operator is the value itself. Of an operator that takes one
    operand, what comes after it is not looked at (as Nova does).

    Raises:
        ValueError: an operator lacks its operand, or a number is none.
    """
    operator, *operands = text.split() or [""]
    if operator in _NUMBERS or operator in _WORDS or operator == "<in>":
        operands = operands[:1]
    elif operator == "<or>":
        operands = operands[::2]
    elif operator not in _SETS:
        return Condition(text)
    if not operands:
        raise ValueError(f"{operator} needs something after it")
    if operator in _NUMBERS and _number(operands[0]) is None:
        raise ValueError(f"{operator} compares numbers; {operands[0][:40]!r} is none")
    return Condition(text, operator, tuple(operands))


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return None if math.isnan(found) else found
