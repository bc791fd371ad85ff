"""Which addresses a device spec means: Nova's two forms."""

import re
from collections.abc import Mapping

import attrs

from computekit.pci.address import MAX_DOMAIN, PciAddress

__all__ = ["AddressGlob", "AddressPattern", "AddressRegex"]

_PARTS = ("domain", "bus", "slot", "function")
_HIGHEST = (MAX_DOMAIN, 0xFF, 0x1F, 7)
_ANY = "*"


@attrs.frozen
class AddressGlob:
    """`[[[domain:]bus:]slot][.function]`, each part hexadecimal or `*`; what is missing is any.

    Attributes:
        parts: domain, bus, slot and function; None: any.
    """

    parts: tuple[int | None, int | None, int | None, int | None]

    @classmethod
    def parse(cls, text: str) -> "AddressGlob":
        """Return the pattern.

        Raises:
            ValueError: `text` is none; the message says which part, and what is possible there.
        """
        front, dot, function = text.strip().partition(".")
        fields = front.split(":")
        if len(fields) > 3 or "." in function:
            raise ValueError(f"{text[:40]!r} is no address like 0000:3b:00.1, *:3b:*.* or 3b:00")
        fields = [""] * (3 - len(fields)) + fields + [function if dot else ""]
        numbers: list[int | None] = []
        for name, field, most in zip(_PARTS, fields, _HIGHEST, strict=True):
            numbers.append(None if field in ("", _ANY) else _number(name, field, most))
        return cls((numbers[0], numbers[1], numbers[2], numbers[3]))

    def matches(self, address: PciAddress) -> bool:
        """Return whether the address is meant."""
        there = (address.domain, address.bus, address.slot, address.function)
        return all(part in (None, number) for part, number in zip(self.parts, there, strict=True))

    @property
    def exact(self) -> PciAddress | None:
        """The address, if one only can match."""
        domain, bus, slot, function = self.parts
        if domain is None or bus is None or slot is None or function is None:
            return None
        return PciAddress(domain, bus, slot, function)

    @property
    def narrows(self) -> bool:
        """Whether it leaves any address out."""
        return any(part is not None for part in self.parts)


@attrs.frozen
class AddressRegex:
    """A regular expression for each part, compared with its hexadecimal digits from the left.

    As in Nova the digits may go on where the expression ends: bus `1` matches 10.

    Attributes:
        parts: domain (4 digits), bus (2), slot (2) and function (1).
    """

    parts: tuple[str, str, str, str]

    @classmethod
    def parse(cls, parts: Mapping[str, str]) -> "AddressRegex":
        """Return the pattern; a part that is not named is any.

        Raises:
            ValueError: there is another part, or an expression is wrong.
        """
        unknown = sorted(set(parts) - set(_PARTS))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no part of an address: {', '.join(_PARTS)}")
        for name, expression in parts.items():
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{name}: {expression[:40]!r}: {error}") from error
        found = [parts.get(name, ".*") for name in _PARTS]
        return cls((found[0], found[1], found[2], found[3]))

    def matches(self, address: PciAddress) -> bool:
        """Return whether the address is meant."""
        return all(
            re.match(part, digits)
            for part, digits in zip(self.parts, self._digits(address), strict=True)
        )

    def by_beginning_only(self, address: PciAddress) -> bool:
        """Return whether the address is meant only because the digits may go on."""
        return self.matches(address) and not all(
            re.fullmatch(part, digits)
            for part, digits in zip(self.parts, self._digits(address), strict=True)
        )

    @property
    def exact(self) -> None:
        """None: an expression never names one address."""

    @property
    def narrows(self) -> bool:
        """Whether it leaves any address out."""
        return any(part != ".*" for part in self.parts)

    @staticmethod
    def _digits(address: PciAddress) -> tuple[str, ...]:
        return (
            f"{address.domain:04x}",
            f"{address.bus:02x}",
            f"{address.slot:02x}",
            f"{address.function:x}",
        )


AddressPattern = AddressGlob | AddressRegex


def _number(name: str, field: str, most: int) -> int:
    if re.fullmatch(r"[0-9a-fA-F]{1,8}", field) is None:
        raise ValueError(f"{name}: {field[:40]!r} is neither hexadecimal nor *")
    number = int(field, 16)
    if number > most:
        raise ValueError(f"{name}: {field} is above {most:X}")
    return number
