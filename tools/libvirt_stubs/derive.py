"""From C prototypes and corrections to Python signatures.

A prototype says enough when its arguments, read from left to right, are plain values, known
pairs (an array and its length) and at most one known way to return through a pointer. Everything
else must be in the table of corrections, and nothing may be there that the prototype says already.
"""

from collections.abc import Iterable, Mapping

import attrs

from tools.libvirt_stubs.api import Api, Argument, Function
from tools.libvirt_stubs.binding import Binding, Method, Parameter
from tools.libvirt_stubs.corrections import Callbacks, Correction, Corrections

__all__ = ["Fault", "Signature", "Typed", "derive"]

_PLAIN = {
    "int": "int",
    "unsigned int": "int",
    "long long": "int",
    "unsigned long": "int",
    "unsigned long long": "int",
    "size_t": "int",
    "const char *": "str",
    "const unsigned char *": "bytes",
}
_RETURNS = {**_PLAIN, "char *": "str", "void": "None"}
_TAKEN_PAIRS = {
    ("virTypedParameterPtr", "int"): "TypedParameters",
    ("virTypedParameterPtr", "unsigned int"): "TypedParameters",
    ("const char **", "unsigned int"): "list[str]",
    ("unsigned int", "int *"): "list[int]",
    ("unsigned char *", "int"): "tuple[bool, ...]",
}
_GIVEN_PAIRS = {
    ("virTypedParameterPtr", "int *"): "TypedParameters",
    ("virTypedParameterPtr *", "int *"): "TypedParameters",
    ("virTypedParameterPtr *", "unsigned int *"): "TypedParameters",
    ("char ** const", "int"): "list[str]",
    ("char **", "int"): "list[str]",
}
_GIVEN = {
    "int *": "int",
    "long long *": "int",
    "unsigned long *": "int",
    "unsigned long long *": "int",
    "char *": "str",
    "char ***": "list[str]",
    "unsigned char *": "bytes",
}
_CONSTRUCTED_FROM = {
    "conn": "virConnect",
    "dom": "virDomain",
    "net": "virNetwork",
    "_obj": "object | None",
}


@attrs.frozen
class Typed:
    """A parameter with its type; `default` is its source text."""

    name: str
    annotation: str
    default: str | None


@attrs.frozen
class Signature:
    """A method with its types; `overloads` replace them where one signature does not say it.

    `claimed_return` is what the binding's generator printed.
    """

    name: str
    parameters: tuple[Typed, ...]
    returns: str
    overloads: tuple[str, ...]
    claimed_return: str | None
    corrected: bool


@attrs.frozen
class Fault:
    """A method whose types cannot be told, or a correction that is not needed or not used."""

    name: str
    problem: str


@attrs.frozen
class _Derived:
    parameters: tuple[tuple[str, bool], ...]
    returns: str


def derive(
    api: Api, binding: Binding, corrections: Corrections, classes: frozenset[str]
) -> tuple[Mapping[str, Signature], tuple[Fault, ...]]:
    """Return the signature of everything callable in `binding`, and every fault.

    `classes` are the names that may be used as types. The keys are `class.method` and
    `function`, as in the corrections; signatures that have a fault are missing.
    """
    signatures: dict[str, Signature] = {}
    faults: list[Fault] = []
    unused = set(corrections.methods) | set(corrections.callbacks)
    for owner, method in _callables(binding):
        key = method.name if owner is None else f"{owner}.{method.name}"
        of_any_class = f"*.{method.name}"
        unused -= {key, of_any_class}
        derived = _from_prototypes(api, classes, owner, method)
        correction = corrections.methods.get(key) or corrections.methods.get(of_any_class)
        callbacks = corrections.callbacks.get(key)
        if callbacks is not None:
            correction = Correction(overloads=_overloads(callbacks, binding.constants))
        outcome = _signature(key, method, derived, correction or Correction())
        if isinstance(outcome, Fault):
            faults.append(outcome)
        else:
            signatures[key] = outcome
    faults += [Fault(key, "there is no such method") for key in sorted(unused)]
    return signatures, tuple(faults)


def _callables(binding: Binding) -> Iterable[tuple[str | None, Method]]:
    for cls in binding.classes:
        for method in cls.methods:
            yield cls.name, method
    for function in binding.functions:
        yield None, function


def _from_prototypes(
    api: Api, classes: frozenset[str], owner: str | None, method: Method
) -> _Derived | None:
    if method.name == "__init__":
        types = [_CONSTRUCTED_FROM.get(parameter.name) for parameter in method.parameters]
        known = tuple((annotation, False) for annotation in types if annotation is not None)
        return _Derived(known, "None") if len(known) == len(types) else None
    if method.name == "__del__":
        return _Derived((), "None")
    called = [name for name in sorted(method.calls) if name in api.functions]
    if len(called) != 1:
        return None
    return _from_prototype(api.functions[called[0]], classes, owner, method.parameters)


def _from_prototype(
    function: Function,
    classes: frozenset[str],
    owner: str | None,
    parameters: tuple[Parameter, ...],
) -> _Derived | None:
    arguments = function.arguments
    if owner is not None and arguments and arguments[0].c_type == f"{owner}Ptr":
        arguments = arguments[1:]
    read = _read_arguments(arguments, classes)
    if read is None:
        return None
    taken, given = read
    returns = _RETURNS.get(function.returns) or _object(function.returns, classes)
    if len(taken) != len(parameters) or returns is None:
        return None
    if given:
        # What comes through a pointer replaces a return value that only counts or signals.
        return _Derived(taken, given[0]) if given[1:] == () and returns == "int" else None
    return _Derived(taken, returns)


def _read_arguments(
    arguments: tuple[Argument, ...], classes: frozenset[str]
) -> tuple[tuple[tuple[str, bool], ...], tuple[str, ...]] | None:
    """Return what Python takes (type, may be None) and what it gets back; None if unknown."""
    taken: list[tuple[str, bool]] = []
    given: list[str] = []
    rest = list(arguments)
    while rest:
        first = rest.pop(0)
        pair = (first.c_type, rest[0].c_type) if rest else None
        if pair in _TAKEN_PAIRS:
            taken.append((_TAKEN_PAIRS[pair], False))
            rest.pop(0)
        elif pair in _GIVEN_PAIRS:
            given.append(_GIVEN_PAIRS[pair])
            rest.pop(0)
        elif first.c_type in _GIVEN:
            given.append(_GIVEN[first.c_type])
        elif plain := _PLAIN.get(first.c_type) or _object(first.c_type, classes):
            taken.append((plain, first.nullable and plain == "str"))
        elif element := _object(first.c_type.removesuffix(" **"), classes):
            given.append(f"list[{element}]")
        else:
            return None
    return tuple(taken), tuple(given)


def _object(c_type: str, classes: frozenset[str]) -> str | None:
    name = c_type.removesuffix("Ptr")
    return name if name != c_type and name in classes else None


def _signature(
    key: str, method: Method, derived: _Derived | None, correction: Correction
) -> Signature | Fault:
    parameters: list[Typed] = []
    for position, parameter in enumerate(method.parameters):
        said = None if derived is None else _parameter(parameter, *derived.parameters[position])
        right = correction.params.get(parameter.name)
        if right is None and said is None and not correction.overloads:
            return Fault(key, f"the type of {parameter.name!r} is not known: correct it")
        if right is not None and right == said:
            return Fault(key, f"the correction of {parameter.name!r} says what C says")
        parameters.append(Typed(parameter.name, right or said or "object", parameter.default))
    wrong = sorted(set(correction.params) - {parameter.name for parameter in method.parameters})
    if wrong:
        return Fault(key, f"there is no parameter {wrong[0]!r}")
    derived_return = None if derived is None else derived.returns
    if derived_return is not None and correction.returns == derived_return:
        return Fault(key, "the correction of the return type says what C says")
    returns = correction.returns or derived_return
    if returns is None and not correction.overloads:
        return Fault(key, "the return type is not known: correct it")
    return Signature(
        name=method.name,
        parameters=tuple(parameters),
        returns=returns or "object",
        overloads=correction.overloads,
        claimed_return=method.claimed_return,
        corrected=correction != Correction(),
    )


def _parameter(parameter: Parameter, annotation: str, nullable: bool) -> str:
    optional = nullable or parameter.default == "None"
    return f"{annotation} | None" if optional and "None" not in annotation else annotation


def _overloads(callbacks: Callbacks, constants: Mapping[str, int | str]) -> tuple[str, ...]:
    by_arguments: dict[tuple[str, ...], list[str]] = {}
    for event, arguments in callbacks.events.items():
        by_arguments.setdefault(arguments, []).append(str(constants[event]))
    return tuple(
        f"(self, {callbacks.parameter}: {callbacks.subject} | None, "
        f"eventID: Literal[{', '.join(events)}], "
        f"cb: Callable[[{', '.join(('virConnect', callbacks.subject, *arguments, '_T'))}], object],"
        f" opaque: _T) -> int"
        for arguments, events in by_arguments.items()
    )
