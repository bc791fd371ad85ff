"""Operations on resource classes and traits."""

from collections.abc import Container, Mapping
from types import NoneType

import attrs

from computekit.api.context import CallContext
from computekit.api.operation import ApiOperation
from computekit.api.placement.base import Hosted, since
from computekit.errors import AlreadyExists, Fault, InUse, InvalidInput, NotFound
from computekit.model import ResourceClass, Trait, is_custom_name
from computekit.placement.names import standard_classes, standard_traits
from computekit.units import Seconds
from computekit.work import Tx

__all__ = [
    "CREATE_CLASS",
    "DELETE_CLASS",
    "DELETE_TRAIT",
    "ENSURE_CLASS",
    "ENSURE_TRAIT",
    "LIST_CLASSES",
    "LIST_TRAITS",
    "RENAME_CLASS",
    "SHOW_CLASS",
    "SHOW_TRAIT",
    "STANDARD",
    "ClassPath",
    "ClassRename",
    "KnownName",
    "NameCalls",
    "TraitPath",
    "TraitQuery",
]

STANDARD = "standard"
"""`Fault.code` of a standard name where only a custom one will do."""

_CLASS = "/resource_classes/{name}"
_TRAIT = "/traits/{name}"


@attrs.frozen
class ClassPath:
    """Which resource class.

    Attributes:
        name: of the class.
    """

    name: ResourceClass


@attrs.frozen
class ClassRename:
    """Another name for a custom resource class.

    Attributes:
        name: that it has.
        new_name: that it is to have.
    """

    name: ResourceClass
    new_name: ResourceClass


@attrs.frozen
class TraitPath:
    """Which trait.

    Attributes:
        name: of the trait.
    """

    name: Trait


@attrs.frozen
class TraitQuery:
    """Which traits are asked for.

    Attributes:
        prefix: only those that begin so.
        among: only those of these; None for all.
        associated: only those that some provider has (True), or that none has (False).
    """

    prefix: str = ""
    among: frozenset[Trait] | None = None
    associated: bool | None = None


@attrs.frozen
class KnownName:
    """A resource class or a trait.

    Attributes:
        name: of it.
        updated_s: when it became known, in seconds since the Unix epoch.
        new: whether this call made it.
    """

    name: str
    updated_s: Seconds
    new: bool = False


LIST_CLASSES = ApiOperation(
    name="list_resource_classes",
    method="GET",
    path="/resource_classes",
    summary="All resource classes.",
    input=NoneType,
    output=tuple[KnownName, ...],
    since=since(2),
)

CREATE_CLASS = ApiOperation(
    name="create_resource_class",
    method="POST",
    path="/resource_classes",
    summary="Make a custom resource class.",
    input=ClassPath,
    output=KnownName,
    since=since(2),
    has_body=True,
    errors=(AlreadyExists,),
)

SHOW_CLASS = ApiOperation(
    name="show_resource_class",
    method="GET",
    path=_CLASS,
    summary="One resource class.",
    input=ClassPath,
    output=KnownName,
    since=since(2),
    errors=(NotFound,),
)

RENAME_CLASS = ApiOperation(
    name="rename_resource_class",
    method="PUT",
    path=_CLASS,
    summary="Give a custom resource class another name.",
    input=ClassRename,
    output=KnownName,
    since=since(2),
    until=since(6),
    has_body=True,
    errors=(NotFound, AlreadyExists),
)

ENSURE_CLASS = ApiOperation(
    name="ensure_resource_class",
    method="PUT",
    path=_CLASS,
    summary="Make a custom resource class unless it is there.",
    input=ClassPath,
    output=KnownName,
    since=since(7),
)

DELETE_CLASS = ApiOperation(
    name="delete_resource_class",
    method="DELETE",
    path=_CLASS,
    summary="Remove a custom resource class.",
    input=ClassPath,
    output=NoneType,
    since=since(2),
    errors=(NotFound, InUse),
)

LIST_TRAITS = ApiOperation(
    name="list_traits",
    method="GET",
    path="/traits",
    summary="Traits that match.",
    input=TraitQuery,
    output=tuple[KnownName, ...],
    since=since(6),
)

SHOW_TRAIT = ApiOperation(
    name="show_trait",
    method="GET",
    path=_TRAIT,
    summary="Whether there is a trait.",
    input=TraitPath,
    output=KnownName,
    since=since(6),
    errors=(NotFound,),
)

ENSURE_TRAIT = ApiOperation(
    name="ensure_trait",
    method="PUT",
    path=_TRAIT,
    summary="Make a custom trait unless it is there.",
    input=TraitPath,
    output=KnownName,
    since=since(6),
)

DELETE_TRAIT = ApiOperation(
    name="delete_trait",
    method="DELETE",
    path=_TRAIT,
    summary="Remove a custom trait.",
    input=TraitPath,
    output=NoneType,
    since=since(6),
    errors=(NotFound, InUse),
)


class NameCalls:
    """What carries out the operations on resource classes and traits.

    Args:
        placement: keeps the books.
    """

    def __init__(self, placement: Hosted) -> None:
        self._placement = placement

    def classes(self, _asked: None, _context: CallContext) -> tuple[KnownName, ...]:
        """Carry out `LIST_CLASSES`."""
        return _listed(self._placement.books.resource_classes())

    def show_class(self, asked: ClassPath, _context: CallContext) -> KnownName:
        """Carry out `SHOW_CLASS`."""
        return self._class(asked.name)

    def create_class(self, asked: ClassPath, context: CallContext) -> KnownName:
        """Carry out `CREATE_CLASS`."""
        made = self.ensure_class(asked, context)
        if not made.new:
            raise AlreadyExists("resource class", asked.name)
        return made

    def ensure_class(self, asked: ClassPath, _context: CallContext) -> KnownName:
        """Carry out `ENSURE_CLASS`."""
        books = self._placement.books

        def write(tx: Tx) -> KnownName:
            new = books.create_resource_class(tx, asked.name)
            return self._class(asked.name, new)

        return self._placement.store.write(write)

    def rename_class(self, asked: ClassRename, _context: CallContext) -> KnownName:
        """Carry out `RENAME_CLASS`."""
        books = self._placement.books
        _check_custom("resource class", asked.name, standard_classes())

        def write(tx: Tx) -> KnownName:
            books.rename_resource_class(tx, asked.name, asked.new_name)
            return self._class(asked.new_name)

        return self._placement.store.write(write)

    def delete_class(self, asked: ClassPath, _context: CallContext) -> None:
        """Carry out `DELETE_CLASS`."""
        books = self._placement.books
        _check_custom("resource class", asked.name, standard_classes())
        self._placement.store.write(lambda tx: books.delete_resource_class(tx, asked.name))

    def traits(self, asked: TraitQuery, _context: CallContext) -> tuple[KnownName, ...]:
        """Carry out `LIST_TRAITS`."""
        books = self._placement.books
        found = _listed(books.traits(asked.prefix, associated=asked.associated))
        if asked.among is None:
            return found
        return tuple(known for known in found if known.name in asked.among)

    def show_trait(self, asked: TraitPath, _context: CallContext) -> KnownName:
        """Carry out `SHOW_TRAIT`."""
        return self._trait(asked.name)

    def ensure_trait(self, asked: TraitPath, _context: CallContext) -> KnownName:
        """Carry out `ENSURE_TRAIT`."""
        books = self._placement.books

        def write(tx: Tx) -> KnownName:
            new = books.create_trait(tx, asked.name)
            return self._trait(asked.name, new)

        return self._placement.store.write(write)

    def delete_trait(self, asked: TraitPath, _context: CallContext) -> None:
        """Carry out `DELETE_TRAIT`."""
        books = self._placement.books
        _check_custom("trait", asked.name, standard_traits())
        self._placement.store.write(lambda tx: books.delete_trait(tx, asked.name))

    def _class(self, name: ResourceClass, new: bool = False) -> KnownName:
        since_s = self._placement.books.class_since(name)
        if since_s is None:
            raise NotFound("resource class", name)
        return KnownName(name, since_s, new)

    def _trait(self, name: Trait, new: bool = False) -> KnownName:
        since_s = self._placement.books.trait_since(name)
        if since_s is None:
            raise NotFound("trait", name)
        return KnownName(name, since_s, new)


def _listed(
    known: Mapping[ResourceClass, Seconds] | Mapping[Trait, Seconds],
) -> tuple[KnownName, ...]:
    return tuple(KnownName(name, updated_s) for name, updated_s in known.items())


def _check_custom(kind: str, name: str, standard: Container[str]) -> None:
    if name in standard:
        raise InvalidInput((Fault("name", STANDARD, f"{name} is a standard name"),))
    if not is_custom_name(name):
        raise NotFound(kind, name)
