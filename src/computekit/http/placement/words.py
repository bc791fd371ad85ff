"""How Placement says what went wrong: its callers, and its own tests, look for these words."""

from collections.abc import Callable
from typing import TypeVar

import attrs

from computekit.api import CallContext
from computekit.api.placement.known_names import UNKNOWN_CLASS, UNKNOWN_TRAIT
from computekit.errors import ComputekitError, GenerationConflict, InvalidInput, NotFound
from computekit.http.problem import UNDEFINED, Problem, Refused

__all__ = [
    "CONCURRENT_UPDATE",
    "DUPLICATE_NAME",
    "INVENTORY_IN_USE",
    "bad",
    "conflict",
    "fault_of",
    "generation",
    "missing",
    "no_parts",
    "no_provider",
    "unknown_classes",
    "unknown_traits",
    "worded",
]

In = TypeVar("In")
Out = TypeVar("Out")

CONCURRENT_UPDATE = "placement.concurrent_update"
DUPLICATE_NAME = "placement.duplicate_name"
INVENTORY_IN_USE = "placement.inventory.inuse"


def worded(
    call: Callable[[In, CallContext], Out], words: Callable[[ComputekitError, In], Problem | None]
) -> Callable[[In, CallContext], Out]:
    """Return `call` with the errors that `words` has words for said in them."""

    def run(asked: In, context: CallContext) -> Out:
        try:
            return call(asked, context)
        except ComputekitError as error:
            problem = words(error, asked)
            if problem is None:
                raise
            raise Refused(problem) from error

    return run


def bad(error: ComputekitError, detail: str, code: str = UNDEFINED) -> Problem:
    """Return that a request is malformed."""
    return _said(400, error, detail, code)


def missing(error: ComputekitError, detail: str, *, varies: bool = True) -> Problem:
    """Return that something is not there; whether the answer varies is Placement's habit."""
    return attrs.evolve(_said(404, error, detail, UNDEFINED), varies=varies)


def conflict(error: ComputekitError, detail: str, code: str = UNDEFINED) -> Problem:
    """Return that something is in the way."""
    return _said(409, error, detail, code)


def _said(status: int, error: ComputekitError, detail: str, code: str) -> Problem:
    # Placement says much under one code; ours tells what can be retried from what cannot.
    return Problem(status, detail, code, extra=(("reason", error.code),))


def no_provider(error: ComputekitError, _asked: object = None) -> Problem | None:
    """Return that a provider is not there, if that is what the error says."""
    if isinstance(error, NotFound) and error.kind == "provider":
        detail = f"No resource provider with uuid {error.id} found"
        return missing(error, detail, varies=False)
    return None


def no_parts(error: ComputekitError, asked: object = None) -> Problem | None:
    """Return that a provider whose parts were asked for is not there, if the error says so."""
    problem = no_provider(error, asked)
    return None if problem is None else attrs.evolve(problem, varies=True)


def generation(error: ComputekitError) -> Problem | None:
    """Return that a provider was written in between, if that is what the error says."""
    if isinstance(error, GenerationConflict) and error.kind == "provider":
        return conflict(
            error,
            "Resource provider's generation already changed. Please update the generation and "
            "try again.",
            CONCURRENT_UPDATE,
        )
    return None


def fault_of(error: ComputekitError, *codes: str) -> str | None:
    """Return the path of the first fault that has one of these codes."""
    if isinstance(error, InvalidInput):
        for fault in error.faults:
            if fault.code in codes:
                return fault.path
    return None


def unknown_classes(error: ComputekitError) -> str | None:
    """Return the first resource class that an error says not to exist."""
    return fault_of(error, UNKNOWN_CLASS)


def unknown_traits(error: ComputekitError) -> str | None:
    """Return the traits that an error says not to exist, with commas between them."""
    if not isinstance(error, InvalidInput):
        return None
    return ", ".join(f.path for f in error.faults if f.code == UNKNOWN_TRAIT) or None
