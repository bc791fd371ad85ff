"""The table of what C prototypes cannot say about the Python binding."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import attrs
import cattrs

__all__ = ["Callbacks", "Correction", "Corrections", "Shape", "read"]


@attrs.frozen
class Correction:
    """The right types of one method.

    `params` corrects only the named parameters. `overloads` are whole signatures, without `def`
    and name, that replace the method's own.
    """

    returns: str | None = None
    params: Mapping[str, str] = attrs.field(factory=dict)
    overloads: tuple[str, ...] = ()


@attrs.frozen
class Shape:
    """The keys of a dict: given in `fields`, or named by the macros that start with `macros`.

    `unstated` is the type of a macro's field whose description names none; `total` says that
    every key is always there.
    """

    fields: Mapping[str, str] = attrs.field(factory=dict)
    macros: str | None = None
    unstated: str | None = None
    total: bool = False


@attrs.frozen
class Callbacks:
    """What a registering method calls back with, by event constant.

    The callback gets the connection, the `subject`, the listed arguments and the opaque value.
    """

    subject: str
    parameter: str
    events: Mapping[str, tuple[str, ...]]


@attrs.frozen
class Corrections:
    """The whole table; `methods` is keyed by `class.method`, `*.method` or `function`.

    `growing` are the constants whose values differ between versions.
    """

    growing: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = attrs.field(factory=dict)
    shapes: Mapping[str, Shape] = attrs.field(factory=dict)
    callbacks: Mapping[str, Callbacks] = attrs.field(factory=dict)
    methods: Mapping[str, Correction] = attrs.field(factory=dict)


def read(path: Path) -> Corrections:
    """Return the table at `path`.

    Raises:
        cattrs.BaseValidationError: an entry has the wrong form or an unknown key.
    """
    converter = cattrs.Converter(forbid_extra_keys=True)
    return converter.structure(tomllib.loads(path.read_text("utf-8")), Corrections)
