"""One JSON object of a configuration while it is read; every fault is kept with its place."""

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from computekit.errors import Fault

__all__ = ["Entry", "JsonObject", "entries", "near", "parse_json"]

T = TypeVar("T")

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
_HEX_ID = re.compile(r"[0-9a-fA-F]+\Z")


class JsonObject(dict[str, object]):
    """A JSON object that remembers which keys stood in it twice."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        listed = list(pairs)
        super().__init__(listed)
        names = [key for key, _value in listed]
        twice = {name for name in names if names.count(name) > 1}
        self.twice: tuple[str, ...] = tuple(sorted(twice))


def parse_json(text: str) -> object:
    """Return what the JSON `text` says.

    Raises:
        ValueError: it is none; the message says where.
    """
    try:
        found: object = json.loads(text, object_pairs_hook=JsonObject)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return found


def entries(
    option: str, occurrences: Iterable[object], faults: list[Fault], *, code: str, lists: bool
) -> Iterator["Entry"]:
    """Return each object among the occurrences of an option.

    Args:
        option: its name, with which paths begin.
        occurrences: JSON in a string, or what a file's own syntax made: an object, or a list.
        faults: where what is no object goes.
        code: prefix of the fault codes: `S` for specs, `A` for aliases.
        lists: whether an occurrence may be a list of objects.
    """
    for at, occurrence in enumerate(occurrences):
        path = f"{option}[{at}]"
        value = occurrence
        if isinstance(value, str):
            try:
                value = parse_json(value)
            except ValueError as error:
                faults.append(Fault(path, f"{code}01", f"this is no JSON: {error}"))
                continue
        if isinstance(value, list) and lists:
            for inner, item in enumerate(value):
                yield from _entry(f"{path}[{inner}]", item, faults, code)
        else:
            yield from _entry(path, value, faults, code)


def _entry(path: str, value: object, faults: list[Fault], code: str) -> Iterator["Entry"]:
    if not isinstance(value, dict):
        message = f"{_kind(value)} stands where an object like {{...}} is wanted"
        faults.append(Fault(path, f"{code}01", message))
        return
    faults.extend(
        Fault(f"{path}.{name}", f"{code}02", "the key stands here twice")
        for name in (value.twice if isinstance(value, JsonObject) else ())
    )
    yield Entry(path, {str(key): inner for key, inner in value.items()}, faults, code)


def near(word: str, known: Collection[str]) -> str:
    """Return `; did you mean X?` if one of the known words is near, else nothing."""
    plain = {name.lower().replace("-", "_"): name for name in known}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), plain, n=1, cutoff=0.75)
    return f"; did you mean {plain[found[0]]!r}?" if found else ""


class Entry:
    """The keys of one object, each taken as a type; what does not fit becomes a fault."""

    def __init__(
        self, path: str, values: Mapping[str, object], faults: list[Fault], code: str
    ) -> None:
        self.path = path
        self.values = values
        self._faults = faults
        self._code = code

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def fault(self, key: str, code: str, message: str) -> None:
        """Keep a fault at a key, or at the object itself if the key is empty."""
        self._faults.append(Fault(f"{self.path}.{key}" if key else self.path, code, message))

    def text(self, key: str) -> str | None:
        """Return the string at a key; None if there is none."""
        value = self.values.get(key)
        if key not in self.values or isinstance(value, str):
            return value if isinstance(value, str) else None
        self.fault(key, f"{self._code}03", f"{_kind(value)} stands where a string is wanted")
        return None

    def flag(self, key: str) -> bool | None:
        """Return the yes or no at a key; None if there is none."""
        value = self.values.get(key)
        if key not in self.values or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        word = value.strip().lower() if isinstance(value, str) else ""
        if word in _TRUE | _FALSE:
            return word in _TRUE
        self.fault(key, f"{self._code}04", f"{_shown(value)} is neither yes nor no")
        return None

    def hex_id(self, key: str, *, star: bool) -> int | None:
        """Return the id at a key, 0 to FFFF; None if there is none, or it is `*` for any."""
        value = self.text(key)
        if value is None or (star and value.strip() == "*"):
            return None
        word = value.strip().removeprefix("0x")
        if _HEX_ID.match(word) is None:
            self.fault(key, f"{self._code}05", f"{_shown(value)} is no hexadecimal id like 10de")
        elif int(word, 16) > 0xFFFF:
            self.fault(key, f"{self._code}05", f"{_shown(value)} is above ffff")
        else:
            return int(word, 16)
        return None

    def number(self, key: str, low: int, high: int) -> int | None:
        """Return the whole number at a key, as a number or in a string."""
        value = self.values.get(key)
        if key not in self.values:
            return None
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        message = f"{_shown(value)} is no whole number from {low} to {high}"
        self.fault(key, f"{self._code}06", message)
        return None

    def parsed(self, key: str, parse: Callable[[str], T], code: str) -> T | None:
        """Return what `parse` makes of the string at a key; its ValueError becomes a fault."""
        text = self.text(key)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.fault(key, code, str(error))
            return None

    def choice(self, key: str, known: Mapping[str, T], code: str) -> T | None:
        """Return what the word at a key stands for."""
        text = self.text(key)
        if text is None:
            return None
        if text in known:
            return known[text]
        message = f"{_shown(text)} is none of {', '.join(known)}{near(text, known)}"
        self.fault(key, code, message)
        return None


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def _shown(value: object) -> str:
    return repr(value)[:42]
