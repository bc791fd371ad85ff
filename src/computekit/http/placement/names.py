"""Resource classes and traits on the wire."""

import msgspec

from computekit.api import Microversion
from computekit.api.placement.names import (
    STANDARD,
    ClassPath,
    ClassRename,
    KnownName,
    TraitPath,
    TraitQuery,
)
from computekit.clock import Clock
from computekit.errors import AlreadyExists, ComputekitError, InUse, NotFound
from computekit.http.placement.bodies import NameBody
from computekit.http.placement.body import Body, bad_request
from computekit.http.placement.query import TEXT, QuerySchema
from computekit.http.placement.words import bad, conflict, fault_of, missing
from computekit.http.problem import Problem
from computekit.http.wire import Answer, HttpRequest
from computekit.model import ResourceClass, Trait, is_custom_name

__all__ = [
    "ClassForm",
    "ClassPathForm",
    "ClassRenameForm",
    "ClassesForm",
    "EnsureClassForm",
    "EnsureTraitForm",
    "NewClassForm",
    "TraitForm",
    "TraitPathForm",
    "TraitsForm",
    "class_words",
    "create_class_words",
    "delete_class_words",
    "rename_class_words",
    "trait_words",
]

_NAME = Body(NameBody)
TRAITS_QUERY = QuerySchema({"name": TEXT, "associated": TEXT})


def _class_of(request: HttpRequest) -> ResourceClass:
    return ResourceClass(request.values["name"])


def _class_path(name: str) -> str:
    return f"/resource_classes/{name}"


def _class_said(name: str) -> dict[str, object]:
    return {"name": name, "links": [{"rel": "self", "href": _class_path(name)}]}


class ClassesForm:
    """All resource classes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> None:
        return None

    def render(self, output: tuple[KnownName, ...], version: Microversion) -> Answer:
        said = {"resource_classes": [_class_said(known.name) for known in output]}
        return Answer(200, msgspec.json.encode(said), modified_s=self._clock.wall_s())


class ClassForm:
    """One resource class."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> ClassPath:
        return ClassPath(_class_of(request))

    def render(self, output: KnownName, version: Microversion) -> Answer:
        body = msgspec.json.encode(_class_said(output.name))
        return Answer(200, body, modified_s=output.updated_s or self._clock.wall_s())


class ClassPathForm:
    """A resource class named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> ClassPath:
        return ClassPath(_class_of(request))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class NewClassForm:
    """A custom resource class that is to be made."""

    def parse(self, request: HttpRequest, version: Microversion) -> ClassPath:
        return ClassPath(ResourceClass(_NAME.parse(request.body).name))

    def render(self, output: KnownName, version: Microversion) -> Answer:
        return Answer(201, location=_class_path(output.name))


class ClassRenameForm:
    """Another name for a resource class."""

    def parse(self, request: HttpRequest, version: Microversion) -> ClassRename:
        name = _NAME.parse(request.body).name
        return ClassRename(_class_of(request), ResourceClass(name))

    def render(self, output: KnownName, version: Microversion) -> Answer:
        body = msgspec.json.encode(_class_said(output.name))
        return Answer(200, body, modified_s=output.updated_s)


class EnsureClassForm:
    """A custom resource class that is to be there."""

    def parse(self, request: HttpRequest, version: Microversion) -> ClassPath:
        name = _class_of(request)
        if not is_custom_name(name):
            _NAME.check(NameBody(name))
        return ClassPath(name)

    def render(self, output: KnownName, version: Microversion) -> Answer:
        return Answer(201 if output.new else 204, location=_class_path(output.name))


def class_words(error: ComputekitError, asked: ClassPath) -> Problem | None:
    """Say that a resource class is not there."""
    if isinstance(error, NotFound):
        return missing(error, f"No such resource class {asked.name}.", varies=False)
    return None


def create_class_words(error: ComputekitError, asked: ClassPath) -> Problem | None:
    """Say why a resource class was not made."""
    if isinstance(error, AlreadyExists):
        return conflict(error, f"Conflicting resource class already exists: {asked.name}")
    return None


def rename_class_words(error: ComputekitError, asked: ClassRename) -> Problem | None:
    """Say why a resource class kept its name."""
    if fault_of(error, STANDARD):
        return bad(error, f"Cannot update standard resource class {asked.name}")
    if isinstance(error, AlreadyExists):
        return conflict(error, f"Resource class already exists: {asked.new_name}")
    if isinstance(error, NotFound):
        return missing(error, f"No such resource class {asked.name}.", varies=False)
    return None


def delete_class_words(error: ComputekitError, asked: ClassPath) -> Problem | None:
    """Say why a resource class was not removed."""
    refused = "Error in delete resource class"
    if fault_of(error, STANDARD):
        return bad(error, f"{refused}: Cannot delete standard resource class {asked.name}.")
    if isinstance(error, InUse):
        return conflict(
            error,
            f"{refused}: Cannot delete resource class {asked.name}. Class is in use in inventory.",
        )
    return class_words(error, asked)


class TraitsForm:
    """A list of traits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> TraitQuery:
        last = TRAITS_QUERY.parse(request.query).last
        associated = last.get("associated")
        if associated is not None and associated.lower() not in ("true", "false"):
            raise bad_request('The query parameter "associated" only accepts "true" or "false"')
        prefix, among = "", None
        if (name := last.get("name")) is not None:
            how, colon, value = name.partition(":")
            if not colon:
                raise bad_request(
                    "Badly formatted name parameter. Expected name query string parameter in "
                    f'form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "{name}"'
                )
            if how == "in":
                among = frozenset(Trait(one) for one in value.split(","))
            elif how == "startswith":
                prefix = value
        return TraitQuery(
            prefix, among, None if associated is None else associated.lower() == "true"
        )

    def render(self, output: tuple[KnownName, ...], version: Microversion) -> Answer:
        body = msgspec.json.encode({"traits": [known.name for known in output]})
        return Answer(200, body, modified_s=self._clock.wall_s())


class TraitForm:
    """Whether there is a trait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def parse(self, request: HttpRequest, version: Microversion) -> TraitPath:
        return TraitPath(Trait(request.values["name"]))

    def render(self, output: KnownName, version: Microversion) -> Answer:
        return Answer(204, modified_s=output.updated_s or self._clock.wall_s())


class TraitPathForm:
    """A trait named by a path, and an answer without a body."""

    def parse(self, request: HttpRequest, version: Microversion) -> TraitPath:
        return TraitPath(Trait(request.values["name"]))

    def render(self, output: None, version: Microversion) -> Answer:
        return Answer(204)


class EnsureTraitForm:
    """A custom trait that is to be there."""

    def parse(self, request: HttpRequest, version: Microversion) -> TraitPath:
        name = request.values["name"]
        if not is_custom_name(name):
            raise bad_request(
                "The trait is invalid. A valid trait must be no longer than 255 characters, "
                'start with the prefix "CUSTOM_" and use following characters: "A"-"Z", '
                '"0"-"9" and "_"'
            )
        return TraitPath(Trait(name))

    def render(self, output: KnownName, version: Microversion) -> Answer:
        return Answer(
            201 if output.new else 204,
            location=f"/traits/{output.name}",
            modified_s=output.updated_s,
        )


def trait_words(error: ComputekitError, asked: TraitPath) -> Problem | None:
    """Say why a trait cannot be shown or removed."""
    if fault_of(error, STANDARD):
        return bad(error, f"Cannot delete standard trait {asked.name}.")
    if isinstance(error, InUse):
        return conflict(error, f"The trait {asked.name} is in use by a resource provider.")
    if isinstance(error, NotFound):
        return missing(error, f"No such trait(s): {asked.name}.")
    return None
