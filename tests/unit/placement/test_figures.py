"""Figures of hosts: numbers that may not be known."""

from math import nan

from computekit.placement.figures import Figures

ALL = slice(None)


def test_what_is_no_longer_known_is_not_a_number() -> None:
    figures = Figures(2)
    figures.set_all("load", [1.0, 2.0])
    assert figures.vector("load", ALL).tolist() == [1.0, 2.0]
    figures.set(1, {"load": nan, "heat": 3.0})
    assert figures.vector("load", ALL, 7.0).tolist() == [1.0, 7.0]
    assert figures.of("load", 1) is None
    assert figures.values(0) == {"load": 1.0}
    assert figures.values(1) == {"heat": 3.0}


def test_a_copy_forgets_alone() -> None:
    figures = Figures(1)
    figures.set_all("load", [1.0])
    assert figures.vector("load", ALL).tolist() == [1.0]
    copy = figures.fork()
    copy.set(0, {"load": nan})
    assert copy.vector("load", ALL, 7.0).tolist() == [7.0]
    assert figures.vector("load", ALL, 7.0).tolist() == [1.0]
