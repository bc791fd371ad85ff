"""JSON to values of attrs classes: the types of the fields say what is right."""

import re
import types
from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.forms.constraints import Number, String, Unique, Whole
from computekit.forms.json_text import Json, Members, Unreadable
from computekit.model import FrozenMap

__all__ = ["fields_of", "kind_of", "read_form"]

T = TypeVar("T")
_MOST_FAULTS = 1_000
_SHOWN = 60
_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}
_ANY_TEXT = String(most=2**31, least=0)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class _Nothing(Exception):
    """A value has faults, which are written down."""


def read_form(value: Json, kind: type[T], root: str) -> T:
    """Return the value of an attrs class that JSON says.

    Types that a field may have: `str`, `int`, `float`, `bool`, `None`, literals, other attrs
    classes, tuples and frozensets of one type (arrays), `FrozenMap` from text (objects), unions of
    kinds that JSON tells apart; each may be annotated with a constraint.

    Args:
        value: as `read_json` gives it.
        kind: the class.
        root: what the whole is called in paths: `fleet`.

    Raises:
        InvalidInput: with every fault and its path, but for those after the first thousand.
    """
    reader = _Reader()
    try:
        found = reader.read(value, kind, root)
    except _Nothing:
        raise InvalidInput(tuple(reader.faults)) from None
    assert isinstance(found, kind)
    return found


@cache
def fields_of(kind: type[attrs.AttrsInstance]) -> dict[str, tuple[object, bool]]:
    """Return the type of each field of a class by its name, and whether it must be given."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        field.name: (hints[field.name], field.default is attrs.NOTHING)
        for field in attrs.fields(kind)
        if field.init
    }


@attrs.frozen
class Kind:
    """A type, taken apart.

    Attributes:
        bare: without its names and annotations.
        origin: of a generic type; None if it is none.
        arguments: of a generic type.
        notes: its annotations.
    """

    bare: object
    origin: object
    arguments: tuple[object, ...]
    notes: tuple[object, ...]


@cache
def kind_of(kind: object) -> Kind:
    """Return a type taken apart."""
    notes: tuple[object, ...] = ()
    while True:
        if get_origin(kind) is Annotated:
            kind, *more = get_args(kind)
            notes = (*more, *notes)
        elif isinstance(kind, NewType):
            kind = kind.__supertype__
        else:
            return Kind(kind, get_origin(kind), get_args(kind), notes)


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def read(self, value: Json, kind: object, path: str) -> object:
        """Return a value of a type; what is wrong with it is written down.

        Raises:
            _Nothing: something is.
        """
        of = kind_of(kind)
        bare, origin, arguments, notes = of.bare, of.origin, of.arguments, of.notes
        if origin is None and bare in _NAMES:
            return self._scalar(value, bare, notes, path)
        if origin is Union or origin is types.UnionType:
            return self._union(value, arguments, path)
        if origin is Literal:
            return self._literal(value, arguments, path)
        if origin is tuple or origin is frozenset:
            found = self._array(value, arguments[0], notes, path)
            return found if origin is tuple else frozenset(found)
        if origin is FrozenMap:
            return self._map(value, arguments[0], arguments[1], path)
        if isinstance(bare, type) and attrs.has(bare):
            return self._object(value, bare, path)
        return self._scalar(value, bare, notes, path)

    def _fault(self, path: str, code: str, message: str) -> _Nothing:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(path, code, message))
        return _Nothing()

    def _wrong(self, value: Json, path: str, wanted: str) -> _Nothing:
        if isinstance(value, Unreadable):
            return self._fault(path, "out_of_range", f"{value.text[:_SHOWN]} is no finite number")
        return self._fault(path, "wrong_type", f"{_called(value)} in place of {wanted}")

    def _union(self, value: Json, kinds: tuple[object, ...], path: str) -> object:
        for kind in kinds:
            if _matches(value, kind):
                return self.read(value, kind, path)
        raise self._wrong(value, path, " or ".join(_wanted(kind) for kind in kinds))

    def _literal(self, value: Json, words: tuple[object, ...], path: str) -> object:
        if isinstance(value, str) and value in words:
            return value
        known = ", ".join(str(word) for word in words)
        if not isinstance(value, str):
            raise self._wrong(value, path, f"one of {known}")
        raise self._fault(path, "invalid_value", f"{_quoted(value)} is none of {known}")

    def _array(
        self, value: Json, kind: object, notes: tuple[object, ...], path: str
    ) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise self._wrong(value, path, "an array")
        before = len(self.faults)
        found: list[object] = []
        for at, one in enumerate(value):
            try:
                found.append(self.read(one, kind, f"{path}[{at}]"))
            except _Nothing:
                continue
        for note in notes:
            if isinstance(note, Unique):
                self._unique(value, note.member, path)
        if len(self.faults) > before:
            raise _Nothing
        return tuple(found)

    def _unique(self, values: list[Json], member: str, path: str) -> None:
        first: dict[str, int] = {}
        for at, value in enumerate(values):
            pairs = value.pairs if isinstance(value, Members) else ()
            name = next((found for key, found in pairs if key == member), None)
            if isinstance(name, str) and first.setdefault(name, at) != at:
                message = f"{_quoted(name)} is that of {path}[{first[name]}] too"
                self._fault(f"{path}[{at}].{member}", "duplicate", message)

    def _pairs(self, value: Json, path: str) -> dict[str, Json]:
        if not isinstance(value, Members):
            raise self._wrong(value, path, "an object")
        found: dict[str, Json] = {}
        for name, member in value.pairs:
            if name in found:
                self._fault(_member(path, name), "duplicate", "is given more than once")
            found[name] = member
        return found

    def _map(self, value: Json, key: object, kind: object, path: str) -> object:
        before = len(self.faults)
        found: dict[object, object] = {}
        for name, member in self._pairs(value, path).items():
            where = _member(path, name)
            try:
                read_name = self.read(name, key, where)
                found[read_name] = self.read(member, kind, where)
            except _Nothing:
                continue
        if len(self.faults) > before:
            raise _Nothing
        return FrozenMap(found)

    def _object(self, value: Json, kind: type[attrs.AttrsInstance], path: str) -> object:
        before = len(self.faults)
        members, fields = self._pairs(value, path), fields_of(kind)
        for name in members:
            if name not in fields:
                near = get_close_matches(name, fields, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"
                self._fault(_member(path, name), "unknown_key", f"is not known; {hint}")
        found: dict[str, object] = {}
        for name, (of_field, needed) in fields.items():
            if name in members:
                try:
                    found[name] = self.read(members[name], of_field, f"{path}.{name}")
                except _Nothing:
                    continue
            elif needed:
                self._fault(f"{path}.{name}", "missing", "is needed")
        if len(self.faults) > before:
            raise _Nothing
        # The types of the fields were read one by one, which no checker of types can follow.
        make: Callable[..., Any] = kind
        made: object = make(**found)
        return made

    def _scalar(self, value: Json, kind: object, notes: tuple[object, ...], path: str) -> object:
        if not _matches(value, kind):
            raise self._wrong(value, path, _wanted(kind))
        if isinstance(value, int) and kind is float:
            value = float(value) if abs(value) < 2**1000 else Unreadable(str(value)[:_SHOWN])
            if isinstance(value, Unreadable):
                raise self._wrong(value, path, "a number")
        if isinstance(value, str):
            self._text(value, next((n for n in notes if isinstance(n, String)), _ANY_TEXT), path)
        for note in notes:
            message = None
            if isinstance(note, Whole) and isinstance(value, int):
                message = note.wrong(value)
            if isinstance(note, Number) and isinstance(value, float):
                message = note.wrong(value)
            if message is not None:
                raise self._fault(path, "out_of_range", message)
        return value

    def _text(self, value: str, rule: String, path: str) -> None:
        if (found := _UNPRINTABLE.search(value)) is not None:
            surrogate = found[0] >= "\ud800"
            what = "half of a surrogate pair" if surrogate else "control characters"
            raise self._fault(path, "malformed", f"has {what}")
        if not rule.least <= len(value) <= rule.most:
            message = f"has {len(value)} characters, not {rule.least} to {rule.most}"
            raise self._fault(path, "out_of_range", message)
        if rule.pattern is not None and re.fullmatch(rule.pattern, value) is None:
            raise self._fault(path, "malformed", f"{_quoted(value)} is not {rule.what}")


def _matches(value: Json, kind: object) -> bool:
    """Return whether JSON of this kind can be meant by a type."""
    of = kind_of(kind)
    bare, origin = of.bare, of.origin
    if bare is None or bare is type(None):
        return value is None
    if bare is bool:
        return isinstance(value, bool)
    if bare is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if bare is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if bare is str or origin is Literal:
        return isinstance(value, str)
    if origin is tuple or origin is frozenset:
        return isinstance(value, list)
    return isinstance(value, Members)


def _wanted(kind: object) -> str:
    of = kind_of(kind)
    for note in of.notes:
        if isinstance(note, String):
            return note.what
    if of.bare is None or of.bare is type(None):
        return "null"
    for known, name in _NAMES.items():
        if of.bare is known:
            return name
    return "an array" if of.origin in {tuple, frozenset} else "an object"


def _called(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {str(value)[:_SHOWN]}"
        case str():
            return f"the text {_quoted(value)}"
        case list():
            return "an array"
        case _:
            return "an object"


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else text[: _SHOWN - 2] + "..")


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if _PLAIN_NAME.match(name) else f"{path}[{_quoted(name)}]"
