"""libvirt's own description of its C API, read from the XML that it installs."""

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import attrs

__all__ = ["Api", "Argument", "Function", "read", "version"]

_FIELD_TYPE = re.compile(
    r"VIR_TYPED_PARAMS?_([A-Z]+)|as an? (?:unsigned |u|ul)?(int|long|llong|string)", re.IGNORECASE
)
_PYTHON_OF_FIELD = {"string": "str", "double": "float", "boolean": "bool"}


@attrs.frozen
class Argument:
    """One argument of a C function; `nullable` when its description speaks of NULL."""

    name: str
    c_type: str
    nullable: bool


@attrs.frozen
class Function:
    """The prototype of one C function."""

    name: str
    returns: str
    arguments: tuple[Argument, ...]


@attrs.frozen
class Api:
    """Functions, constants and typed-parameter fields of one module.

    `field_types` maps the macro that names a typed-parameter field to the Python type that its
    description states; a macro whose description states none is missing.
    """

    functions: Mapping[str, Function]
    constants: frozenset[str]
    field_types: Mapping[str, str]


def version(path: Path) -> str:
    """Return the version that the main API description at `path` is of.

    Raises:
        ValueError: the description names none.
    """
    for node in ElementTree.parse(path).getroot().iter("macro"):
        if node.attrib["name"] == "LIBVIR_VERSION_NUMBER":
            number = int(node.attrib["raw"])
            return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
    raise ValueError(f"{path} has no LIBVIR_VERSION_NUMBER")


def read(path: Path) -> Api:
    """Return what the API description at `path` says."""
    root = ElementTree.parse(path).getroot()
    macros = list(root.iter("macro"))
    return Api(
        functions={name: _function(name, node) for name, node in _named(root, "function")},
        constants=frozenset(
            [name for name, _ in _named(root, "enum")]
            + [node.attrib["name"] for node in macros if "string" in node.attrib]
        ),
        field_types={
            node.attrib["name"]: stated
            for node in macros
            if "string" in node.attrib and (stated := _field_type(node)) is not None
        },
    )


def _named(root: ElementTree.Element, tag: str) -> list[tuple[str, ElementTree.Element]]:
    # The file index at the top uses other tags, so every such element is a definition.
    return [(node.attrib["name"], node) for node in root.iter(tag)]


def _function(name: str, node: ElementTree.Element) -> Function:
    returned = node.find("return")
    return Function(
        name=name,
        returns="void" if returned is None else returned.attrib["type"],
        arguments=tuple(
            Argument(
                name=argument.attrib["name"],
                c_type=argument.attrib["type"],
                nullable=re.search(r"\bNULL\b", argument.attrib.get("info", "")) is not None,
            )
            for argument in node.findall("arg")
        ),
    )


def _field_type(node: ElementTree.Element) -> str | None:
    found = _FIELD_TYPE.search(" ".join((node.findtext("info") or "").split()))
    if found is None:
        return None
    stated = (found[1] or found[2]).lower()
    return _PYTHON_OF_FIELD.get(stated, "int")
