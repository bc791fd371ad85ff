"""The smallest guest: a disk of which one sector boots, says its name and obeys the power button.

It needs no operating system, no kernel and no image to download, boots within a fraction of a
second even when QEMU emulates every instruction, and does what tests ask of a guest: it writes
`BOOTED <name>` to its serial console, with the name that SMBIOS gives it as `sku`, and powers off
when ACPI tells it to. For `x86_64` guests with BIOS, machine types `q35` and `pc`.

Sources: QEMU's fw_cfg device (ports 0x510 and 0x511, directory at key 0x19), SMBIOS 2.8 type 1,
ACPI's PM1 event and control registers, which SeaBIOS puts at 0x600.
"""

from computekit.units import Bytes

__all__ = ["boot_sector_disk"]

_LOADED_AT = 0x7C00
_BUFFER = 0x8000
_TABLES = b"etc/smbios/smbios-tables\0"


class _Code:
    """Machine code with labels; every jump and address is 16 bit."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._labels: dict[str, int] = {}
        self._holes: list[tuple[int, str, bool]] = []

    def add(self, text: str, to: str | None = None, *, relative: bool = True) -> None:
        """Append an instruction in hex, and the place that it names."""
        self._bytes += bytes.fromhex(text)
        if to is not None:
            self._holes.append((len(self._bytes), to, relative))
            self._bytes += b"\0\0"

    def label(self, name: str, content: bytes = b"") -> None:
        """Name this place, and put `content` there."""
        self._labels[name] = len(self._bytes)
        self._bytes += content

    def sector(self) -> bytes:
        """Return the code as a boot sector."""
        for at, label, relative in self._holes:
            place = self._labels[label]
            value = place - (at + 2) if relative else _LOADED_AT + place
            self._bytes[at : at + 2] = (value & 0xFFFF).to_bytes(2, "little")
        if len(self._bytes) > 510:
            raise ValueError(f"{len(self._bytes)} bytes do not fit into a boot sector")
        return bytes(self._bytes).ljust(510, b"\0") + b"\x55\xaa"


def boot_sector_disk(
    size_bytes: Bytes = Bytes(1 << 20), *, obeys_power_button: bool = True
) -> bytes:
    """Return a raw disk that boots.

    Args:
        size_bytes: length of the disk.
        obeys_power_button: whether it powers off when it is asked; else it is deaf.
    """
    code = _Code()
    # Known segments and stack, string instructions go up.
    code.add("31 C0 8E D8 8E C0 8E D0 BC 00 7C FC FB")
    if obeys_power_button:
        code.add("BA 02 06 B8 00 01 EF")  # PM1_EN: the power button counts
    code.add("BE", "booted", relative=False)
    code.add("E8", "puts")
    code.add("E8", "print_name")
    code.add("BE", "newline", relative=False)
    code.add("E8", "puts")

    code.label("rest")
    code.add("F4")  # hlt: the timer wakes it 18 times a second
    code.add("BA 00 06 ED F6 C4 01")  # PM1_STS: was the power button pressed?
    code.add("0F 84", "rest")
    code.add("BA 04 06 B8 00 20 EF")  # PM1_CNT: soft off
    code.add("E9", "rest")

    _add_print_name(code)

    code.label("puts")  # si -> text that ends with 0; port 0x3f8
    code.add("AC 84 C0")
    code.add("0F 84", "puts_end")
    code.add("50 BA FD 03 EC A8 20 74 FB 58 BA F8 03 EE")
    code.add("E9", "puts")
    code.label("puts_end")
    code.add("C3")

    code.label("booted", b"BOOTED \0")
    code.label("newline", b"\r\n\0")
    code.label("tables", _TABLES)
    return code.sector().ljust(size_bytes, b"\0")


def _add_print_name(code: _Code) -> None:
    """Add the routine that finds SMBIOS through fw_cfg and prints string `sku` of type 1."""
    code.label("print_name")
    code.add("BA 10 05 B8 19 00 EF 42")  # select the directory, dx = data port
    code.add("EC EC EC 88 C5 EC 88 C1")  # cx = entries (big endian, low half)
    code.label("entry")
    code.add("EC EC EC EC EC 88 C7 EC 88 C3 EC EC")  # size, bx = key, reserved
    code.add("51 BF 00 80 B9 38 00 F3 6C")  # 56 bytes of name into the buffer
    code.add("BF 00 80 BE", "tables", relative=False)
    code.add(f"B9 {len(_TABLES):02X} 00 F3 A6 59")  # equal to the wanted one?
    code.add("0F 84", "found")
    code.add("49")
    code.add("0F 85", "entry")
    code.add("C3")

    code.label("found")
    code.add("BA 10 05 89 D8 EF 42")  # select the tables
    code.add("BF 00 80 B9 00 10 F3 6C")  # 4 KiB of them into the buffer
    code.add("BE 00 80")
    code.label("structure")
    code.add("8A 04 3C 7F")  # type 127: the end
    code.add("0F 84", "name_end")
    code.add("8A 5C 01 B7 00")  # bx = length of its fixed part
    code.add("8A 4C 19 01 DE")  # cl = number of the string at 0x19, si -> its strings
    code.add("3C 01")
    code.add("0F 84", "string")
    code.label("skip")
    code.add("46 83 7C FF 00")  # two zeros end the strings
    code.add("0F 85", "skip")
    code.add("46")
    code.add("E9", "structure")

    code.label("string")  # si -> string 1, cl = the wanted one
    code.add("84 C9")
    code.add("0F 84", "name_end")
    code.label("next_string")
    code.add("FE C9")
    code.add("0F 84", "puts")  # puts returns for us
    code.label("next_byte")
    code.add("AC 84 C0")
    code.add("0F 85", "next_byte")
    code.add("E9", "next_string")
    code.label("name_end")
    code.add("C3")
