"""Values and errors as JSON text, for rows and messages."""

import json
from enum import Enum
from types import UnionType
from typing import TypeVar, Union, get_args, get_origin

import cattrs
from cattrs.preconf.json import JsonConverter, make_converter

from computekit.errors import ComputekitError, RemoteError, error_types
from computekit.model.frozen_map import FrozenMap

__all__ = ["decode", "decode_error", "encode", "encode_error"]

T = TypeVar("T")


def _make() -> JsonConverter:
    converter = make_converter(forbid_extra_keys=True)

    def is_map(kind: object) -> bool:
        return kind is FrozenMap or getattr(kind, "__origin__", None) is FrozenMap

    def dump_map(value: FrozenMap[object, object]) -> object:
        return {converter.unstructure(k): converter.unstructure(v) for k, v in value.items()}

    def load_map(value: object, kind: type) -> FrozenMap[object, object]:
        key_type, value_type = getattr(kind, "__args__", (str, str))
        if not isinstance(value, dict):
            raise ValueError("an object is needed here")
        return FrozenMap(
            {
                converter.structure(k, key_type): converter.structure(v, value_type)
                for k, v in value.items()
            }
        )

    def load_word(value: object, kind: object) -> object:
        if value is None and type(None) in get_args(kind):
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        (words,) = _words(kind)
        return words(value)

    converter.register_structure_hook_func(lambda kind: bool(_words(kind)), load_word)
    converter.register_unstructure_hook_func(is_map, dump_map)
    converter.register_structure_hook_func(is_map, load_map)
    return converter


def _words(kind: object) -> tuple[type[Enum], ...]:
    """Return the enumeration of a type that is one of its words or a number; else nothing."""
    if get_origin(kind) not in {Union, UnionType}:
        return ()
    parts = [getattr(part, "__supertype__", part) for part in get_args(kind)]
    found = tuple(part for part in parts if isinstance(part, type) and issubclass(part, Enum))
    others = {part for part in parts if part not in found} - {type(None)}
    return found if len(found) == 1 and others == {int} else ()


_CONVERTER = _make()


def _has_fields(kind: type[ComputekitError]) -> bool:
    return hasattr(kind, "__attrs_attrs__")


def encode(value: object) -> str:
    """Return `value`, a frozen value or a container of such, as JSON text with sorted keys."""
    return json.dumps(_CONVERTER.unstructure(value), sort_keys=True, separators=(",", ":"))


def decode(text: str, kind: type[T]) -> T:
    """Return the value of type `kind` that `encode` made `text` from.

    Raises:
        cattrs.BaseValidationError: `text` is not such a value.
        ValueError: `text` is not JSON, nests too deeply, or is another kind of JSON altogether.
    """
    try:
        raw = json.loads(text)
    except RecursionError:
        raise ValueError("JSON nests too deeply") from None
    try:
        return _CONVERTER.structure(raw, kind)
    except (AttributeError, TypeError) as error:  # cattrs, of a number in place of an object
        raise ValueError(f"JSON {type(raw).__name__} in place of {kind}") from error


def encode_error(error: ComputekitError) -> str:
    """Return `error` as JSON text: its code, its sentence and its fields."""
    fields = _CONVERTER.unstructure(error) if _has_fields(type(error)) else {}
    return json.dumps(
        {"code": error.code, "message": error.message, "fields": fields},
        sort_keys=True,
        separators=(",", ":"),
    )


def decode_error(text: str) -> ComputekitError:
    """Return the error that `encode_error` made `text` from.

    A code or fields that this process does not know give a `RemoteError` with the same sentence.
    """
    raw = json.loads(text)
    if not isinstance(raw, dict):
        return RemoteError("unreadable", text)
    code, message = str(raw.get("code")), str(raw.get("message"))
    kind = error_types().get(code)
    if kind is None:
        return RemoteError(code, message)
    try:
        return _CONVERTER.structure(raw.get("fields"), kind) if _has_fields(kind) else kind()
    except (cattrs.BaseValidationError, AttributeError, TypeError, ValueError):
        return RemoteError(code, message)  # of a version that knows other fields
