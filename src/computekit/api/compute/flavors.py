"""Operations on flavors: their sizes, extra specs, and who may use them."""

from types import NoneType

import attrs

from computekit.api.access import Rule
from computekit.api.compute.base import Cloud, Page, is_admin, since
from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.errors import AlreadyExists, Conflict, Fault, InvalidInput, NotFound, StateConflict
from computekit.guest import check_name
from computekit.ids import FlavorId, ProjectId, new_uuid
from computekit.model import Flavor, FrozenMap, OfferedFlavor
from computekit.units import Gib, Mib
from computekit.work import Tx

__all__ = [
    "ADD_FLAVOR_ACCESS",
    "CREATE_FLAVOR",
    "DELETE_EXTRA_SPEC",
    "DELETE_FLAVOR",
    "DESCRIBE_FLAVOR",
    "LIST_EXTRA_SPECS",
    "LIST_FLAVORS",
    "LIST_FLAVORS_DETAIL",
    "LIST_FLAVOR_ACCESS",
    "SET_EXTRA_SPEC",
    "SET_EXTRA_SPECS",
    "SHOW_EXTRA_SPEC",
    "SHOW_FLAVOR",
    "ExtraSpecChange",
    "ExtraSpecPath",
    "FlavorAccess",
    "FlavorAccessChange",
    "FlavorCalls",
    "FlavorDescription",
    "FlavorPath",
    "FlavorQuery",
    "NewFlavor",
]

_ONE = "/v2.1/flavors/{flavor}"
_SPECS = f"{_ONE}/os-extra_specs"
_MOST_DB = 2**31 - 1


@attrs.frozen
class FlavorPath:
    """Which flavor."""

    id: FlavorId


@attrs.frozen
class FlavorQuery:
    """Which flavors are asked for.

    Attributes:
        public: only those that everybody may use, or only others; None: both.
        min_disk_gib: with at least this root disk.
        min_memory_mib: with at least this memory.
        names: only those of one of these names; none: of any.
        sort_key: `flavorid`, `name`, `memory_mb`, `vcpus`, `root_gb` or `created_at`.
        down: whether the greatest come first.
        limit: the most that are returned.
        marker: begin behind this one.
        query_text: the query as it came.
    """

    public: bool | None = True
    min_disk_gib: Gib = Gib(0)
    min_memory_mib: Mib = Mib(0)
    names: frozenset[str] = frozenset()
    sort_key: str = "flavorid"
    down: bool = False
    limit: int = 1000
    marker: FlavorId | None = None
    query_text: str = ""


@attrs.frozen
class NewFlavor:
    """A flavor that is to be made.

    Attributes:
        flavor: what an instance gets; with an empty id it is given one.
        description: for people.
        public: whether every project may use it.
    """

    flavor: Flavor
    description: str | None = None
    public: bool = True


@attrs.frozen
class FlavorDescription:
    """Another description."""

    id: FlavorId
    description: str | None


@attrs.frozen
class ExtraSpecChange:
    """Extra specs to write.

    Attributes:
        id: of the flavor.
        specs: text by key; None takes the key away, which must be there.
    """

    id: FlavorId
    specs: FrozenMap[str, str | None]


@attrs.frozen
class ExtraSpecPath:
    """Which extra spec of which flavor."""

    id: FlavorId
    key: str


@attrs.frozen
class FlavorAccessChange:
    """A project that may use a flavor from now on, or no longer."""

    id: FlavorId
    project: ProjectId
    add: bool


@attrs.frozen
class FlavorAccess:
    """Which projects may use a flavor that is not public."""

    id: FlavorId
    projects: tuple[ProjectId, ...]


LIST_FLAVORS = ApiOperation(
    "list_flavors", "GET", "/v2.1/flavors", "Names and ids of flavors.",
    FlavorQuery, Page[OfferedFlavor], since(1), rule=Rule.READER,
)  # fmt: skip
LIST_FLAVORS_DETAIL = ApiOperation(
    "list_flavors_detail", "GET", "/v2.1/flavors/detail", "Flavors.",
    FlavorQuery, Page[OfferedFlavor], since(1), rule=Rule.READER,
)  # fmt: skip
SHOW_FLAVOR = ApiOperation(
    "show_flavor", "GET", _ONE, "One flavor.",
    FlavorPath, OfferedFlavor, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
CREATE_FLAVOR = ApiOperation(
    "create_flavor", "POST", "/v2.1/flavors", "Make a flavor.",
    NewFlavor, OfferedFlavor, since(1), has_body=True, errors=(AlreadyExists,),
)  # fmt: skip
DESCRIBE_FLAVOR = ApiOperation(
    "describe_flavor", "PUT", _ONE, "Give a flavor another description.",
    FlavorDescription, OfferedFlavor, since(55), has_body=True, errors=(NotFound,),
)  # fmt: skip
DELETE_FLAVOR = ApiOperation(
    "delete_flavor", "DELETE", _ONE, "Remove a flavor; servers keep theirs.",
    FlavorPath, NoneType, since(1), errors=(NotFound,),
)  # fmt: skip
LIST_EXTRA_SPECS = ApiOperation(
    "list_extra_specs", "GET", _SPECS, "The extra specs of a flavor.",
    FlavorPath, OfferedFlavor, since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
SET_EXTRA_SPECS = ApiOperation(
    "set_extra_specs", "POST", _SPECS, "Write some extra specs of a flavor.",
    ExtraSpecChange, OfferedFlavor, since(1), has_body=True, errors=(NotFound,),
)  # fmt: skip
SHOW_EXTRA_SPEC = ApiOperation(
    "show_extra_spec", "GET", f"{_SPECS}/{{key}}", "One extra spec of a flavor.",
    ExtraSpecPath, FrozenMap[str, str], since(1), rule=Rule.READER, errors=(NotFound,),
)  # fmt: skip
SET_EXTRA_SPEC = ApiOperation(
    "set_extra_spec", "PUT", f"{_SPECS}/{{key}}", "Write one extra spec of a flavor.",
    ExtraSpecChange, FrozenMap[str, str], since(1), has_body=True, errors=(NotFound,),
)  # fmt: skip
DELETE_EXTRA_SPEC = ApiOperation(
    "delete_extra_spec", "DELETE", f"{_SPECS}/{{key}}", "Take an extra spec away.",
    ExtraSpecChange, OfferedFlavor, since(1), errors=(NotFound,),
)  # fmt: skip
LIST_FLAVOR_ACCESS = ApiOperation(
    "list_flavor_access", "GET", f"{_ONE}/os-flavor-access", "Which projects may use a flavor.",
    FlavorPath, FlavorAccess, since(1), errors=(NotFound,),
)  # fmt: skip
ADD_FLAVOR_ACCESS = ApiOperation(
    "change_flavor_access", "POST", f"{_ONE}/action", "Let a project use a flavor, or no longer.",
    FlavorAccessChange, FlavorAccess, since(1), has_body=True, errors=(NotFound, Conflict),
)  # fmt: skip


class FlavorCalls:
    """What carries out the operations on flavors.

    Args:
        cloud: the ports.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def all(self, asked: FlavorQuery, context: CallContext) -> Page[OfferedFlavor]:
        """Carry out `LIST_FLAVORS` and `LIST_FLAVORS_DETAIL`."""
        admin = is_admin(context.identity)
        public = asked.public if admin else True
        project = context.identity.project
        found = [
            it
            for it in self._cloud.flavors.flavors()
            if (public is None or it.public is public or (not admin and it.is_for(project)))
            and it.flavor.disk_gib >= asked.min_disk_gib
            and it.flavor.memory_mib >= asked.min_memory_mib
            and (not asked.names or it.flavor.name in asked.names)
        ]
        found.sort(key=lambda it: (_sort_value(it, asked.sort_key), it.flavor.id))
        if asked.down:
            found.reverse()
        if asked.marker is not None:
            ids = [it.flavor.id for it in found]
            if asked.marker not in ids:
                raise InvalidInput((Fault("marker", "not_found", "there is no such flavor"),))
            found = found[ids.index(asked.marker) + 1 :]
        some = tuple(found[: asked.limit])
        return Page(some, len(found) > asked.limit, asked.query_text)

    def show(self, asked: FlavorPath, context: CallContext) -> OfferedFlavor:
        """Carry out `SHOW_FLAVOR` and `LIST_EXTRA_SPECS`."""
        found = self._existing(asked.id)
        if not (is_admin(context.identity) or found.is_for(context.identity.project)):
            raise NotFound("flavor", asked.id)
        return found

    def create(self, asked: NewFlavor, _context: CallContext) -> OfferedFlavor:
        """Carry out `CREATE_FLAVOR`."""
        services, flavor = self._cloud.services, asked.flavor
        _check(flavor)
        if not flavor.id:
            flavor = attrs.evolve(flavor, id=FlavorId(new_uuid(services.random)))
        made = OfferedFlavor(flavor, services.clock.wall_s(), asked.description, asked.public)
        services.store.write(lambda tx: self._cloud.flavors.add_flavor(tx, made))
        return made

    def describe(self, asked: FlavorDescription, _context: CallContext) -> OfferedFlavor:
        """Carry out `DESCRIBE_FLAVOR`."""
        return self._change(asked.id, description=asked.description)

    def delete(self, asked: FlavorPath, _context: CallContext) -> None:
        """Carry out `DELETE_FLAVOR`."""

        def write(tx: Tx) -> None:
            self._existing(asked.id)
            self._cloud.flavors.delete_flavor(tx, asked.id)

        self._cloud.services.store.write(write)

    def set_specs(self, asked: ExtraSpecChange, _context: CallContext) -> OfferedFlavor:
        """Carry out `SET_EXTRA_SPECS` and `DELETE_EXTRA_SPEC`."""

        def write(tx: Tx) -> OfferedFlavor:
            found = self._existing(asked.id)
            specs: dict[str, str] = dict(found.flavor.extra_specs)
            for key, text in asked.specs.items():
                if text is not None:
                    specs[key] = text
                elif specs.pop(key, None) is None:
                    raise NotFound("extra spec", key)
            flavor = attrs.evolve(found.flavor, extra_specs=FrozenMap(specs))
            after = attrs.evolve(found, flavor=flavor)
            self._cloud.flavors.put_flavor(tx, after)
            return after

        return self._cloud.services.store.write(write)

    def show_spec(self, asked: ExtraSpecPath, context: CallContext) -> FrozenMap[str, str]:
        """Carry out `SHOW_EXTRA_SPEC`."""
        specs = self.show(FlavorPath(asked.id), context).flavor.extra_specs
        if asked.key not in specs:
            raise NotFound("extra spec", asked.key)
        return FrozenMap({asked.key: specs[asked.key]})

    def set_spec(self, asked: ExtraSpecChange, context: CallContext) -> FrozenMap[str, str]:
        """Carry out `SET_EXTRA_SPEC`; returns that one."""
        self.set_specs(asked, context)
        return FrozenMap({key: text for key, text in asked.specs.items() if text is not None})

    def access(self, asked: FlavorPath, _context: CallContext) -> FlavorAccess:
        """Carry out `LIST_FLAVOR_ACCESS`."""
        found = self._existing(asked.id)
        if found.public:
            raise NotFound("access list of flavor", asked.id)
        return FlavorAccess(asked.id, tuple(sorted(found.projects)))

    def change_access(self, asked: FlavorAccessChange, _context: CallContext) -> FlavorAccess:
        """Carry out `ADD_FLAVOR_ACCESS`."""
        found = self._existing(asked.id)
        subject = f"flavor {asked.id}"
        if asked.add and found.public:
            raise StateConflict(subject, "public", "not public")
        if asked.add and asked.project in found.projects:
            raise AlreadyExists("access of project", asked.project)
        if not asked.add and asked.project not in found.projects:
            raise NotFound("access of project", asked.project)
        projects = found.projects ^ {asked.project}
        after = self._change(asked.id, projects=projects)
        return FlavorAccess(asked.id, tuple(sorted(after.projects)))

    def _existing(self, flavor: FlavorId) -> OfferedFlavor:
        found = self._cloud.flavors.flavor(flavor)
        if found is None:
            raise NotFound("flavor", flavor)
        return found

    def _change(
        self,
        flavor: FlavorId,
        *,
        description: str | None = None,
        projects: frozenset[ProjectId] | None = None,
    ) -> OfferedFlavor:
        def write(tx: Tx) -> OfferedFlavor:
            found = self._existing(flavor)
            if projects is None:
                after = attrs.evolve(found, description=description)
            else:
                after = attrs.evolve(found, projects=projects)
            self._cloud.flavors.put_flavor(tx, after)
            return after

        return self._cloud.services.store.write(write)


def _sort_value(offered: OfferedFlavor, key: str) -> tuple[float, str]:
    flavor = offered.flavor
    numbers = {
        "memory_mb": flavor.memory_mib,
        "root_gb": flavor.disk_gib,
        "vcpus": flavor.vcpus,
        "swap": flavor.swap_mib,
        "ephemeral_gb": flavor.ephemeral_gib,
        "created_at": offered.created_s,
    }
    if key in numbers:
        return (numbers[key], "")
    return (0, flavor.name if key == "name" else flavor.id)


def _check(flavor: Flavor) -> None:
    faults: list[Fault] = []
    for path, text in (("name", flavor.name), ("id", flavor.id or "-")):
        try:
            check_name(text, path)
        except InvalidInput as error:
            faults.extend(error.faults)
    least = {
        "vcpus": (flavor.vcpus, 1),
        "ram": (flavor.memory_mib, 1),
        "disk": (flavor.disk_gib, 0),
        "OS-FLV-EXT-DATA:ephemeral": (flavor.ephemeral_gib, 0),
        "swap": (flavor.swap_mib, 0),
    }
    for path, (number, bound) in least.items():
        if not bound <= number <= _MOST_DB:
            faults.append(Fault(path, "range", f"{number} is not within {bound} and {_MOST_DB}"))
    if faults:
        raise InvalidInput(tuple(faults))
