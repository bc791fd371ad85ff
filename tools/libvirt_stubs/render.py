"""The text of a stub."""

import ast
import keyword
from collections.abc import Iterable, Mapping

from tools.libvirt_stubs.api import Api
from tools.libvirt_stubs.binding import Binding, Class
from tools.libvirt_stubs.corrections import Corrections, Shape
from tools.libvirt_stubs.derive import Signature

__all__ = ["fields", "stub"]

_IMPORTABLE = {
    "collections.abc": ("Callable",),
    "types": ("TracebackType",),
    "typing": (
        "IO",
        "Final",
        "Literal",
        "TypeAlias",
        "TypeVar",
        "TypedDict",
        "overload",
        "type_check_only",
    ),
}


def stub(
    versions: str,
    api: Api,
    binding: Binding,
    corrections: Corrections,
    signatures: Mapping[str, Signature],
    borrowed: frozenset[str] = frozenset(),
) -> str:
    """Return the stub of one module; `borrowed` are the classes it takes from `libvirt`.

    Raises:
        ValueError: a constant is not in the API description, or a field's type is not known.
    """
    body = [
        *_constants(api, binding, corrections),
        "",
        *_aliases(corrections),
        *_shapes(api, binding, corrections),
        *_classes(binding.classes, signatures),
        "",
        *_functions(binding, signatures),
    ]
    text = "\n".join(body)
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    if "_T" in used:
        used.add("TypeVar")
        body.insert(0, '_T = TypeVar("_T")\n')
    head = [
        "# ruff: noqa",
        "# fmt: off",
        "# Made by tools/generate_libvirt_stubs.py: change its corrections, not this file.",
        f"# {versions}",
        "",
        *_imports(used, _IMPORTABLE),
        *_imports(used, {"libvirt": tuple(sorted(borrowed))}),
        "",
    ]
    return "\n".join([*head, *body]).rstrip("\n") + "\n"


def fields(shape: Shape, api: Api, constants: Mapping[str, int | str]) -> Mapping[str, str]:
    """Return the keys of `shape` and their types.

    Raises:
        ValueError: neither the API description nor the shape says the type of a field.
    """
    found: dict[str, str] = {}
    for macro, key in constants.items():
        if shape.macros is None or not macro.startswith(shape.macros) or isinstance(key, int):
            continue
        said = shape.fields.get(key) or api.field_types.get(macro) or shape.unstated
        if said is None:
            raise ValueError(f"the type of the field {macro} is not known: correct it")
        found[key] = said
    return {**found, **shape.fields}


def _imports(used: set[str], importable: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    for module, names in importable.items():
        wanted = [name for name in names if name in used]
        if wanted:
            yield f"from {module} import {', '.join(wanted)}"


def _constants(api: Api, binding: Binding, corrections: Corrections) -> Iterable[str]:
    unknown = sorted(set(binding.constants) - api.constants)
    if unknown:
        raise ValueError(f"{unknown[0]} is not in the API description")
    for name, value in binding.constants.items():
        yield f"{name}: Final[int]" if name in corrections.growing else f"{name}: Final = {value!r}"


def _aliases(corrections: Corrections) -> Iterable[str]:
    for name, value in corrections.aliases.items():
        yield f"{name}: TypeAlias = {value}"


def _shapes(api: Api, binding: Binding, corrections: Corrections) -> Iterable[str]:
    for name, shape in sorted(corrections.shapes.items()):
        keys = sorted(fields(shape, api, binding.constants).items())
        total = "" if shape.total else ", total=False"
        yield ""
        if all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in keys):
            yield "@type_check_only"
            yield f"class {name}(TypedDict{total}):"
            yield from (f"    {key}: {annotation}" for key, annotation in keys)
        else:
            inner = ", ".join(f'"{key}": {annotation}' for key, annotation in keys)
            yield f'{name} = TypedDict("{name}", {{{inner}}}{total})'


def _classes(classes: Iterable[Class], signatures: Mapping[str, Signature]) -> Iterable[str]:
    for cls in classes:
        yield ""
        yield f"class {cls.name}({', '.join(cls.bases)}):" if cls.bases else f"class {cls.name}:"
        for name, annotation in cls.attributes.items():
            yield f"    {name}: {annotation}"
        for method in cls.methods:
            for line in _definition(signatures[f"{cls.name}.{method.name}"], bound=True):
                yield f"    {line}"


def _functions(binding: Binding, signatures: Mapping[str, Signature]) -> Iterable[str]:
    for function in binding.functions:
        yield from _definition(signatures[function.name], bound=False)


def _definition(signature: Signature, *, bound: bool) -> Iterable[str]:
    if signature.overloads:
        for overload in signature.overloads:
            if len(signature.overloads) > 1:
                yield "@overload"
            yield f"def {signature.name}{overload}: ..."
        return
    parameters = ["self"] if bound else []
    for typed in signature.parameters:
        default = "" if typed.default is None else f" = {typed.default}"
        parameters.append(f"{typed.name}: {typed.annotation}{default}")
    yield f"def {signature.name}({', '.join(parameters)}) -> {signature.returns}: ..."
