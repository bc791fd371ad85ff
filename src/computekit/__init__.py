"""The job of OpenStack Nova and Placement as a typed library.

Every room is imported by its own name (`from computekit import placement`). The names below are
the headline ones; they are resolved when they are first used, so that importing the package alone
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["ComputekitError", "__version__"]

__version__ = "0.1.0"

_HOMES = {"ComputekitError": "computekit.errors"}

if TYPE_CHECKING:
    from computekit.errors import ComputekitError
else:  # a type checker would take any name for one that is here

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
