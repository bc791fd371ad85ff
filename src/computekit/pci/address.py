"""Where a PCI function sits: domain, bus, slot, function."""

import re

import attrs

__all__ = ["MAX_DOMAIN", "PciAddress"]

MAX_DOMAIN = 0xFFFF
"""The highest domain that specs and guests can name. Some controllers make domains above it."""

_TEXT = re.compile(
    r"(?P<domain>[0-9a-fA-F]{4,8}):(?P<bus>[0-9a-fA-F]{2})"
    r":(?P<slot>[01][0-9a-fA-F])\.(?P<function>[0-7])\Z"
)


@attrs.frozen(order=True)
class PciAddress:
    """One PCI function; addresses sort by domain, bus, slot and function.

    Attributes:
        domain: 0 to FFFF; more for what hangs below some controllers (Intel VMD).
        bus: 0 to FF.
        slot: 0 to 1F.
        function: 0 to 7.
    """

    domain: int
    bus: int
    slot: int
    function: int

    @classmethod
    def parse(cls, text: str) -> "PciAddress":
        """Return the address that Linux writes as `dddd:bb:ss.f`.

        Raises:
            ValueError: `text` is none.
        """
        found = _TEXT.match(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is no address like 0000:3b:00.1")
        return cls(*(int(found[part], 16) for part in ("domain", "bus", "slot", "function")))

    def __str__(self) -> str:
        return f"{self.slot_text}.{self.function}"

    @property
    def slot_text(self) -> str:
        """Domain, bus and slot, which the functions of one device share."""
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}"
