"""Nova's JSON filter: an expression over attributes of the host, given as the hint `query`.

`[">=", "$free_ram_mb", 1024]`; `and`, `or`, `not` take expressions, `in` asks whether the first is
one of the others, the comparisons hold of the first against each of the others. An attribute that
a host does not have is left out of the arguments. A host on which something is compared that
cannot be (a word with a number) does not match.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import eq, ge, gt, le, lt
from types import MappingProxyType
from typing import ClassVar, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.demands import Malformed, without_hints
from computekit.scheduler.host_attributes import Path, attribute, is_standing
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.remembered import remembered
from computekit.scheduler.request import Request

__all__ = ["JsonFilter", "MeetsQuery", "parse_query"]

_HINT = "query"
_DEEPEST = 32
_MOST_PARTS = 64

_Result: TypeAlias = object
_INCOMPARABLE = object()
"""The result where a word was compared with a number."""

_Codes: TypeAlias = npt.NDArray[np.intp]


@attrs.frozen
class _Constant:
    value: str | int | float | bool


@attrs.frozen
class _Attribute:
    path: Path


@attrs.frozen
class _Call:
    operator: str
    arguments: "tuple[_Node, ...]"


_Node: TypeAlias = _Constant | _Attribute | _Call


def _compared(test: Callable[..., bool]) -> Callable[[Sequence[_Result]], _Result]:
    def holds(arguments: Sequence[_Result]) -> bool:
        if len(arguments) < 2:
            return False
        # Each is compared, so that what cannot be does not depend on the order.
        each = [test(arguments[0], other) for other in arguments[1:]]
        return all(each)

    return holds


def _is_among(arguments: Sequence[_Result]) -> bool:
    return len(arguments) > 1 and arguments[0] in arguments[1:]


def _each_not(arguments: Sequence[_Result]) -> _Result:
    return tuple(not argument for argument in arguments)


_OPERATORS: Mapping[str, Callable[[Sequence[_Result]], _Result]] = MappingProxyType(
    {
        "=": _compared(eq),
        "<": _compared(lt),
        ">": _compared(gt),
        "<=": _compared(le),
        ">=": _compared(ge),
        "in": _is_among,
        "not": _each_not,
        "or": any,
        "and": all,
    }
)


@attrs.frozen
class MeetsQuery:
    """An expression over attributes of the host is true.

    Attributes:
        text: as it was written.
    """

    text: str
    _root: _Node
    rule: ClassVar[str] = "query"

    @property
    def standing(self) -> bool:
        """Whether claims leave its answer as it is."""
        return all(map(is_standing, _paths(self._root)))

    @property
    def asked(self) -> str:
        return self.text

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        codes, results = _evaluated(self._root, fleet, rows)
        # Only "not" gives several answers; one that is true will do.
        passed = [
            any(found) if isinstance(found, tuple) else found is not _INCOMPARABLE and bool(found)
            for found in results
        ]
        return np.array(passed, dtype=np.bool_)[codes]

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        found: dict[str, object] = {}
        for path in _paths(self._root):
            (value,) = attribute(fleet, path, np.array([row])).values
            found[".".join(path)] = "not known" if value is None else value
        return ", ".join(f"{name} {value}" for name, value in found.items()) or "nothing"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"hint {_HINT}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_hints(request, (_HINT,))


def _evaluated(node: _Node, fleet: FleetIndex, rows: Rows) -> tuple[_Codes, list[_Result]]:
    """Return what a node is on each row: the number of a result, and the results.

    An operator runs once for each combination of arguments that there is.
    """
    if isinstance(node, _Constant):
        return np.zeros(len(fleet.up[rows]), np.intp), [node.value]
    if isinstance(node, _Attribute):
        read = attribute(fleet, node.path, rows)
        return read.codes, list(read.values)
    codes: _Codes = np.zeros(len(fleet.up[rows]), np.intp)
    combinations: list[tuple[_Result, ...]] = [()]
    for argument in node.arguments:
        further, results = _evaluated(argument, fleet, rows)
        both, codes = np.unique(codes * len(results) + further, return_inverse=True)
        codes = codes.reshape(-1)
        combinations = [
            (*combinations[at // len(results)], results[at % len(results)]) for at in both.tolist()
        ]
    return codes, [_applied(node.operator, combination) for combination in combinations]


def _applied(operator: str, arguments: tuple[_Result, ...]) -> _Result:
    if _INCOMPARABLE in arguments:
        return _INCOMPARABLE
    try:
        return _OPERATORS[operator]([value for value in arguments if value is not None])
    except TypeError:
        return _INCOMPARABLE


def _paths(node: _Node) -> Iterator[Path]:
    if isinstance(node, _Attribute):
        yield node.path
    elif isinstance(node, _Call):
        for argument in node.arguments:
            yield from _paths(argument)


def _parts(node: _Node) -> Iterator[_Node]:
    yield node
    if isinstance(node, _Call):
        for argument in node.arguments:
            yield from _parts(argument)


def parse_query(text: str) -> MeetsQuery | None:
    """Return the condition that a query states; None if it states nothing.

    Raises:
        ValueError: it is not JSON, not an expression, or names no operator.
    """
    try:
        raw: object = json.loads(text)
    except RecursionError:
        raise ValueError("nests too deeply") from None
    if not raw:
        return None
    if not isinstance(raw, list):
        raise ValueError("an expression is a list that begins with an operator")
    root = _parsed(raw, 0)
    if (parts := sum(1 for _ in _parts(root))) > _MOST_PARTS:
        raise ValueError(f"it has {parts} parts; {_MOST_PARTS} are allowed")
    return MeetsQuery(text, root)


def _parsed(raw: object, depth: int) -> _Node:
    if isinstance(raw, str):
        return _Attribute(tuple(raw[1:].split("."))) if raw.startswith("$") else _Constant(raw)
    if isinstance(raw, bool | int | float):
        return _Constant(raw)
    if not isinstance(raw, list):
        raise ValueError(f"{json.dumps(raw)[:40]} is neither a value nor an expression")
    if depth > _DEEPEST:
        raise ValueError("nests too deeply")
    if not raw:
        return _Constant(value=True)
    operator, *arguments = raw
    if not isinstance(operator, str) or operator not in _OPERATORS:
        raise ValueError(f"{json.dumps(operator)[:40]} is no operator")
    found = (_parsed(argument, depth + 1) for argument in arguments if argument is not None)
    return _Call(operator, tuple(found))


@attrs.frozen
class JsonFilter:
    """Asks a host for what the hint `query` says of its attributes, as JSON."""

    name: ClassVar[str] = "JsonFilter"

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        given = request.intent.hints.get(_HINT)
        return _queried(given) if given else ()


@remembered
def _queried(given: tuple[str, ...]) -> tuple[Predicate, ...]:
    text = given[0]
    if len(given) > 1:
        return (Malformed("query", ", ".join(given)[:80], "is given twice", "hint", _HINT),)
    try:
        found = parse_query(text) if text else None
    except ValueError as error:
        return (Malformed("query", text[:80], str(error), "hint", _HINT),)
    return () if found is None else (found,)
