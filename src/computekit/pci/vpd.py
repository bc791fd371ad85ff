"""Vital product data: what a card says of itself (PCI Local Bus 3.0, appendix I)."""

from collections.abc import Iterator

__all__ = ["card_serial"]

_READ_ONLY = 0x90
_END = 0x78
_LARGE = 0x80


def card_serial(data: bytes) -> str | None:
    """Return the field SN of the read-only part; None if the card names none.

    Raises:
        ValueError: this is no vital product data.
    """
    for tag, body in _resources(data):
        if tag == _READ_ONLY:
            for keyword, value in _fields(body):
                if keyword == b"SN":
                    return value.decode("ascii").strip(" \0") or None
    return None


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] & _LARGE:
            start = at + 3
            size = int.from_bytes(data[at + 1 : at + 3], "little")
        else:
            start = at + 1
            size = data[at] & 0x07
        if start + size > len(data):
            raise ValueError(f"the part at byte {at} is cut off")
        yield data[at], data[start : start + size]
        at = start + size


def _fields(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 3 <= len(body):
        end = at + 3 + body[at + 2]
        if end > len(body):
            raise ValueError(f"the field {body[at : at + 2]!r} is cut off")
        yield body[at : at + 2], body[at + 3 : end]
        at = end
