"""Operations on the metadata and the tags of a server."""

from collections.abc import Callable
from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, since
from computekit.api.compute.locks import check_unlocked
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.errors import CounterFull, Fault, InvalidInput, NotFound
from computekit.ids import InstanceId
from computekit.model import FrozenMap, ServerRecord
from computekit.work import Tx

__all__ = [
    "ADD_TAG",
    "DELETE_METADATA_ITEM",
    "DELETE_TAG",
    "DELETE_TAGS",
    "LIST_METADATA",
    "LIST_TAGS",
    "MERGE_METADATA",
    "REPLACE_METADATA",
    "SET_METADATA_ITEM",
    "SET_TAGS",
    "SHOW_METADATA_ITEM",
    "SHOW_TAG",
    "LabelCalls",
    "LabelPath",
    "MetadataChange",
    "TagChange",
    "TagsNow",
]

MOST_METADATA = 128
MOST_TAGS = 50

_META = "/v2.1/servers/{server}/metadata"
_ITEM = f"{_META}/{{key}}"
_TAGS = "/v2.1/servers/{server}/tags"
_TAG = f"{_TAGS}/{{tag}}"


@attrs.frozen
class LabelPath:
    """Which server, and which key or tag of it; "" for all."""

    id: InstanceId
    key: str = ""


@attrs.frozen
class MetadataChange:
    """Metadata to write.

    Attributes:
        id: of the server.
        items: text by key; None takes a key away, which must be there.
        replace: whether what is not named goes.
    """

    id: InstanceId
    items: FrozenMap[str, str | None]
    replace: bool = False


@attrs.frozen
class TagChange:
    """Tags to write.

    Attributes:
        id: of the server.
        add: that it gets.
        remove: that it loses, and that must be there.
        replace: whether what is not added goes.
    """

    id: InstanceId
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    replace: bool = False


@attrs.frozen
class TagsNow:
    """The tags of a server.

    Attributes:
        id: of the server.
        tags: of it.
        new: whether any was added.
    """

    id: InstanceId
    tags: tuple[str, ...]
    new: bool = False


LIST_METADATA = ApiOperation(
    "list_metadata", "GET", _META, "The metadata of a server.",
    LabelPath, FrozenMap[str, str], since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
SHOW_METADATA_ITEM = ApiOperation(
    "show_metadata_item", "GET", _ITEM, "One item of the metadata of a server.",
    LabelPath, FrozenMap[str, str], since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
MERGE_METADATA = ApiOperation(
    "merge_metadata", "POST", _META, "Write some metadata of a server.",
    MetadataChange, FrozenMap[str, str], since(1), rule=Rule.MEMBER, has_body=True,
)  # fmt: skip
REPLACE_METADATA = ApiOperation(
    "replace_metadata", "PUT", _META, "Write all metadata of a server.",
    MetadataChange, FrozenMap[str, str], since(1), rule=Rule.MEMBER, has_body=True,
)  # fmt: skip
SET_METADATA_ITEM = ApiOperation(
    "set_metadata_item", "PUT", _ITEM, "Write one item of the metadata of a server.",
    MetadataChange, FrozenMap[str, str], since(1), rule=Rule.MEMBER, has_body=True,
)  # fmt: skip
DELETE_METADATA_ITEM = ApiOperation(
    "delete_metadata_item", "DELETE", _ITEM, "Take an item of the metadata away.",
    MetadataChange, FrozenMap[str, str], since(1), rule=Rule.MEMBER, errors=(NotFound,),
)  # fmt: skip
LIST_TAGS = ApiOperation(
    "list_tags", "GET", _TAGS, "The tags of a server.",
    LabelPath, TagsNow, since(26), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
SHOW_TAG = ApiOperation(
    "show_tag", "GET", _TAG, "Whether a server has a tag.",
    LabelPath, NoneType, since(26), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
SET_TAGS = ApiOperation(
    "set_tags", "PUT", _TAGS, "Write all tags of a server.",
    TagChange, TagsNow, since(26), rule=Rule.MEMBER, has_body=True,
)  # fmt: skip
ADD_TAG = ApiOperation(
    "add_tag", "PUT", _TAG, "Give a server a tag.",
    TagChange, TagsNow, since(26), rule=Rule.MEMBER,
)  # fmt: skip
DELETE_TAG = ApiOperation(
    "delete_tag", "DELETE", _TAG, "Take a tag away.",
    TagChange, TagsNow, since(26), rule=Rule.MEMBER, errors=(NotFound,),
)  # fmt: skip
DELETE_TAGS = ApiOperation(
    "delete_tags", "DELETE", _TAGS, "Take all tags away.",
    TagChange, TagsNow, since(26), rule=Rule.MEMBER, errors=(NotFound,),
)  # fmt: skip


class LabelCalls:
    """What carries out the operations on metadata and tags.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def metadata(self, asked: LabelPath, context: CallContext) -> FrozenMap[str, str]:
        """Carry out `LIST_METADATA` and `SHOW_METADATA_ITEM`."""
        found = self._cloud.existing(asked.id, context).record.metadata
        if not asked.key:
            return found
        if asked.key not in found:
            raise NotFound("metadata item", asked.key)
        return FrozenMap({asked.key: found[asked.key]})

    def write_metadata(self, asked: MetadataChange, context: CallContext) -> FrozenMap[str, str]:
        """Carry out what writes metadata; returns all that there is then."""

        def changed(record: ServerRecord) -> ServerRecord:
            items: dict[str, str] = {} if asked.replace else dict(record.metadata)
            for key, text in asked.items.items():
                if text is not None:
                    items[key] = text
                elif items.pop(key, None) is None:
                    raise NotFound("metadata item", key)
            if len(items) > MOST_METADATA:
                raise CounterFull("server_metadata_items", record.id, len(items), 0, MOST_METADATA)
            return attrs.evolve(record, metadata=FrozenMap(items))

        return self._change(asked.id, context, changed)[1].metadata

    def set_item(self, asked: MetadataChange, context: CallContext) -> FrozenMap[str, str]:
        """Carry out `SET_METADATA_ITEM`; returns that item."""
        self.write_metadata(asked, context)
        return FrozenMap({key: text for key, text in asked.items.items() if text is not None})

    def tags(self, asked: LabelPath, context: CallContext) -> TagsNow:
        """Carry out `LIST_TAGS`."""
        found = self._cloud.existing(asked.id, context).record.tags
        return TagsNow(asked.id, tuple(sorted(found)))

    def show_tag(self, asked: LabelPath, context: CallContext) -> None:
        """Carry out `SHOW_TAG`."""
        if asked.key not in self._cloud.existing(asked.id, context).record.tags:
            raise NotFound("tag", asked.key)

    def write_tags(self, asked: TagChange, context: CallContext) -> TagsNow:
        """Carry out what writes tags."""

        def changed(record: ServerRecord) -> ServerRecord:
            for tag in sorted(asked.remove - record.tags):
                raise NotFound("tag", tag)
            kept = frozenset() if asked.replace else record.tags - asked.remove
            tags = kept | asked.add
            if len(tags) > MOST_TAGS:
                message = f"{len(tags)} tags; a server has up to {MOST_TAGS}"
                raise InvalidInput((Fault("tags", "count", message),))
            return attrs.evolve(record, tags=tags)

        before, after = self._change(asked.id, context, changed)
        return TagsNow(asked.id, tuple(sorted(after.tags)), bool(after.tags - before.tags))

    def _change(
        self,
        server: InstanceId,
        context: CallContext,
        changed: Callable[[ServerRecord], ServerRecord],
    ) -> tuple[ServerRecord, ServerRecord]:
        """Return the record before and after."""

        def write(tx: Tx) -> tuple[ServerRecord, ServerRecord]:
            row = self._cloud.existing(server, context)
            check_unlocked(row, context)
            now_s = self._cloud.services.clock.wall_s()
            after = attrs.evolve(changed(row.record), changed_s=now_s)
            self._cloud.servers.put_record(tx, after)
            return row.record, after

        return self._cloud.services.store.write(write)
