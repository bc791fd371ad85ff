"""Operators of extra specs: parsed once, and judging a value never fails."""

import pytest

from computekit.scheduler import parse_condition


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("x86_64", ["x86_64"], ["X86_64", "", "x86_64 "]),
        ("= 5", ["5", "6.5", "1e3"], ["4.9", "many", ""]),
        ("== 5", ["5", "5.0"], ["6", "five"]),
        ("!= 5", ["4"], ["5", "five"]),
        (">= 5", ["5", "inf"], ["4", "nan"]),
        ("<= 5", ["5", "-1"], ["6"]),
        ("s== abc", ["abc"], ["abd"]),
        ("s!= abc", ["abd"], ["abc"]),
        ("s< b", ["a"], ["b", "c"]),
        ("s<= b", ["b"], ["c"]),
        ("s> b", ["c"], ["b"]),
        ("s>= b", ["b"], ["a"]),
        ("<in> avx", ["sse avx2"], ["sse"]),
        ("<all-in> aes avx", ["aes,avx2"], ["aes"]),
        ("<or> v1 <or> v2", ["v1", "v2"], ["v3", "<or>"]),
        ("== 5 6", ["5"], ["6"]),
        ("", [""], ["a"]),
    ],
)
def test_what_holds(text: str, yes: list[str], no: list[str]) -> None:
    condition = parse_condition(text)
    assert str(condition) == text
    assert [value for value in yes if not condition.holds(value)] == []
    assert [value for value in no if condition.holds(value)] == []
    assert not condition.holds(None)


@pytest.mark.parametrize("text", ["<or>", "=", ">= many", "== nan", "s==", "<in>", "<all-in>"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match=r"needs|numbers"):
        parse_condition(text)
