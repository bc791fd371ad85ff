"""The query of a list of images: `name=`, `id=in:a,b`, `limit=`, and any property."""

import csv
from collections.abc import Mapping

from computekit.api.image.query import SORT_KEYS
from computekit.api.image.values import ImageQuery
from computekit.errors import Fault, InvalidInput
from computekit.http.query import Query, parse_query
from computekit.ids import ImageId
from computekit.model import FrozenMap

__all__ = ["IMAGES_QUERY", "image_query"]

LIMIT, LIMIT_MOST = 25, 1000

TEXT: Mapping[str, object] = {"type": "string"}
NUMBER: Mapping[str, object] = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_TEXTS = (
    "container_format",
    "disk_format",
    "id",
    "marker",
    "member_status",
    "name",
    "os_hidden",
    "owner",
    "protected",
    "sort",
    "sort_dir",
    "sort_key",
    "status",
    "tag",
    "visibility",
)
_NUMBERS = ("limit", "size_max", "size_min")
_KNOWN = frozenset((*_TEXTS, *_NUMBERS))

IMAGES_QUERY: Mapping[str, object] = {
    "type": "object",
    "properties": {**dict.fromkeys(_TEXTS, TEXT), **dict.fromkeys(_NUMBERS, NUMBER)},
}
"""As JSON Schema says it; any further parameter is a property that an image must have."""


def image_query(text: str) -> ImageQuery:
    """Return what a query string asks.

    Raises:
        InvalidInput: with every fault.
        Refused: it is not UTF-8.
    """
    query = parse_query(text)
    last, faults = query.last, _Faults()
    protected, hidden = faults.truth(last, "protected"), faults.truth(last, "os_hidden")
    sizes = faults.number(last, "size_min"), faults.number(last, "size_max")
    limit = faults.number(last, "limit")
    visibility = last.get("visibility")
    if visibility not in (None, "all", "public", "private", "shared", "community"):
        faults.add("visibility", "all, public, private, shared or community")
    sort = _sort(query, faults)
    if faults.found:
        raise InvalidInput(tuple(faults.found))
    return ImageQuery(
        names=_several(last, "name"),
        ids=_several(last, "id"),
        statuses=_several(last, "status"),
        visibility=visibility,
        owner=last.get("owner"),
        tags=frozenset(query.all("tag")),
        protected=protected,
        hidden=hidden is True,
        disk_formats=_several(last, "disk_format"),
        container_formats=_several(last, "container_format"),
        size_min_bytes=sizes[0],
        size_max_bytes=sizes[1],
        properties=FrozenMap({name: said for name, said in last.items() if name not in _KNOWN}),
        sort=sort,
        marker=ImageId(last["marker"]) if last.get("marker") else None,
        limit=LIMIT if limit is None else min(limit, LIMIT_MOST),
        text=text,
    )


class _Faults:
    """What is wrong with parameters."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, name: str, right: str) -> None:
        self.found.append(Fault(name, "invalid_value", right))

    def truth(self, last: Mapping[str, str], name: str) -> bool | None:
        said = last.get(name)
        if said is None:
            return None
        found = {"true": True, "1": True, "false": False, "0": False}.get(said.lower())
        if found is None:
            self.add(name, "true or false")
        return found

    def number(self, last: Mapping[str, str], name: str) -> int | None:
        said = last.get(name)
        if said is None:
            return None
        if not (said.isascii() and said.isdecimal() and len(said) <= 18):
            self.add(name, "a whole number")
            return None
        return int(said)


def _several(last: Mapping[str, str], name: str) -> frozenset[str] | None:
    said = last.get(name)
    if said is None:
        return None
    if not said.startswith("in:"):
        return frozenset({said})
    # Values with commas stand in double quotes.
    (row,) = csv.reader([said[3:].replace("\n", " ").replace("\r", " ")])
    return frozenset(row)


def _sort(query: Query, faults: _Faults) -> tuple[tuple[str, bool], ...]:
    pairs: list[tuple[str, str]] = []
    if "sort" in query.last:
        for part in query.last["sort"].split(","):
            key, _, direction = part.partition(":")
            pairs.append((key, direction or "desc"))
    else:
        directions = query.all("sort_dir")
        for at, key in enumerate(query.all("sort_key")):
            said = directions[at] if at < len(directions) else directions[-1:] or "desc"
            pairs.append((key, said if isinstance(said, str) else said[0]))
    for key, direction in pairs:
        if key not in SORT_KEYS:
            faults.add("sort", f"{key[:40]!a} is not one of {', '.join(sorted(SORT_KEYS))}")
        if direction not in ("asc", "desc"):
            faults.add("sort", f"{direction[:40]!a} is neither asc nor desc")
    if len(pairs) > len(SORT_KEYS):
        faults.add("sort", "each key once")
    chosen = tuple((key, direction == "desc") for key, direction in pairs)
    rest = (("created_at", True), ("id", True))
    return (*chosen, *(pair for pair in rest if pair[0] not in dict(chosen)))
