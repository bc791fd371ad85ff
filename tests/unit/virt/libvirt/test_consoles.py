"""Console logs: read from their end, and kept short while somebody writes."""

from pathlib import Path

import pytest

from computekit.virt.libvirt.consoles import read_tail, trim


@pytest.mark.parametrize(
    ("asked", "got"), [(0, b""), (3, b"fgh"), (8, b"abcdefgh"), (99, b"abcdefgh"), (-1, b"")]
)
def test_the_end_of_a_log(tmp_path: Path, asked: int, got: bytes) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"abcdefgh")
    assert read_tail(log, asked) == got


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert read_tail(tmp_path / "console.log", 10) == b""


def test_a_long_log_gives_its_space_back_and_keeps_its_end(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    with log.open("ab") as writer:
        writer.write(b"x" * (1 << 20))
        writer.flush()
        before = log.stat()
        trim(log, 8192)
        after = log.stat()
        writer.write(b"the end")
    assert after.st_size == before.st_size
    assert after.st_blocks < before.st_blocks / 10
    assert read_tail(log, 8199) == b"x" * 8192 + b"the end"
    assert set(read_tail(log, 1 << 30)) == set(b"xthe nd"), "the hole is not part of it"


def test_a_short_log_stays_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_bytes(b"short")
    trim(log, 8192)
    assert log.read_bytes() == b"short"
