"""Several applications in one server, each below a name of its own: `/compute`, `/identity`."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from computekit.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Mounts"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@attrs.frozen
class Mounts:
    """Applications by the first segment of the path; itself one.

    An application sees the path behind its name, and its name in `SCRIPT_NAME` (PEP 3333), so that
    what it says of its own place is right below any name.

    Attributes:
        applications: by name, without slashes.
        root: what answers for all other paths.

    Raises:
        InvalidInput: a name is not one lower-case segment.
    """

    applications: "Mapping[str, WSGIApplication]"
    root: "WSGIApplication"

    def __attrs_post_init__(self) -> None:
        faults = tuple(
            Fault(f"applications[{name!r}]", "mount_name", "a name is one segment in lower case")
            for name in self.applications
            if not _NAME.fullmatch(name)
        )
        if faults:
            raise InvalidInput(faults)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Hand a request to the application that it is for."""
        path = str(environ.get("PATH_INFO", ""))
        name, slash, rest = path.removeprefix("/").partition("/")
        found = self.applications.get(name) if path.startswith("/") else None
        if found is None:
            return self.root(environ, start_response)
        environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{name}"
        environ["PATH_INFO"] = f"{slash}{rest}"
        return found(environ, start_response)
