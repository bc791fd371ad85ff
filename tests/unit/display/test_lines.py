"""Lines as text, HTML and SVG."""

import xml.etree.ElementTree as ET

from computekit.display import Line, Lines

RISING = Line("rising", ((0.0, 0.0), (1.0, 5.0), (2.0, 10.0)))
FLAT = Line("a <flat> & plain", ((0.0, 5.0), (2.0, 5.0)))


def test_a_strip_goes_from_low_to_high() -> None:
    lines = Lines((RISING, FLAT), "hours", "hosts", "Open hosts").text(width=60).splitlines()
    assert lines[0] == "Open hosts"
    strip = lines[1][lines[1].index("[") + 1 : lines[1].index("]")]
    assert strip[0] == " "
    assert strip[-1] == "@"
    assert lines[1].endswith("0 .. 10")
    assert lines[3] == "hosts over hours"
    assert all(len(line) <= 60 for line in lines)


def test_a_drawing_is_well_formed_and_escapes_names() -> None:
    svg = ET.fromstring(Lines((RISING, FLAT), "hours", "hosts").svg())
    lines = [node for node in svg.iter() if node.tag.endswith("polyline")]
    assert len(lines) == 2
    first = [tuple(map(float, p.split(","))) for p in lines[0].attrib["points"].split()]
    assert [x for x, _y in first] == sorted(x for x, _y in first)
    assert [y for _x, y in first] == sorted((y for _x, y in first), reverse=True)
    texts = [node.text for node in svg.iter() if node.tag.endswith("text")]
    assert FLAT.label in texts
    assert "<flat>" not in Lines((FLAT,), title="<flat>").html().replace("&lt;flat&gt;", "")


def test_nothing_and_one_point_are_shown_too() -> None:
    assert ET.fromstring(Lines(()).svg()).tag.endswith("svg")
    assert "none" in Lines((Line("empty", ()),)).text()
    ET.fromstring(Lines((Line("one", ((1.0, 1.0),)),)).svg())
