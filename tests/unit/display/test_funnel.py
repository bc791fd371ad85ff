"""A funnel as text, HTML and SVG."""

from xml.etree import ElementTree

from computekit.display import Funnel, Stage

FUNNEL = Funnel(
    1_000,
    (Stage("enabled", "yes", 998, 2), Stage("VCPU", "<8>", 1, 900), Stage("trait", "x" * 99, 0)),
)


def test_the_text_is_a_table() -> None:
    assert FUNNEL.text(width=61).splitlines()[:4] == [
        "rule       asked             hosts left  lost  fail only this",
        "---------  ----------------  ----------  ----  --------------",
        "all hosts                          1000",
        "enabled    yes                      998    -2               2",
    ]


def test_the_drawing_is_xml_and_small_shares_can_be_seen() -> None:
    root = ElementTree.fromstring(FUNNEL.svg())
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert texts[:4] == ["all hosts", "1000", "enabled", "998  -2 (2 fail only this)"]
    assert texts[4] == "VCPU <8>"
    widths = [float(e.get("width", "0")) for e in root.iter() if e.tag.endswith("rect")]
    assert min(width for width in widths if width) == 1
    assert all(len(text) <= 40 for text in texts)


def test_a_funnel_of_nothing_can_be_drawn() -> None:
    empty = Funnel(0, ())
    assert "all hosts" in empty.text()
    assert ElementTree.fromstring(empty.svg()) is not None
    assert empty.html().startswith("<div")
