"""Flavors on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from computekit.api.compute.base import Page
from computekit.api.compute.flavors import (
    ExtraSpecChange,
    ExtraSpecPath,
    FlavorAccess,
    FlavorAccessChange,
    FlavorDescription,
    FlavorPath,
    FlavorQuery,
    NewFlavor,
)
from computekit.errors import Fault, InvalidInput
from computekit.http.compute.binding import Reader, answer
from computekit.http.compute.links import Link, links_of
from computekit.http.compute.query import QueryText, next_link
from computekit.http.compute.versioned import Body, since, until
from computekit.http.wire import Answer, HttpRequest
from computekit.ids import FlavorId, ProjectId
from computekit.model import Flavor, FrozenMap, OfferedFlavor
from computekit.units import Gib, Mib

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Specs = dict[Annotated[str, Meta(min_length=1, max_length=255)], str]

_SORTS = {
    name: name
    for name in (
        "flavorid", "name", "memory_mb", "vcpus", "root_gb", "ephemeral_gb", "swap", "created_at",
        "id",
    )
}  # fmt: skip


class FlavorAnswer(Struct, kw_only=True):
    """A flavor."""

    id: str
    name: str
    ram: int
    vcpus: int
    disk: int
    swap: int | str
    ephemeral: int = field(name="OS-FLV-EXT-DATA:ephemeral")
    disabled: Annotated[bool, until(101)] = field(name="OS-FLV-DISABLED:disabled", default=False)
    public: bool = field(name="os-flavor-access:is_public")
    rxtx_factor: Annotated[float, until(101)] = 1.0
    description: Annotated[str | None, since(55)]
    extra_specs: Annotated[dict[str, str], since(61)]
    links: list[Link]


class FlavorName(Struct, kw_only=True):
    """A flavor's name."""

    id: str
    name: str
    description: Annotated[str | None, since(55)]
    links: list[Link]


class OneFlavor(Struct):
    """One flavor under its name."""

    flavor: FlavorAnswer


class FlavorsAnswer(Struct):
    """Flavors."""

    flavors: list[FlavorAnswer]
    flavors_links: list[Link] | UnsetType = UNSET


class FlavorNamesAnswer(Struct):
    """Names of flavors."""

    flavors: list[FlavorName]
    flavors_links: list[Link] | UnsetType = UNSET


class SpecsAnswer(Struct):
    """Extra specs."""

    extra_specs: dict[str, str]


class NewFlavorFields(Struct, kw_only=True, forbid_unknown_fields=True):
    """A flavor to be made."""

    name: Name
    ram: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    vcpus: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    disk: Count
    swap: Count = 0
    ephemeral: Count = field(name="OS-FLV-EXT-DATA:ephemeral", default=0)
    rxtx_factor: Annotated[float | UnsetType, until(101)] = UNSET
    public: bool = field(name="os-flavor-access:is_public", default=True)
    id: str | int | None = None
    description: Annotated[str | UnsetType | None, since(55)] = UNSET


class NewFlavorBody(Struct, forbid_unknown_fields=True):
    """A flavor to be made, under its name."""

    flavor: NewFlavorFields


class DescriptionFields(Struct, forbid_unknown_fields=True):
    """What of a flavor can be changed."""

    description: Annotated[str, Meta(max_length=65535)] | None


class DescriptionBody(Struct, forbid_unknown_fields=True):
    """What of a flavor is to change."""

    flavor: DescriptionFields


class SpecsBody(Struct, forbid_unknown_fields=True):
    """Extra specs to write."""

    extra_specs: dict[str, str | int | float | bool]


class Tenant(Struct, forbid_unknown_fields=True):
    """A project."""

    tenant: Annotated[str, Meta(min_length=1, max_length=255)]


class AccessBody(Struct, forbid_unknown_fields=True):
    """A project that may use a flavor, or no longer."""

    add: Tenant | UnsetType = field(name="addTenantAccess", default=UNSET)
    remove: Tenant | UnsetType = field(name="removeTenantAccess", default=UNSET)


class AccessItem(Struct):
    """One project that may use a flavor."""

    flavor_id: str
    tenant_id: str


class AccessAnswer(Struct):
    """Projects that may use a flavor."""

    flavor_access: list[AccessItem]


_NEW = Body(NewFlavorBody)
_DESCRIPTION = Body(DescriptionBody)
_SPECS = Body(SpecsBody)
_ACCESS = Body(AccessBody)


def parse_query_of(request: HttpRequest, minor: int) -> FlavorQuery:
    """Return which flavors a query asks for."""
    query = QueryText(request.query)
    public_text = query.text("is_public")
    public = query.flag("is_public") if public_text is not None else True
    marker = query.text("marker")
    asked = FlavorQuery(
        public=public,
        min_disk_gib=Gib(query.number("minDisk", 0)),
        min_memory_mib=Mib(query.number("minRam", 0)),
        sort_key=query.one_of("sort_key", _SORTS, "flavorid"),
        down=query.one_of("sort_dir", {"asc": "asc", "desc": "desc"}, "asc") == "desc",
        limit=query.limit(),
        marker=None if marker is None else FlavorId(marker),
        names=frozenset(query.all("name")) if minor >= 102 else frozenset(),
        query_text=request.query,
    )
    query.check()
    return asked


def parse_path(request: HttpRequest, _minor: int) -> FlavorPath:
    """Return which flavor a path names."""
    return FlavorPath(FlavorId(request.values["flavor"]))


def parse_new(request: HttpRequest, minor: int) -> NewFlavor:
    """Return the flavor that is to be made."""
    asked = _NEW.parse(request.body, minor).flavor
    flavor = Flavor(
        id=FlavorId("" if asked.id is None else str(asked.id)),
        name=asked.name,
        vcpus=asked.vcpus,
        memory_mib=Mib(asked.ram),
        disk_gib=Gib(asked.disk),
        ephemeral_gib=Gib(asked.ephemeral),
        swap_mib=Mib(asked.swap),
    )
    return NewFlavor(flavor, asked.description or None, asked.public)


def parse_description(request: HttpRequest, minor: int) -> FlavorDescription:
    """Return the description that a flavor is to have."""
    asked = _DESCRIPTION.parse(request.body, minor)
    return FlavorDescription(FlavorId(request.values["flavor"]), asked.flavor.description)


def parse_specs(request: HttpRequest, minor: int) -> ExtraSpecChange:
    """Return the extra specs that are to be written."""
    asked = _SPECS.parse(request.body, minor).extra_specs
    specs = {key: text if isinstance(text, str) else str(text) for key, text in asked.items()}
    faults = tuple(
        Fault(f"extra_specs[{key!a}]", "length", "keys and texts have up to 255 characters")
        for key, text in specs.items()
        if not (1 <= len(key) <= 255 and len(text) <= 255)
    )
    if faults:
        raise InvalidInput(faults)
    return ExtraSpecChange(FlavorId(request.values["flavor"]), FrozenMap(specs))


def parse_one_spec(request: HttpRequest, minor: int) -> ExtraSpecChange:
    """Return the one extra spec that path and body both name."""
    key = request.values["key"]
    asked = _ONE_SPEC.parse(request.body, minor)
    if set(asked) != {key}:
        raise InvalidInput((Fault("body", "key", f"has to have {key!a} and nothing else"),))
    return ExtraSpecChange(FlavorId(request.values["flavor"]), FrozenMap(asked))


_ONE_SPEC: Body[dict[str, str]] = Body(dict[str, str])


def parse_spec(request: HttpRequest, _minor: int) -> ExtraSpecPath:
    """Return which extra spec is asked for."""
    return ExtraSpecPath(FlavorId(request.values["flavor"]), request.values["key"])


def parse_spec_path(request: HttpRequest, _minor: int) -> ExtraSpecChange:
    """Return the extra spec that is to go."""
    return ExtraSpecChange(
        FlavorId(request.values["flavor"]), FrozenMap({request.values["key"]: None})
    )


def parse_access(request: HttpRequest, minor: int) -> FlavorAccessChange:
    """Return which project may use a flavor, or no longer."""
    asked = _ACCESS.parse(request.body, minor)
    id = FlavorId(request.values["flavor"])
    if isinstance(asked.add, Tenant) == isinstance(asked.remove, Tenant):
        raise InvalidInput((Fault("body", "action", "names one action"),))
    if isinstance(asked.add, Tenant):
        return FlavorAccessChange(id, ProjectId(asked.add.tenant), add=True)
    assert isinstance(asked.remove, Tenant)
    return FlavorAccessChange(id, ProjectId(asked.remove.tenant), add=False)


def _said(offered: OfferedFlavor, reader: Reader) -> FlavorAnswer:
    flavor = offered.flavor
    empty: int | str = 0 if reader.minor >= 75 else ""
    return FlavorAnswer(
        id=flavor.id,
        name=flavor.name,
        ram=flavor.memory_mib,
        vcpus=flavor.vcpus,
        disk=flavor.disk_gib,
        swap=flavor.swap_mib or empty,
        ephemeral=flavor.ephemeral_gib,
        public=offered.public,
        description=offered.description,
        extra_specs=dict(flavor.extra_specs),
        links=links_of(f"flavors/{flavor.id}", reader),
    )


def _more(page: Page[OfferedFlavor], reader: Reader, path: str) -> list[Link] | UnsetType:
    if not page.more or not page.items:
        return UNSET
    last = page.items[-1].flavor.id
    return [Link("next", next_link(reader.link(path), page.query_text, last))]


def render_details(output: Page[OfferedFlavor], reader: Reader) -> Answer:
    """Return flavors."""
    said = [_said(offered, reader) for offered in output.items]
    more = _more(output, reader, "flavors/detail")
    return answer(200, FlavorsAnswer(said, more), reader)


def render_names(output: Page[OfferedFlavor], reader: Reader) -> Answer:
    """Return names of flavors."""
    said = [
        FlavorName(
            id=it.flavor.id,
            name=it.flavor.name,
            description=it.description,
            links=links_of(f"flavors/{it.flavor.id}", reader),
        )
        for it in output.items
    ]
    more = _more(output, reader, "flavors")
    return answer(200, FlavorNamesAnswer(said, more), reader)


def render_flavor(output: OfferedFlavor, reader: Reader) -> Answer:
    """Return one flavor."""
    return answer(200, OneFlavor(_said(output, reader)), reader)


def render_specs(output: OfferedFlavor, reader: Reader) -> Answer:
    """Return the extra specs of a flavor."""
    return answer(200, SpecsAnswer(dict(output.flavor.extra_specs)), reader)


def render_spec(output: FrozenMap[str, str], reader: Reader) -> Answer:
    """Return one extra spec."""
    return answer(200, dict(output), reader)


def render_access(output: FlavorAccess, reader: Reader) -> Answer:
    """Return which projects may use a flavor."""
    said = [AccessItem(output.id, project) for project in output.projects]
    return answer(200, AccessAnswer(said), reader)
