"""Quantities with their unit in the type, and the only conversions between them."""

from typing import NewType

__all__ = [
    "Bytes",
    "Gib",
    "Kib",
    "Mib",
    "Seconds",
    "bytes_to_gib",
    "bytes_to_gib_ceil",
    "bytes_to_mib_exact",
    "days_to_seconds",
    "gib_to_bytes",
    "gib_to_mib",
    "kib_to_mib",
    "mib_to_bytes",
    "mib_to_gib_ceil",
    "mib_to_kib",
    "scaled_to_kib",
]

Bytes = NewType("Bytes", int)
Kib = NewType("Kib", int)
Mib = NewType("Mib", int)
Gib = NewType("Gib", int)
Seconds = NewType("Seconds", float)

_KIB = 1024

_BYTES_OF = {"b": 1, "bytes": 1, "KiB": _KIB, "MiB": _KIB**2, "GiB": _KIB**3, "TiB": _KIB**4}


def mib_to_kib(amount: Mib) -> Kib:
    """Return the same amount in KiB."""
    return Kib(amount * _KIB)


def mib_to_bytes(amount: Mib) -> Bytes:
    """Return the same amount in bytes."""
    return Bytes(amount * _KIB * _KIB)


def gib_to_mib(amount: Gib) -> Mib:
    """Return the same amount in MiB."""
    return Mib(amount * _KIB)


def gib_to_bytes(amount: Gib) -> Bytes:
    """Return the same amount in bytes."""
    return Bytes(amount * _KIB**3)


def kib_to_mib(amount: Kib) -> Mib:
    """Return whole MiB, rounded down: what a host may safely offer."""
    return Mib(amount // _KIB)


def mib_to_gib_ceil(amount: Mib) -> Gib:
    """Return whole GiB, rounded up: what a request must be charged."""
    return Gib(-(-amount // _KIB))


def bytes_to_gib(amount: Bytes) -> Gib:
    """Return whole GiB, rounded down: what a host may safely offer."""
    return Gib(amount // _KIB**3)


def bytes_to_gib_ceil(amount: Bytes) -> Gib:
    """Return whole GiB, rounded up: what a request must be charged."""
    return Gib(-(-amount // _KIB**3))


def bytes_to_mib_exact(amount: Bytes) -> float:
    """Return the same amount in MiB, with its fraction: to be shown, not to be charged."""
    return amount / _KIB**2


def days_to_seconds(amount: float) -> Seconds:
    """Return the same time in seconds."""
    return Seconds(amount * 86_400.0)


def scaled_to_kib(amount: int, unit: str) -> Kib:
    """Return whole KiB, rounded down, of an amount whose unit is said beside it.

    Args:
        amount: in `unit`.
        unit: `b`, `bytes`, `KiB`, `MiB`, `GiB` or `TiB` (libvirt, scaled integers).

    Raises:
        KeyError: another unit.
    """
    return Kib(amount * _BYTES_OF[unit] // _KIB)
