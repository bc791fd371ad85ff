"""Query strings held against what a microversion knows."""

from collections.abc import Mapping

from jsonschema import Draft202012Validator, FormatChecker

from computekit.http.placement.body import bad_request, first_fault
from computekit.http.placement.uuids import is_canonical_uuid
from computekit.http.query import INVALID, Query, parse_query

__all__ = [
    "DIGITS",
    "INVALID",
    "KNOWN_UUID",
    "TEXT",
    "TEXT_255",
    "Query",
    "QuerySchema",
    "page_limit",
    "parse_query",
    "version_table",
]

TEXT: Mapping[str, object] = {"type": "string"}
DIGITS: Mapping[str, object] = {"type": "string", "pattern": r"^[0-9]{1,18}$"}
TEXT_255: Mapping[str, object] = {"type": "string", "minLength": 1, "maxLength": 255}
KNOWN_UUID: Mapping[str, object] = {"type": "string", "format": "uuid"}

_formats = FormatChecker(formats=())
_formats.checks("uuid")(lambda value: not isinstance(value, str) or is_canonical_uuid(value))


class QuerySchema:
    """The parameters that a path knows in one range of microversions.

    Args:
        properties: what each may be, as JSON Schema says it.
        required: those that have to be there.
        patterns: what parameters may be whose names match.
    """

    def __init__(
        self,
        properties: Mapping[str, Mapping[str, object]],
        required: tuple[str, ...] = (),
        patterns: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        schema: dict[str, object] = {
            "type": "object",
            "properties": dict(properties),
            "additionalProperties": False,
        }
        if required:
            schema["required"] = list(required)
        if patterns:
            schema["patternProperties"] = dict(patterns)
        self.schema: Mapping[str, object] = schema
        self._validator = Draft202012Validator(schema, format_checker=_formats)

    def parse(self, text: str) -> Query:
        """Return the parameters of a query string.

        Raises:
            Refused: it is not UTF-8, or has what this version does not know.
        """
        query = parse_query(text)
        if (error := first_fault(self._validator, dict(query.last))) is not None:
            raise bad_request(f"{INVALID}: {error}".replace("\n", " "))
        return query


def page_limit(query: Query, most: int) -> int:
    """Return how many rows a page may have, by default the most.

    Raises:
        Refused: none, or more than the most.
    """
    limit = int(query.last.get("limit", most))
    if not 1 <= limit <= most:
        raise bad_request(f"limit is not within 1 to {most}")
    return limit


def version_table(
    steps: Mapping[int, QuerySchema],
) -> Mapping[int, QuerySchema]:
    """Return the schema that is good in each minor version from 0 to 39, from those it came in."""
    table: dict[int, QuerySchema] = {}
    current: QuerySchema | None = None
    for minor in range(40):
        current = steps.get(minor, current)
        if current is not None:
            table[minor] = current
    return table
