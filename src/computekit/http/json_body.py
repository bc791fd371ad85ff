"""JSON bodies into values of attrs classes, with every fault at once."""

from typing import TypeVar

from computekit.forms import read_form, read_json

__all__ = ["json_body"]

T = TypeVar("T")
ROOT = "body"


def json_body(body: bytes, kind: type[T]) -> T:
    """Return what a body says.

    Args:
        body: as it came.
        kind: an attrs class, whose types say what is right (`computekit.forms.read_form`).

    Raises:
        InvalidInput: it is not JSON, or not of that kind; with every fault.
    """
    return read_form(read_json(body, ROOT), kind, ROOT)
