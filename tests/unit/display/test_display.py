"""Tables, trees and bars, and the names that try to break out of them."""

import xml.etree.ElementTree as ET

import pytest

from computekit.display import Bar, Bars, Drawing, Page, Table, Text, Tree

EVIL = [
    "<script>alert('x')</script>",
    'a" onmouseover="b',
    "\x1b[31mred\x1b[0m",
    "two\nlines\tand a tab\r",
    "\u202egnp.exe",
    "zero\u200bwidth\u2028line\x00",
    "]]></svg><!--",
    "\U000e0041 tag",
]


def drawings(name: str) -> list[Drawing]:
    return [
        Table((name, "n"), ((name, "1"), ("b", name)), numbers=frozenset({"n"}), title=name),
        Tree(name, (name,), (Tree(name, (), (Tree(name),)), Tree("b"))),
        Bars((Bar(name, 1, 2, name), Bar("b", 3, 0)), title=name),
        Text((name, "plain"), title=name),
        Page((Text((name,)), Table((name,), ()))),
    ]


@pytest.mark.parametrize("name", EVIL)
def test_no_name_breaks_out(name: str) -> None:
    for drawing in drawings(name):
        text, html = drawing.text(width=60), drawing.html()
        assert all(char == "\n" or char.isprintable() for char in text), text
        assert all(char.isprintable() for char in html), html
        ET.fromstring(html)
        assert "<script" not in html
        assert 'onmouseover="' not in html


@pytest.mark.parametrize("name", EVIL)
def test_no_name_breaks_out_of_a_drawing(name: str) -> None:
    for svg in (Tree(name, (name,), (Tree(name),)).svg(), Bars((Bar(name, 1, 2, name),)).svg()):
        ET.fromstring(svg)
        assert all(char.isprintable() for char in svg)


def test_a_table_lines_its_columns_up() -> None:
    table = Table(("host", "free"), (("a", "7"), ("bcd", "1234")), frozenset({"free"}), "Hosts")
    assert table.text() == ("Hosts\nhost  free\n----  ----\na        7\nbcd   1234")


def test_a_table_that_is_too_wide_wraps_its_widest_column() -> None:
    table = Table(("host", "why"), (("a", "one two three four five"),))
    assert table.text(width=16) == (
        "host  why\n----  ----------\na     one two\n      three four\n      five"
    )


def test_a_table_lines_up_characters_of_double_width() -> None:
    assert Table(("n", "m"), (("\u6771\u4eac", "x"), ("ab", "y"))).text() == (
        "n     m\n----  -\n\u6771\u4eac  x\nab    y"
    )


def test_a_table_needs_a_cell_for_each_heading() -> None:
    with pytest.raises(ValueError, match="one cell for each heading"):
        Table(("a", "b"), (("1",),))


def test_a_table_without_rows_shows_its_headings() -> None:
    assert Table(("a", "b"), ()).text() == "a  b\n-  -"


def test_a_tree_draws_its_branches() -> None:
    tree = Tree("root", ("note",), (Tree("one", ("deep",), (Tree("leaf"),)), Tree("two")))
    assert tree.text() == ("root\n|   note\n|-- one\n|   |   deep\n|   `-- leaf\n`-- two")


def test_a_tree_is_cut_at_the_width() -> None:
    assert Tree("a" * 30).text(width=10) == "aaaaaaaa.."


def test_equal_siblings_are_drawn_each_in_its_place() -> None:
    assert Tree("r", (), (Tree("x"), Tree("x"))).text() == "r\n|-- x\n`-- x"


def test_bars_show_their_share() -> None:
    bars = Bars((Bar("a", 1, 4, "1 of 4"), Bar("bc", 9, 4, "full"), Bar("d", 1, 0)), title="use")
    assert bars.text(width=30) == (
        "use\na   [####............]  1 of 4\nbc  [################]  full\nd   [................]"
    )


def test_words_are_wrapped_and_indented_under_their_title() -> None:
    assert Text(("one two three",), title="Title").text(width=10) == "Title\n  one two\n  three"
    assert Text(("x" * 12,)).text(width=5) == "xxxxx\nxxxxx\nxx"


def test_a_page_keeps_its_parts_apart() -> None:
    assert Page((Text(("a",)), Text(("b",)))).text() == "a\n\nb"
