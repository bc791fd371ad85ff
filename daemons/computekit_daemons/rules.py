"""Filters and weighers by name: those of Nova, and those that installed packages bring.

A package brings them as entry points of the groups `computekit.filters` and `computekit.weighers`:
a rule or weigher, a class of one that needs no arguments, or a plain function, which is given the
host (and, if it takes two arguments, the request).
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TypeAlias, TypeVar, cast

import click

from computekit.errors import Fault, InvalidInput
from computekit.placement import HostView
from computekit.scheduler import (
    FILTERS,
    WEIGHERS,
    AnyFilter,
    AnyWeigher,
    DifferentHostFilter,
    HostFilter,
    HostRule,
    HostWeigher,
    Normalised,
    OverlayRule,
    OverlayWeigher,
    Policy,
    RangeWeigher,
    Request,
    RequestFilter,
    SameHostFilter,
    nova_policy,
)

__all__ = [
    "FILTER_GROUP",
    "STANDARD_POLICY",
    "WEIGHER_GROUP",
    "Brought",
    "brought",
    "policy_of",
    "rule_options",
]

FILTER_GROUP = "computekit.filters"
WEIGHER_GROUP = "computekit.weighers"

# What a user asks by a hint holds whatever the operator has set up.
_HINTS = (SameHostFilter(), DifferentHostFilter())
STANDARD_POLICY = Policy(rules=_HINTS)
"""What holds where the operator says nothing: hints, and the most free memory."""

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., object])
Brought: TypeAlias = Mapping[str, EntryPoint]
"""Entry points of one group, by name."""

_FILTER_TYPES = (HostFilter, RequestFilter, HostRule, OverlayRule)


def brought(group: str) -> Brought:
    """Return the entry points of a group; none of them is loaded."""
    return {point.name: point for point in entry_points(group=group)}


def policy_of(
    filters: Iterable[str],
    weighers: Iterable[str],
    *,
    more_filters: Brought | None = None,
    more_weighers: Brought | None = None,
) -> Policy:
    """Return the policy that names of filters and weighers mean; the standard one without any.

    With filters alone hosts are weighed as Nova does. With weighers, these alone weigh, scaled as
    Nova does.

    Args:
        filters: names of `FILTERS` or of entry points.
        weighers: names of `WEIGHERS` or of entry points.
        more_filters: the entry points; without it, those that are installed.
        more_weighers: likewise.

    Raises:
        InvalidInput: names are not known, or what was loaded is no such thing; all are listed.
    """
    faults: list[Fault] = []
    of_nova: Mapping[str, AnyFilter] = FILTERS
    rules = _found("filter", filters, of_nova, more_filters, FILTER_GROUP, _as_filter, faults)
    found = _found("weigher", weighers, WEIGHERS, more_weighers, WEIGHER_GROUP, _as_weigher, faults)
    if faults:
        raise InvalidInput(tuple(faults))
    if not rules and not found:
        return STANDARD_POLICY
    policy = nova_policy(dict.fromkeys((*_HINTS, *rules)))
    if not found:
        return policy
    return Policy(
        Normalised(tuple(w for w in found if not isinstance(w, OverlayWeigher))),
        policy.filters,
        policy.rules,
        tuple(w for w in found if isinstance(w, OverlayWeigher)),
    )


def _found(
    kind: str,
    names: Iterable[str],
    known: Mapping[str, T],
    given: Brought | None,
    group: str,
    convert: Callable[[str, object], T | None],
    faults: list[Fault],
) -> list[T]:
    found: list[T] = []
    path = f"{kind}s"
    for name in names:
        if name in known:
            found.append(known[name])
            continue
        further = brought(group) if given is None else given
        if name not in further:
            near = difflib.get_close_matches(name, (*known, *further), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            faults.append(Fault(path, f"unknown_{kind}", f"there is no {kind} {name!a}{hint}"))
            continue
        try:
            made = convert(name, further[name].load())
        except Exception as error:  # noqa: BLE001  # what is loaded is somebody else's code
            faults.append(Fault(path, "not_loaded", f"{kind} {name} cannot be loaded: {error}"))
            continue
        if made is None:
            faults.append(Fault(path, "not_usable", f"{further[name].value} is no {kind}"))
        else:
            found.append(made)
    return found


def _as_filter(name: str, given: object) -> AnyFilter | None:
    if isinstance(given, type):
        given = given()
    if isinstance(given, _FILTER_TYPES):
        return given
    if not callable(given):
        return None
    if len(inspect.signature(given).parameters) > 1:
        return RequestFilter(name, cast("Callable[[HostView, Request], bool | str]", given))
    return HostFilter(name, cast("Callable[[HostView], bool | str]", given))


def _as_weigher(name: str, given: object) -> AnyWeigher | None:
    if isinstance(given, type):
        given = given()
    if isinstance(given, OverlayWeigher):
        return given
    if hasattr(given, "raw") and hasattr(given, "multipliers"):
        return cast("RangeWeigher", given)
    if callable(given):
        return HostWeigher(name, cast("Callable[[HostView], float]", given))
    return None


def rule_options(command: C) -> C:
    """Give a command the options `--filter` and `--weigher`, as `filters` and `weighers`."""
    for option in (
        click.option(
            "--weigher",
            "weighers",
            metavar="NAME",
            multiple=True,
            help="Likewise a weigher; with any, these alone weigh.",
        ),
        click.option(
            "--filter",
            "filters",
            metavar="NAME",
            multiple=True,
            help="A filter by Nova's name, or one that a package brings; may be given several "
            "times. Hosts are then weighed as Nova does.",
        ),
    ):
        command = option(command)
    return command
