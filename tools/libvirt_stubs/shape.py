"""Does a value have the type that a stub states? Reads the stub, needs no type checker."""

import ast
from collections.abc import Iterable, Mapping
from types import ModuleType

import attrs

__all__ = ["Stub", "read"]

_ATOMS: Mapping[str, type] = {
    "bool": bool,
    "bytes": bytes,
    "float": float,
    "int": int,
    "str": str,
}


@attrs.frozen
class _Dict:
    fields: Mapping[str, ast.expr]
    total: bool


@attrs.frozen
class Stub:
    """A stub's types: of results, and of what callbacks are given.

    `module` is the real module, where the stub's classes live. `closed` says that a dict may have
    no other keys than those stated: true for the version that the stub was made from.
    """

    module: ModuleType
    closed: bool
    _aliases: Mapping[str, ast.expr]
    _dicts: Mapping[str, _Dict]
    _methods: Mapping[str, tuple[ast.FunctionDef, ...]]

    def methods(self) -> frozenset[str]:
        """Return every `class.method` and `function` in the stub."""
        return frozenset(self._methods)

    def result_faults(self, method: str, value: object) -> tuple[str, ...]:
        """Return how `value` differs from what `method` is said to return; empty if it fits.

        Raises:
            KeyError: the stub has no such method.
        """
        return min((self.faults(value, stated) for stated in self.returns(method)), key=len)

    def faults(self, value: object, annotation: str) -> tuple[str, ...]:
        """Return how `value` differs from `annotation`, which may use the stub's names."""
        return tuple(self._faults(value, ast.parse(annotation, mode="eval").body, annotation))

    def returns(self, method: str) -> tuple[str, ...]:
        """Return what `method` is said to return, by overload.

        Raises:
            KeyError: the stub has no such method.
        """
        stated = [overload.returns for overload in self._methods[method]]
        return tuple(ast.unparse(annotation) for annotation in stated if annotation is not None)

    def event_arguments(self, method: str, event: int) -> tuple[ast.expr, ...]:
        """Return the types of what the callback of `event` is given, without the opaque value.

        Raises:
            KeyError: the stub has no such method, or the method no overload for the event.
        """
        for overload in self._methods[method]:
            given = {argument.arg: argument.annotation for argument in overload.args.args}
            events, callback = given["eventID"], given["cb"]
            if events is not None and callback is not None and event in _literals(events):
                return tuple(_parts(_parts(_inner(callback))[0])[:-1])
        raise KeyError(event)

    def event_faults(
        self, method: str, event: int, arguments: tuple[object, ...]
    ) -> tuple[str, ...]:
        """Return how `arguments` differ from what the callback of `event` is said to be given.

        The last argument, the opaque value, may be anything.

        Raises:
            KeyError: the stub has no such method, or the method no overload for the event.
        """
        stated = self.event_arguments(method, event)
        path = f"{method}[{event}]"
        if len(stated) != len(arguments) - 1:
            return (f"{path}: {len(arguments) - 1} arguments, {len(stated)} stated",)
        return tuple(
            fault
            for value, annotation in zip(arguments, stated, strict=False)
            for fault in self._faults(value, annotation, path)
        )

    def events(self, method: str) -> frozenset[int]:
        """Return the events that `method` has an overload for."""
        stated = [
            argument.annotation
            for overload in self._methods[method]
            for argument in overload.args.args
            if argument.arg == "eventID" and argument.annotation is not None
        ]
        return frozenset(
            event
            for annotation in stated
            for event in _literals(annotation)
            if isinstance(event, int)
        )

    def _faults(self, value: object, annotation: ast.expr, path: str) -> Iterable[str]:
        match annotation:
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                tries = [tuple(self._faults(value, side, path)) for side in (left, right)]
                yield from min(tries, key=len)
            case ast.Constant(value=None):
                if value is not None:
                    yield f"{path}: {value!r} is not None"
            case ast.Name(id=name):
                yield from self._named_faults(value, name, path)
            case ast.Subscript(value=ast.Name(id="Literal")):
                if value not in _literals(annotation):
                    yield f"{path}: {value!r} is not {ast.unparse(annotation)}"
            case ast.Subscript(value=ast.Name(id=name)):
                yield from self._container_faults(value, name, _parts(_inner(annotation)), path)
            case _:
                raise ValueError(f"{path}: {ast.unparse(annotation)} is not a type of a value")

    def _named_faults(self, value: object, name: str, path: str) -> Iterable[str]:
        if name == "object":
            return
        if name in self._aliases:
            yield from self._faults(value, self._aliases[name], path)
        elif name in self._dicts:
            yield from self._dict_faults(value, self._dicts[name], f"{path}: {name}")
        elif name in _ATOMS:
            # Exactly: a bool is an int to a type checker, but not to who prints or stores it.
            if type(value) is not _ATOMS[name]:
                yield f"{path}: {value!r} is not {name}"
        elif not isinstance(value, getattr(self.module, name)):
            yield f"{path}: {value!r} is not {name}"

    def _dict_faults(self, value: object, shape: _Dict, path: str) -> Iterable[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is not a dict"
            return
        for key, item in value.items():
            if key in shape.fields:
                yield from self._faults(item, shape.fields[key], f"{path}[{key!r}]")
            elif self.closed:
                yield f"{path}: the key {key!r} is not stated"
        if shape.total:
            yield from (f"{path}: {key!r} is missing" for key in shape.fields if key not in value)

    def _container_faults(
        self, value: object, name: str, inner: list[ast.expr], path: str
    ) -> Iterable[str]:
        match name, value:
            case "list", list():
                for position, item in enumerate(value):
                    yield from self._faults(item, inner[0], f"{path}[{position}]")
            case "dict", dict():
                for key, item in value.items():
                    yield from self._faults(key, inner[0], f"{path} key")
                    yield from self._faults(item, inner[1], f"{path}[{key!r}]")
            case "tuple", tuple():
                endless = isinstance(inner[-1], ast.Constant) and inner[-1].value is ...
                stated = [inner[0]] * len(value) if endless else inner
                if len(stated) != len(value):
                    yield f"{path}: {len(value)} items, {len(stated)} stated"
                for position, (item, annotation) in enumerate(zip(value, stated, strict=False)):
                    yield from self._faults(item, annotation, f"{path}[{position}]")
            case _:
                yield f"{path}: {value!r} is not a {name}"


def read(text: str, module: ModuleType, *, closed: bool = True) -> Stub:
    """Return the types that the stub `text` of `module` states."""
    aliases: dict[str, ast.expr] = {}
    dicts: dict[str, _Dict] = {}
    methods: dict[str, tuple[ast.FunctionDef, ...]] = {}
    for node in ast.parse(text).body:
        match node:
            case ast.AnnAssign(
                target=ast.Name(id=name),
                annotation=ast.Name(id="TypeAlias"),
                value=ast.expr() as of,
            ):
                aliases[name] = of
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="TypedDict")) as call
            ):
                dicts[name] = _functional_dict(call)
            case ast.ClassDef(name=name, bases=[ast.Name(id="TypedDict")]):
                dicts[name] = _class_dict(node)
            case ast.ClassDef(name=name):
                _collect(methods, node.body, f"{name}.")
            case ast.FunctionDef():
                _collect(methods, [node], "")
            case _:
                pass
    return Stub(module, closed, aliases, dicts, methods)


def _collect(
    methods: dict[str, tuple[ast.FunctionDef, ...]], body: Iterable[ast.stmt], prefix: str
) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            key = f"{prefix}{node.name}"
            methods[key] = (*methods.get(key, ()), node)


def _class_dict(node: ast.ClassDef) -> _Dict:
    fields = {
        item.target.id: item.annotation
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    return _Dict(fields, not _says_not_total(node.keywords))


def _functional_dict(call: ast.Call) -> _Dict:
    keys = call.args[1]
    if not isinstance(keys, ast.Dict):
        raise TypeError(f"{ast.unparse(call)} has no keys")
    fields = {
        key.value: annotation
        for key, annotation in zip(keys.keys, keys.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    return _Dict(fields, not _says_not_total(call.keywords))


def _says_not_total(keywords: list[ast.keyword]) -> bool:
    return any(
        keyword.arg == "total"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is False
        for keyword in keywords
    )


def _inner(annotation: ast.expr) -> ast.expr:
    if not isinstance(annotation, ast.Subscript):
        raise TypeError(f"{ast.unparse(annotation)} has no parameters")
    return annotation.slice


def _parts(inner: ast.expr) -> list[ast.expr]:
    return inner.elts if isinstance(inner, ast.Tuple | ast.List) else [inner]


def _literals(annotation: ast.expr) -> tuple[object, ...]:
    return tuple(ast.literal_eval(part) for part in _parts(_inner(annotation)))
