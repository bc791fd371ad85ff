"""Bodies whose members come and go with microversions: declared once, as types.

A member says in its annotation since when and until when it is there. Requests are held against
that, answers leave out what their reader does not know, and the OpenAPI document says it.
"""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property, lru_cache
from types import MappingProxyType
from typing import Generic, TypeVar, cast, get_args

import msgspec
from jsonschema import Draft202012Validator

from computekit.errors import Fault, InvalidInput
from computekit.http.placement.body import json_schema

__all__ = ["Body", "between", "said", "since", "until"]

T = TypeVar("T")

_MOST_FAULTS = 50
"""Faults of one body that are listed."""
_NOTHING: Mapping[str, object] = MappingProxyType({})


def between(
    first: int | None, last: int | None, schema: Mapping[str, object] = _NOTHING
) -> msgspec.Meta:
    """Return the annotation of a member that microversions 2.`first` to 2.`last` have."""
    notes: dict[str, object] = {}
    if first is not None:
        notes["x-since"] = f"2.{first}"
    if last is not None:
        notes["x-until"] = f"2.{last}"
    return msgspec.Meta(
        extra={"since": first or 0, "until": last or 1_000_000},
        extra_json_schema={**notes, **schema},
    )


def since(first: int) -> msgspec.Meta:
    """Return the annotation of a member that 2.`first` has brought."""
    return between(first, None)


def until(last: int) -> msgspec.Meta:
    """Return the annotation of a member that 2.`last` was the last to have."""
    return between(None, last)


class _Member(msgspec.Struct, frozen=True):
    attribute: str
    name: str
    first: int
    last: int


@cache
def _members(kind: type[msgspec.Struct]) -> tuple[_Member, ...]:
    found: list[_Member] = []
    for field in msgspec.structs.fields(kind):
        first, last = 0, 1_000_000
        for meta in (part for part in get_args(field.type) if isinstance(part, msgspec.Meta)):
            extra = meta.extra or {}
            first, last = int(extra.get("since", first)), int(extra.get("until", last))
        found.append(_Member(field.name, field.encode_name, first, last))
    return tuple(found)


@lru_cache(maxsize=4096)
def _shown(kind: type[msgspec.Struct], minor: int) -> tuple[tuple[str, str], ...]:
    return tuple((it.attribute, it.name) for it in _members(kind) if it.first <= minor <= it.last)


def said(value: object, minor: int) -> object:
    """Return a value as plain data, without what 2.`minor` does not have."""
    if isinstance(value, msgspec.Struct):
        return {
            name: said(member, minor)
            for attribute, name in _shown(type(value), minor)
            if (member := getattr(value, attribute)) is not msgspec.UNSET
        }
    if isinstance(value, list | tuple):
        return [said(item, minor) for item in value]
    if isinstance(value, dict):
        return {key: said(item, minor) for key, item in value.items()}
    return value


class Body(Generic[T]):
    """What a request says, in every microversion.

    Args:
        kind: a `msgspec.Struct`.
    """

    def __init__(self, kind: type[T]) -> None:
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind, strict=False)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(json_schema(self.kind))

    def parse(self, body: bytes, minor: int) -> T:
        """Return what `body` says to somebody who speaks 2.`minor`.

        Raises:
            InvalidInput: it is not JSON, breaks the schema, or has what this version does not
                know; every fault at once.
        """
        try:
            value = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidInput(self._faults(body, minor, error)) from None
        faults = tuple(_untimely(value, minor, ""))
        if faults:
            raise InvalidInput(faults)
        return value

    def _faults(self, body: bytes, minor: int, error: Exception) -> tuple[Fault, ...]:
        try:
            value = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return (Fault("body", "malformed", f"this is no JSON: {error}"),)
        faults: list[Fault] = []
        for wrong in self._validator.iter_errors(value):
            path = ".".join(str(part) for part in wrong.absolute_path) or "body"
            faults.append(Fault(path, str(wrong.validator), str(wrong.message)[:500]))
            if len(faults) >= _MOST_FAULTS:
                break
        return tuple(faults) or (Fault("body", "invalid", str(error)),)


def _untimely(value: object, minor: int, path: str) -> Iterator[Fault]:
    if isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _untimely(item, minor, f"{path}[{at}]")
    if not isinstance(value, msgspec.Struct):
        return
    for member in _members(type(value)):
        there = getattr(value, member.attribute)
        if there is msgspec.UNSET:
            continue
        here = f"{path}.{member.name}" if path else member.name
        if not member.first <= minor <= member.last:
            when = f"since 2.{member.first}" if minor < member.first else f"until 2.{member.last}"
            yield Fault(here, "microversion", f"is known {when}; this request speaks 2.{minor}")
        yield from _untimely(cast("object", there), minor, here)
