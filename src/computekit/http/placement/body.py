"""JSON bodies into typed values: fast when they are right, in words that callers know when not.

The types are the truth. A body is decoded straight into its type; only if that fails is the JSON
schema of the type asked what is wrong, because those are the words that callers of Placement get
and its own tests look for.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Generic, NoReturn, TypeVar, cast

import msgspec
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

from computekit.http.placement.uuids import canonical_uuid
from computekit.http.problem import Problem, Refused

__all__ = ["UUID_PATTERN", "Body", "bad_request", "first_fault", "json_schema"]

T_co = TypeVar("T_co", covariant=True)

Schema = dict[str, object]

SPELLED_OUT = 64 * 1024
"""Longer bodies are not repeated in the answer that refuses them."""

LONGEST_DETAIL = 8 * 1024
_UNSAID = ("title", "description", "default")
"""What would only lengthen what callers get to read."""

TOO_DEEP = "it is nested too deeply"

_HEX4 = "-?[0-9a-fA-F]{4}"
UUID_PATTERN = rf"^\{{?[0-9a-fA-F]{{8}}{_HEX4 * 3}-?[0-9a-fA-F]{{12}}\}}?$"
"""Marks a string as a UUID; in words, and in the schema, it is the format `uuid`."""

_formats = FormatChecker(formats=())
_formats.checks("uuid")(lambda value: not isinstance(value, str) or bool(canonical_uuid(value)))


class Body(Generic[T_co]):
    """The body of one operation in one range of microversions.

    Args:
        type_: a `msgspec.Struct` or a list of something.
    """

    def __init__(self, type_: type[T_co]) -> None:
        self._type = type_
        self._decoder = msgspec.json.Decoder(type_)

    def parse(self, body: bytes) -> T_co:
        """Return what `body` says.

        Raises:
            Refused: it is not JSON, or breaks the schema.
        """
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._second_look(body)

    def check(self, value: object) -> None:
        """Hold what did not come as JSON against the schema.

        Raises:
            Refused: it breaks it.
        """
        said = msgspec.to_builtins(value)
        if (error := first_fault(self._validator, said)) is not None:
            raise _invalid(error, spelled_out=True)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(json_schema(self._type), format_checker=_formats)

    def _second_look(self, body: bytes) -> T_co:
        """Say what is wrong, or take what only JSON Schema takes: 8.0 for 8."""
        value = _loads(body)
        try:
            error = first_fault(self._validator, value)
        except RecursionError:
            raise bad_request(f"Malformed JSON: {TOO_DEEP}") from None
        if error is not None:
            raise _invalid(error, spelled_out=len(body) <= SPELLED_OUT)
        try:
            return msgspec.convert(value, self._type)
        except msgspec.ValidationError as unlike:
            raise bad_request(f"JSON does not validate: {unlike}") from None


def bad_request(detail: str, code: str = "placement.undefined_code") -> Refused:
    """Return a refusal of what is malformed."""
    return Refused(Problem(400, detail[:LONGEST_DETAIL], code))


def first_fault(validator: Draft202012Validator, value: object) -> ValidationError | None:
    """Return what is most wrong with `value`, or None."""
    found = best_match(cast("Iterator[ValidationError]", validator.iter_errors(value)))
    return cast("ValidationError | None", found)


def _invalid(error: ValidationError, *, spelled_out: bool) -> Refused:
    said = str(error) if spelled_out else error.message
    return bad_request(f"JSON does not validate: {said}".replace("\n", " "))


def _loads(body: bytes) -> object:
    try:
        text = body.decode()
        value: object = json.loads(text, parse_constant=_no_number, parse_float=_whole_if_it_can)
        # Half of a surrogate pair is no character; nothing could store it.
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        why = TOO_DEEP if isinstance(error, RecursionError) else error
        raise bad_request(f"Malformed JSON: {why}") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _whole_if_it_can(digits: str) -> float:
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def json_schema(type_: object) -> Schema:
    """Return the JSON schema of a type, without references.

    Keys with a pattern become `patternProperties`: what breaks them is then said in those words.
    """
    schema = msgspec.json.schema(type_)
    named = cast("Mapping[str, Schema]", schema.pop("$defs", {}))
    return cast("Schema", _inlined(schema, named))


def _inlined(schema: object, named: Mapping[str, Schema]) -> object:
    if isinstance(schema, list):
        return [_inlined(item, named) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(named[str(schema["$ref"]).rpartition("/")[2]], named)
    found: Schema = {
        key: _inlined(value, named)
        for key, value in schema.items()
        if key not in _UNSAID or not isinstance(value, str | int | float | None)
    }
    names = found.pop("propertyNames", None)
    if found.get("pattern") == UUID_PATTERN:
        del found["pattern"]
        found["format"] = "uuid"
    if isinstance(names, dict) and "pattern" in names:
        found["patternProperties"] = {str(names["pattern"]): found["additionalProperties"]}
        found["additionalProperties"] = False
    return found
