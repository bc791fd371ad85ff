"""Columns of few distinct values."""

import numpy as np

from computekit.placement.columns import Coded

ALL = slice(None)


def test_a_column_takes_more_values_than_a_byte_tells_apart() -> None:
    column = Coded("", 600)
    copy = column.fork()
    for row in range(600):
        column.set(row, f"v{row}")
    assert [column[row] for row in (0, 254, 255, 256, 599)] == [
        "v0",
        "v254",
        "v255",
        "v256",
        "v599",
    ]
    assert copy[599] == ""
    copy.set(0, "v599")
    copy.set(1, "v1")
    assert (copy[0], copy[1], copy[2]) == ("v599", "v1", "")
    assert column.where("long", lambda value: len(value) > 3, ALL).sum() == 500


def test_all_rows_are_written_at_once() -> None:
    column = Coded("", 3)
    column.set_all(["a", "b", "a"])
    assert [column[row] for row in range(3)] == ["a", "b", "a"]
    column.set_all([f"v{row}" for row in range(300)])
    assert column[299] == "v299"
    column.fill("b")
    assert column.where("b", lambda value: value == "b", ALL).all()
    column.relay(np.array([1, -1]))
    assert (column[0], column[1]) == ("b", "")


def test_each_value_has_its_number() -> None:
    column, asked = Coded(frozenset[str](), 3), list[frozenset[str]]()

    def size(value: frozenset[str]) -> float:
        asked.append(value)
        return float(len(value))

    assert column.numbers("size", size, ALL).tolist() == [0, 0, 0]
    column.set(1, frozenset("ab"))
    assert column.numbers("size", size, ALL).tolist() == [0, 2, 0]
    assert column.fork().numbers("size", size, np.array([1, 1])).tolist() == [2, 2]
    assert len(asked) == 2
