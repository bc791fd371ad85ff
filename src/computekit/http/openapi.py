"""OpenAPI 3.1 from endpoints: what the newest microversion looks like."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

import attrs
import msgspec

from computekit.api import Rule, VersionRange
from computekit.http.endpoint import Endpoint
from computekit.http.negotiation import HEADER
from computekit.http.wire import JSON

__all__ = ["NetworkErrors", "Shape", "openapi", "plain_openapi"]

Json = dict[str, object]

REFERENCE = "#/components/schemas/{name}"


@attrs.frozen
class Shape:
    """What an operation looks like on the wire.

    Attributes:
        answers: the type of the body of each status; None for an answer without one.
        body: the type of what is asked; None for a request without a body; `bytes`, here and in
            answers, for what is no JSON.
        query: the JSON schema of all query parameters as one object.
    """

    answers: Mapping[int, object | None]
    body: object | None = None
    query: Mapping[str, object] = MappingProxyType({})


class Link(msgspec.Struct):
    """Where something else is."""

    rel: str
    href: str


class Error(msgspec.Struct):
    """One thing that went wrong."""

    status: int
    title: str
    detail: str
    request_id: str
    code: str | msgspec.UnsetType = msgspec.UNSET


class Errors(msgspec.Struct):
    """Why a request was refused."""

    errors: list[Error]


class PlainError(msgspec.Struct):
    """What went wrong."""

    code: int
    title: str
    message: str
    request_id: str


class PlainErrors(msgspec.Struct):
    """Why a request was refused."""

    error: PlainError


class NetworkErrors(msgspec.Struct, rename={"error": "NeutronError"}):
    """Why a request was refused."""

    error: PlainError


def plain_openapi(
    title: str,
    release: str,
    versions: VersionRange,
    endpoints: Iterable[Endpoint],
    shapes: Mapping[str, Shape],
    refusal: object = PlainErrors,
) -> Json:
    """Return the document of a service without microversions; arguments as of `openapi`.

    Raises:
        KeyError: an endpoint has no shape.
    """
    document = openapi(title, release, versions, endpoints, shapes, refusal)
    del cast("Json", document["components"])["parameters"]
    cast("Json", document["info"])["summary"] = f"Version {versions.newest}."
    for at in cast("Mapping[str, Mapping[str, Json]]", document["paths"]).values():
        for said in at.values():
            parameters = cast("Sequence[Json]", said["parameters"])
            said["parameters"] = [it for it in parameters if "$ref" not in it]
    return document


def openapi(
    title: str,
    release: str,
    versions: VersionRange,
    endpoints: Iterable[Endpoint],
    shapes: Mapping[str, Shape],
    refusal: object = Errors,
) -> Json:
    """Return the document.

    Args:
        title: of the API.
        release: of the program that serves it.
        versions: the microversions that it speaks; the newest is described.
        endpoints: those of all versions; what the newest does not have is left out.
        shapes: what each looks like, by name.
        refusal: the type of the body of what is refused.

    Raises:
        KeyError: an endpoint has no shape.
    """
    described = [it for it in endpoints if it.speaks(versions.newest)]
    types = _types((shapes[it.name] for it in described), refusal)
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    for component in components.values():
        _relax(component)
    by_type = {id(type_): schema for type_, schema in zip(types, schemas, strict=True)}
    paths: dict[str, Json] = {}
    for it in described:
        at = paths.setdefault(it.path, {})
        at[it.method.lower()] = _operation(it, shapes[it.name], versions, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": release,
            "summary": f"Microversions {versions.oldest} to {versions.newest}; this is the newest.",
        },
        "security": [{"token": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "basic": {"type": "http", "scheme": "basic"},
            },
            "responses": {
                "refused": {
                    "description": "Refused; nothing has changed.",
                    "content": {JSON: {"schema": by_type[id(refusal)]}},
                }
            },
            "parameters": {
                "version": {
                    "name": HEADER,
                    "in": "header",
                    "description": "Which form is spoken; without it, the oldest.",
                    "schema": {"type": "string", "enum": [f"{versions.service} {versions.newest}"]},
                    "required": True,
                }
            },
        },
    }


def _relax(component: Json) -> None:
    """Let members be missing that older versions have and the newest does not."""
    properties = cast("Mapping[str, Json]", component.get("properties", {}))
    required = cast("Sequence[str]", component.get("required", ()))
    if required:
        component["required"] = [it for it in required if "x-until" not in properties[it]]


def _types(shapes: Iterable[Shape], refusal: object) -> Sequence[object]:
    found: dict[int, object] = {id(refusal): refusal}
    for shape in shapes:
        for type_ in (shape.body, *shape.answers.values()):
            if type_ not in (None, bytes):
                found[id(type_)] = type_
    return tuple(found.values())


def _operation(
    it: Endpoint, shape: Shape, versions: VersionRange, schemas: Mapping[int, object]
) -> Json:
    refused = {"$ref": "#/components/responses/refused"}
    said: Json = {
        "operationId": it.name,
        "summary": it.summary,
        "parameters": [*_of_path(it.path), *_of_query(shape.query)],
        "responses": {
            **{str(status): _answer(it, type_, schemas) for status, type_ in shape.answers.items()},
            "4XX": refused,
            "5XX": refused,
        },
        "x-since": f"{versions.service} {it.since}",
        "x-rule": it.rule.value,
    }
    if it.rule is Rule.ANYONE:
        said["security"] = []
    if shape.body is not None:
        content = _content(it.body_types, shape.body, schemas)
        said["requestBody"] = {"required": True, "content": content}
    return said


def _answer(it: Endpoint, type_: object | None, schemas: Mapping[int, object]) -> Json:
    if type_ is None:
        return {"description": "Done; nothing to show."}
    media_types = it.media_types if type_ is bytes else (JSON,)
    return {"description": "Done.", "content": _content(media_types, type_, schemas)}


def _content(
    media_types: Iterable[str], type_: object, schemas: Mapping[int, object]
) -> dict[str, Json]:
    said: Json = {} if type_ is bytes else {"schema": schemas[id(type_)]}
    return dict.fromkeys(media_types, said)


def _of_path(path: str) -> list[Json]:
    version: list[Json] = [{"$ref": "#/components/parameters/version"}]
    return version + [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _of_query(schema: Mapping[str, object]) -> list[Json]:
    properties = cast("Mapping[str, Json]", schema.get("properties", {}))
    required = cast("Sequence[str]", schema.get("required", ()))
    found: list[Json] = [
        {"name": name, "in": "query", "schema": dict(of)}
        | ({"required": True} if name in required else {})
        for name, of in properties.items()
    ]
    if patterns := schema.get("patternProperties"):
        # Parameters whose names have a suffix: an object, each member of which is one.
        spread = {"type": "object", "patternProperties": patterns, "additionalProperties": False}
        found.append(
            {"name": "groups", "in": "query", "style": "form", "explode": True, "schema": spread}
        )
    return found
