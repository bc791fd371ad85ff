"""JSON to typed values: what is taken, and every fault of what is not."""

from typing import Annotated, Literal

import attrs
import pytest

from computekit.errors import InvalidInput
from computekit.forms import Number, String, Unique, Whole, read_form, read_json
from computekit.model import FrozenMap


@attrs.frozen
class Part:
    """A part.

    Attributes:
        name: its name.
        size: its size.
    """

    name: Annotated[str, String(pattern="[a-z]+", what="a lower word")]
    size: Annotated[int, Whole(1, 9)] = 1


@attrs.frozen
class Thing:
    """A whole.

    Attributes:
        parts: of it.
    """

    parts: Annotated[tuple[Part, ...], Unique("name")]
    words: FrozenMap[str, Annotated[float, Number(0.0)]] = FrozenMap()
    one_of: Literal["x", "y"] | None = None
    some: frozenset[Annotated[str, String()] | frozenset[str]] = frozenset()
    sure: bool = False


def read(text: str | bytes) -> Thing:
    return read_form(read_json(text, "it"), Thing, "it")


def faults(text: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return [(fault.path, fault.code) for fault in caught.value.faults]


def test_what_is_right_becomes_a_value() -> None:
    found = read(
        '{"parts": [{"name": "a", "size": 2}, {"name": "b"}], "words": {"w": 1}, "one_of": "x", '
        '"some": ["a", ["b", "c"]], "sure": true}'
    )
    assert found == Thing(
        (Part("a", 2), Part("b")),
        FrozenMap({"w": 1.0}),
        "x",
        frozenset({"a", frozenset({"b", "c"})}),
        True,
    )
    assert isinstance(found.words["w"], float)


def test_every_fault_is_told_at_once() -> None:
    assert faults(
        '{"parts": [{"name": "A", "size": 10}, {"nmae": "b"}, 7, {"name": "c", "size": true}, '
        '{"name": "c"}, {"name": "c", "name": "d"}], "words": {"w": -1, "x y": "z"}, '
        '"one_of": "z", "some": {}, "sure": 0, "more": null}'
    ) == [
        ("it.more", "unknown_key"),
        ("it.parts[0].name", "malformed"),
        ("it.parts[0].size", "out_of_range"),
        ("it.parts[1].nmae", "unknown_key"),
        ("it.parts[1].name", "missing"),
        ("it.parts[2]", "wrong_type"),
        ("it.parts[3].size", "wrong_type"),
        ("it.parts[5].name", "duplicate"),
        ("it.parts[4].name", "duplicate"),
        ("it.parts[5].name", "duplicate"),
        ("it.words.w", "out_of_range"),
        ("it.words['x y']", "wrong_type"),
        ("it.one_of", "invalid_value"),
        ("it.some", "wrong_type"),
        ("it.sure", "wrong_type"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("nul", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b'{"parts": [], "\xed\xa0\x80": 1}', "malformed"),
        ("[" * 100_000, "too_deep"),
        ('{"a":' * 100_000, "too_deep"),
        ("[]", "wrong_type"),
        ("null", "wrong_type"),
        ("1e999", "out_of_range"),
        ("-Infinity", "out_of_range"),
        ("9" * 10_000, "out_of_range"),
        ('"' + "x" * 100_000 + '"', "wrong_type"),
    ],
)
def test_what_is_no_form_at_all_is_one_fault(text: str | bytes, code: str) -> None:
    assert faults(text) == [("it", code)]


@pytest.mark.parametrize("value", ["1e999", "NaN", "9" * 400, "1" + "0" * 310, '"1"', "[]", "true"])
def test_a_number_must_be_finite_and_a_number(value: str) -> None:
    ((path, code),) = faults(f'{{"parts": [], "words": {{"w": {value}}}}}')
    assert path == "it.words.w"
    assert code in {"out_of_range", "wrong_type"}


@pytest.mark.parametrize("name", ["\\u0000", "\\ud800", "\\u009b2J", "", "x" * 300, "\\n"])
def test_text_is_one_line_that_can_be_written(name: str) -> None:
    ((path, _code),) = faults(f'{{"parts": [], "some": ["{name}"]}}')
    assert path == "it.some[0]"


def test_a_file_that_is_too_long_is_not_read() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json("[" + " " * 100 + "]", "it", most_bytes=100)
    assert [fault.code for fault in caught.value.faults] == ["too_long"]


def test_faults_end_after_a_thousand() -> None:
    sevens = ",".join(["7"] * 5_000)
    found = faults(f'{{"parts": [{sevens}]}}')
    assert len(found) == 1_000


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(InvalidInput, match="did you mean parts"):
        read('{"part": []}')
