"""Holds answers against Nova's own response schemas; runs in the environment of that peer.

Reads JSON lines `[module, method, minor, body]`, writes one line for each that does not fit.
"""

import importlib
import json
import re
import sys
from typing import Any

from nova.api.validation.validators import (  # type: ignore[import-not-found]  # only there
    _SchemaValidator,
)
from nova.exception import ValidationError  # type: ignore[import-not-found]  # only there


def schema_of(module: str, method: str, minor: int) -> Any:
    """Return the schema of a method's answer that is good in 2.`minor`."""
    found = importlib.import_module(f"nova.api.openstack.compute.schemas.{module}")
    best, at = None, -1
    for name in dir(found):
        match = re.fullmatch(rf"{method}_response(?:_v2(\d+))?", name)
        if match is None:
            continue
        since = int(match[1] or 0)
        if at < since <= minor:
            best, at = getattr(found, name), since
    if best is None:
        raise SystemExit(f"Nova has no schema of {module}.{method}")
    return best


def main() -> None:
    for line in sys.stdin:
        module, method, minor, body = json.loads(line)
        try:
            _SchemaValidator(schema_of(module, method, minor), is_body=True).validate(body)
        except ValidationError as error:
            said = f"{module}.{method} at 2.{minor}: {error}"
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
