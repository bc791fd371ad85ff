"""What somebody says of an image: the body of a new one, and patches of those that are there."""

from collections.abc import Callable
from typing import Annotated, Literal

import attrs

from computekit.api.image.values import Described, NewImage
from computekit.errors import AccessRefused, Fault, InvalidInput, StateConflict
from computekit.forms import String, Whole, read_form, read_json
from computekit.forms.json_text import Json, Members
from computekit.ids import ImageId, ProjectId, is_uuid
from computekit.images import Visibility
from computekit.model import FrozenMap
from computekit.units import Gib, Mib

__all__ = ["NewImageBody", "PatchBody", "image_patch", "new_image"]

ROOT = "body"
PROPERTIES_MOST = 256
PATCHES_MOST = 1000
VALUE_MOST = 65535

READ_ONLY = frozenset(
    {
        "checksum",
        "created_at",
        "direct_url",
        "file",
        "locations",
        "os_hash_algo",
        "os_hash_value",
        "schema",
        "self",
        "size",
        "status",
        "stores",
        "updated_at",
        "virtual_size",
    }
)
"""What the service says, and nobody tells it."""

Tag = Annotated[str, String(most=255)]


@attrs.frozen
class NewImageBody:
    """An image to be described; further members are its properties, each a text.

    Attributes:
        id: a UUID; a new one by default.
        name: need not be unique.
        owner: only an admin says it.
        visibility: `shared` is of the project alone until it is shared.
        disk_format: what the file is to be.
        container_format: what is around it.
        min_disk: in GiB.
        min_ram: in MiB.
        protected: whether it cannot be deleted.
        os_hidden: whether lists leave it out.
        tags: each once.
    """

    id: Annotated[str, String(most=36)] | None = None
    name: Annotated[str, String(most=255, least=0)] | None = None
    owner: Annotated[str, String(most=255)] | None = None
    visibility: Visibility | None = None
    disk_format: Literal["raw", "qcow2", "aki", "ari"] | None = None
    container_format: Literal["bare", "aki", "ari"] | None = None
    min_disk: Annotated[int, Whole(0, 2**31 - 1)] = 0
    min_ram: Annotated[int, Whole(0, 2**31 - 1)] = 0
    protected: bool = False
    os_hidden: bool = False
    tags: tuple[Tag, ...] = ()


_KNOWN = frozenset(field.name for field in attrs.fields(NewImageBody))


@attrs.frozen
class PatchBody:
    """One step of a patch (RFC 6902).

    Attributes:
        op: what to do.
        path: of what: `/name`.
        value: of `add` and `replace`.
    """

    op: Literal["add", "replace", "remove"]
    path: Annotated[str, String(most=512, pattern="/.+", what="a path of one member")]
    value: str | int | bool | tuple[str, ...] | None = None


def new_image(body: bytes) -> NewImage:
    """Return the image that a body describes.

    Raises:
        InvalidInput: with every fault.
        AccessRefused: it says what only the service says.
    """
    found = read_json(body, ROOT)
    if not isinstance(found, Members):
        raise _one(ROOT, "not_an_object", "an image is an object")
    image, said = _described(found)
    return NewImage(image, said)


def image_patch(body: bytes) -> Callable[[Described], Described]:
    """Return what makes of what is said of an image what is to be said.

    It raises what `new_image` does, and `StateConflict` where a path is not there.

    Raises:
        InvalidInput: it is no patch; with every fault.
        AccessRefused: it changes what only the service says.
    """
    found = read_json(body, ROOT)
    if not isinstance(found, list) or len(found) > PATCHES_MOST:
        raise _one(ROOT, "not_a_patch", f"a patch is an array of at most {PATCHES_MOST} steps")
    steps = []
    faults: list[Fault] = []
    for at, step in enumerate(found):
        try:
            steps.append(_step(step, f"{ROOT}[{at}]"))
        except InvalidInput as error:
            faults += error.faults
    if faults:
        raise InvalidInput(tuple(faults))

    def changed(said: Described) -> Described:
        members = _members(said)
        for op, name, value in steps:
            if op != "add" and name not in members:
                raise StateConflict(f"/{name}", "not there", "an add")
            if op == "remove":
                _remove(members, name)
            else:
                members[name] = value
        return _described(Members(tuple(members.items())))[1]

    return changed


def _step(step: Json, path: str) -> tuple[str, str, Json]:
    # The value is held against its member's own type later; here it may be anything.
    pairs = step.pairs if isinstance(step, Members) else ()
    values = [value for name, value in pairs if name == "value"]
    bare = Members(tuple(pair for pair in pairs if pair[0] != "value"))
    patch = read_form(bare if isinstance(step, Members) else step, PatchBody, path)
    name = patch.path[1:].replace("~1", "/").replace("~0", "~")
    if len(values) != (0 if patch.op == "remove" else 1) and patch.op != "remove":
        raise _one(f"{path}.value", "missing", "must be given once")
    if "/" in patch.path[1:]:
        raise _one(f"{path}.path", "too_deep", "a member of the image itself is changed as one")
    if name in READ_ONLY or name == "id":
        raise AccessRefused(f"{name!a} is said by the service")
    return patch.op, name, values[0] if values else None


def _remove(members: dict[str, Json], name: str) -> None:
    if name in _KNOWN:
        raise AccessRefused(f"{name!a} cannot be removed, only replaced")
    del members[name]


def _members(said: Described) -> dict[str, Json]:
    base: dict[str, Json] = {
        "name": said.name,
        "owner": said.owner,
        "visibility": said.visibility,
        "disk_format": said.disk_format,
        "container_format": said.container_format,
        "min_disk": said.min_disk_gib,
        "min_ram": said.min_memory_mib,
        "protected": said.protected,
        "os_hidden": said.hidden,
        "tags": list(said.tags),
    }
    return {**said.properties, **base}


def _described(found: Members) -> tuple[ImageId | None, Described]:
    for name, _ in found.pairs:
        if name in READ_ONLY:
            raise AccessRefused(f"{name!a} is said by the service")
    known = Members(tuple(pair for pair in found.pairs if pair[0] in _KNOWN))
    others = tuple(pair for pair in found.pairs if pair[0] not in _KNOWN)
    properties = {key: value for key, value in others if isinstance(value, str)}
    faults = [fault for key, value in others for fault in _property_faults(key, value)]
    if len(others) > PROPERTIES_MOST or len(properties) < len(others) - len(faults):
        message = f"at most {PROPERTIES_MOST} properties, each once"
        faults.append(Fault(ROOT, "properties", message))
    body = NewImageBody()
    try:
        body = read_form(known, NewImageBody, ROOT)
    except InvalidInput as error:
        faults = [*error.faults, *faults]
    if body.id is not None and not is_uuid(body.id):
        faults.append(Fault(f"{ROOT}.id", "not_a_uuid", "an id is a UUID in lower case"))
    if faults:
        raise InvalidInput(tuple(faults))
    return None if body.id is None else ImageId(body.id), Described(
        name=body.name or "",
        visibility=body.visibility,
        disk_format=body.disk_format,
        container_format=body.container_format,
        min_disk_gib=Gib(body.min_disk),
        min_memory_mib=Mib(body.min_ram),
        protected=body.protected,
        hidden=body.os_hidden,
        tags=tuple(sorted(set(body.tags))),
        properties=FrozenMap(properties),
        owner=None if body.owner is None else ProjectId(body.owner),
    )


def _property_faults(key: str, value: Json) -> list[Fault]:
    path = f"{ROOT}[{key[:80]!a}]"
    faults = []
    if not (1 <= len(key) <= 255 and key.isprintable()):
        faults.append(Fault(path, "invalid_key", "a key has 1 to 255 printable characters"))
    if not isinstance(value, str):
        faults.append(Fault(path, "not_text", "the value of a property is text"))
    elif len(value) > VALUE_MOST or not value.isprintable():
        message = f"a value has at most {VALUE_MOST} printable characters"
        faults.append(Fault(path, "invalid_value", message))
    return faults


def _one(path: str, code: str, message: str) -> InvalidInput:
    return InvalidInput((Fault(path, code, message),))
