"""The job of OpenStack Nova and Placement as a typed library.

Every room is imported by its own name (`from computekit import placement`). The names below are
the headline ones; they are resolved when they are first used, so that importing the package alone
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from computekit.errors import ComputekitError as ComputekitError

__all__ = ["ComputekitError", "__version__"]

__version__ = "0.1.0"

_HOMES = {"ComputekitError": "computekit.errors"}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
