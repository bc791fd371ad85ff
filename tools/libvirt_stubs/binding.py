"""The installed Python binding, by introspection: names, parameters and defaults, no text.

Its annotations are kept only to be compared with: many of them are false, because the binding's
generator prints the C type of a function whose hand-written wrapper returns something else.
"""

import inspect
from collections.abc import Mapping
from types import FunctionType, ModuleType

import attrs

__all__ = ["Binding", "Class", "Method", "Parameter", "inspect_binding"]

SPECIAL = frozenset({"__init__", "__del__", "__enter__", "__exit__"})


@attrs.frozen
class Parameter:
    """A parameter; `default` is its source text, None when it has no default."""

    name: str
    default: str | None


@attrs.frozen
class Method:
    """A function or method; `calls` names what its bytecode refers to, C functions among them."""

    name: str
    parameters: tuple[Parameter, ...]
    calls: frozenset[str]
    claimed_return: str | None


@attrs.frozen
class Class:
    """A class of the binding."""

    name: str
    bases: tuple[str, ...]
    methods: tuple[Method, ...]
    attributes: Mapping[str, str]


@attrs.frozen
class Binding:
    """What one module of the binding offers; every part sorted by name."""

    classes: tuple[Class, ...]
    functions: tuple[Method, ...]
    constants: Mapping[str, int | str]


def inspect_binding(module: ModuleType) -> Binding:
    """Return the public surface of `module`."""
    members = sorted(vars(module).items())
    return Binding(
        classes=tuple(
            _class(value)
            for _, value in members
            if inspect.isclass(value) and value.__module__ == module.__name__
        ),
        functions=tuple(
            _method(name, value, bound=False)
            for name, value in members
            if isinstance(value, FunctionType)
            and value.__module__ == module.__name__
            and not name.startswith("_")
        ),
        constants={
            name: value
            for name, value in members
            if isinstance(value, int | str) and not name.startswith("_")
        },
    )


def _class(value: type) -> Class:
    members = sorted(vars(value).items())
    return Class(
        name=value.__name__,
        bases=tuple(base.__name__ for base in value.__bases__ if base is not object),
        methods=tuple(
            _method(name, member, bound=True)
            for name, member in members
            if isinstance(member, FunctionType) and (not name.startswith("_") or name in SPECIAL)
        ),
        attributes={
            name: type(member).__name__
            for name, member in members
            if isinstance(member, int | str) and not name.startswith("_")
        },
    )


def _method(name: str, function: FunctionType, *, bound: bool) -> Method:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    # Text is what the binding's generator wrote; objects were written by hand.
    claimed = signature.return_annotation
    return Method(
        name=name,
        parameters=tuple(
            Parameter(
                parameter.name,
                None if parameter.default is parameter.empty else repr(parameter.default),
            )
            for parameter in parameters[1 if bound else 0 :]
        ),
        calls=frozenset(function.__code__.co_names),
        claimed_return=claimed.removeprefix("libvirt.") if isinstance(claimed, str) else None,
    )
