"""Which of many images a query means."""

from collections.abc import Callable, Mapping

from computekit.api.image.values import ImagePage, ImageQuery
from computekit.errors import Fault, InvalidInput
from computekit.ids import ProjectId
from computekit.images import KeptImage

__all__ = ["SORT_KEYS", "page_of"]

_KEYS: Mapping[str, Callable[[KeptImage], tuple[float, str]]] = {
    "created_at": lambda kept: (kept.record.created_s, ""),
    "updated_at": lambda kept: (kept.record.updated_s, ""),
    "id": lambda kept: (0.0, kept.record.id),
    "name": lambda kept: (0.0, kept.record.name),
    "status": lambda kept: (0.0, kept.status),
    "disk_format": lambda kept: (0.0, kept.record.disk_format or ""),
    "container_format": lambda kept: (0.0, kept.record.container_format or ""),
    "size": lambda kept: (float(kept.file.size_bytes if kept.file else 0), ""),
}
SORT_KEYS = frozenset(_KEYS)


def page_of(
    images: tuple[KeptImage, ...], query: ImageQuery, project: ProjectId | None
) -> ImagePage:
    """Return the page that a query means.

    Args:
        images: all that the caller sees.
        query: which of them.
        project: the caller's.

    Raises:
        InvalidInput: there is no such marker.
    """
    found = [kept for kept in images if _matches(kept, query, project)]
    for key, descending in reversed(query.sort):
        found.sort(key=_KEYS[key], reverse=descending)
    start = 0
    if query.marker is not None:
        places = [at for at, kept in enumerate(found) if kept.record.id == query.marker]
        if not places:
            raise InvalidInput((Fault("marker", "unknown", "there is no such image"),))
        start = places[0] + 1
    page = tuple(found[start : start + query.limit])
    return ImagePage(page, query, start + query.limit < len(found))


def _matches(kept: KeptImage, query: ImageQuery, project: ProjectId | None) -> bool:
    record, size = kept.record, kept.file.size_bytes if kept.file else 0
    return all(
        (
            query.names is None or record.name in query.names,
            query.ids is None or record.id in query.ids,
            query.statuses is None or kept.status in query.statuses,
            _visible(kept, query, project),
            query.owner is None or record.owner == query.owner,
            query.tags <= set(record.tags),
            query.protected is None or record.protected is query.protected,
            record.hidden is query.hidden,
            query.disk_formats is None or record.disk_format in query.disk_formats,
            query.container_formats is None or record.container_format in query.container_formats,
            query.size_min_bytes is None or size >= query.size_min_bytes,
            query.size_max_bytes is None or size <= query.size_max_bytes,
            all(record.properties.get(key) == said for key, said in query.properties.items()),
        )
    )


def _visible(kept: KeptImage, query: ImageQuery, project: ProjectId | None) -> bool:
    record = kept.record
    if query.visibility in (None, "all"):
        own = record.owner is not None and record.owner == project
        return record.visibility != "community" or own or query.visibility == "all"
    return record.visibility == query.visibility
