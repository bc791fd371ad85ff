"""The JSON Schema of a form, made of the same types that read it (JSON Schema 2020-12)."""

import inspect
import math
import re
import types
from typing import Literal, TypeAlias, Union

import attrs

from computekit.forms.constraints import Number, String, Whole
from computekit.forms.reading import fields_of, kind_of
from computekit.model import FrozenMap

__all__ = ["form_lines", "json_schema"]

Schema: TypeAlias = "dict[str, str | int | float | bool | Schema | list[Schema] | list[str]]"

_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {6,}.*)*)", re.MULTILINE)


def json_schema(kind: type[attrs.AttrsInstance], title: str) -> Schema:
    """Return the schema of JSON that `read_form` takes for a class.

    What is said of the fields is what the class's docstring says of its attributes.
    """
    definitions: dict[str, Schema] = {}
    found: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_object(kind, definitions),
    }
    definitions.pop(kind.__name__, None)
    if definitions:
        found["$defs"] = {name: definitions[name] for name in sorted(definitions)}
    return found


def _of(kind: object, definitions: dict[str, Schema]) -> Schema:
    taken = kind_of(kind)
    bare, origin, arguments, notes = taken.bare, taken.origin, taken.arguments, taken.notes
    if origin is Union or origin is types.UnionType:
        return {"anyOf": [_of(one, definitions) for one in arguments]}
    if origin is Literal:
        return {"enum": [str(word) for word in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _of(arguments[0], definitions)}
    if origin is frozenset:
        return {"type": "array", "items": _of(arguments[0], definitions)}
    if origin is FrozenMap:
        names, values = (_of(one, definitions) for one in arguments)
        return {"type": "object", "propertyNames": names, "additionalProperties": values}
    if isinstance(bare, type) and attrs.has(bare):
        if bare.__name__ not in definitions:
            definitions[bare.__name__] = {}
            definitions[bare.__name__] = _object(bare, definitions)
        return {"$ref": f"#/$defs/{bare.__name__}"}
    return _scalar(bare, notes)


def _object(kind: type[attrs.AttrsInstance], definitions: dict[str, Schema]) -> Schema:
    about = inspect.getdoc(kind) or ""
    said = {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(f"\n{about}")}
    properties: Schema = {}
    fields = fields_of(kind)
    for name, (of_field, _needed) in fields.items():
        properties[name] = {"description": said.get(name, ""), **_of(of_field, definitions)}
    found: Schema = {
        "description": " ".join(about.partition("\n\n")[0].split()),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    needed = [name for name, (_type, needed) in fields.items() if needed]
    if needed:
        found["required"] = needed
    return found


def _scalar(bare: object, notes: tuple[object, ...]) -> Schema:
    names: dict[object, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if bare is None or bare is type(None):
        return {"type": "null"}
    found: Schema = {"type": names[bare]}
    if bare is str:
        for rule in (note for note in notes if isinstance(note, String)):
            found |= {"minLength": rule.least, "maxLength": rule.most}
            if rule.pattern is not None:
                found["pattern"] = f"^(?:{rule.pattern})$"
    for note in notes:
        if isinstance(note, Whole):
            found |= {"minimum": note.least, "maximum": note.most}
        elif isinstance(note, Number):
            found |= {
                word: bound
                for word, bound in (("minimum", note.least), ("maximum", note.most))
                if math.isfinite(bound)
            }
    return found


def form_lines(schema: Schema) -> list[str]:
    """Return the objects of a schema as Markdown: a table of the members of each."""
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, dict)
    lines = _table(schema)
    for name, found in definitions.items():
        assert isinstance(found, dict)
        lines += [f"### {name}", "", str(found["description"]), "", *_table(found)]
    return lines


def _table(schema: Schema) -> list[str]:
    properties, needed = schema["properties"], schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(needed, list)
    lines = ["| member | holds | is |", "| --- | --- | --- |"]
    for name, of in properties.items():
        assert isinstance(of, dict)
        must = ", needed" if name in needed else ""
        lines.append(f"| `{name}` | {_holds(of)}{must} | {of['description']} |")
    return [*lines, ""]


def _holds(of: Schema) -> str:
    """Return in a few words what a schema takes."""
    match of:
        case {"$ref": str(ref)}:
            return f"[{ref.rpartition('/')[2]}](#{ref.rpartition('/')[2].lower()})"
        case {"anyOf": list(kinds)}:
            return " or ".join(_holds(kind) for kind in kinds if isinstance(kind, dict))
        case {"enum": list(words)}:
            return " or ".join(f"`{word}`" for word in words)
        case {"type": "array", "items": dict(items)}:
            return f"array of {_holds(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"{_holds(values)} by name"
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"whole number, {least} to {most}"
        case {"type": str(word)}:
            names = {"string": "text", "boolean": "true or false", "integer": "whole number"}
            return names.get(word, word)
    return "anything"
