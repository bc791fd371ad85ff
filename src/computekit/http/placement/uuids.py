"""UUIDs as callers write them."""

import re

__all__ = ["canonical_uuid", "is_canonical_uuid"]

_SIGNS = str.maketrans("", "", "{}-")
_HEX = re.compile(r"[0-9a-f]{32}\Z")
_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def canonical_uuid(text: str) -> str | None:
    """Return a UUID in lower case with dashes, however it is written, or None if it is none."""
    digits = text.replace("urn:", "").replace("uuid:", "").translate(_SIGNS).lower()
    if _HEX.match(digits) is None:
        return None
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_canonical_uuid(text: str) -> bool:
    """Return whether `text` is a UUID with its dashes, in any case."""
    return _CANONICAL.match(text) is not None
