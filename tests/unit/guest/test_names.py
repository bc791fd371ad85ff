"""What an instance may be called."""

import pytest

from computekit.errors import InvalidInput
from computekit.guest import check_name


@pytest.mark.parametrize(
    "name", ["a", "demo-1", "two words", "<b>&\"'", "$(reboot)", "../up", "Grüße 東京", "n" * 255]
)
def test_names_that_can_be_shown(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("", {"empty"}),
        ("n" * 256, {"too_long"}),
        ("a\nb", {"not_printable"}),
        ("a\0b", {"not_printable"}),
        ("a\x1b[31mb", {"not_printable"}),
        ("a\u202eb", {"not_printable"}),
        ("a\ud800", {"not_printable"}),
        ("a\ufffe", {"not_printable"}),
        (" a", {"outer_space"}),
        ("a ", {"outer_space"}),
        ("\t" + "n" * 255 + " ", {"too_long", "not_printable", "outer_space"}),
    ],
)
def test_names_that_cannot(name: str, codes: set[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name, "server.name")
    assert {fault.code for fault in caught.value.faults} == codes
    assert {fault.path for fault in caught.value.faults} == {"server.name"}
    assert str(caught.value).isprintable()
