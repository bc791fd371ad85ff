"""The topology levels of a state directory."""

from pathlib import Path

import pytest

from computekit.errors import InvalidInput
from computekit_daemons.levels import read_levels


def test_levels_are_read_coarse_to_fine(tmp_path: Path) -> None:
    file = tmp_path / "levels"
    assert read_levels(file).names == ("az", "host")
    file.write_text("# ours\naz availability_zone\n\n rack   topology:rack\n")
    found = read_levels(file)
    assert found.names == ("az", "rack", "host")
    assert found.key("rack") == "topology:rack"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("rack\naz a b\n", ["levels:1", "levels:2"]),
        ("host a\nRack b\n", ["levels[0].name", "levels[1].name"]),
    ],
)
def test_every_fault_is_told(tmp_path: Path, text: str, paths: list[str]) -> None:
    file = tmp_path / "levels"
    file.write_text(text)
    with pytest.raises(InvalidInput) as raised:
        read_levels(file)
    assert [fault.path for fault in raised.value.faults] == paths
