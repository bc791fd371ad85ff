"""What of a domain's metadata is believed."""

import pytest

from computekit.ids import InstanceId, OperationId
from computekit.virt import DomainMark
from computekit.virt.libvirt.mark import Marking, marking_text, read_marking

INSTANCE = InstanceId("0d8a9c3e-5f4b-4c1d-9e2f-1a2b3c4d5e6f")
MARKING = Marking(DomainMark(INSTANCE, 3, OperationId("op<&>'\"")), 17)


def test_a_mark_survives_the_way_through_a_domain() -> None:
    assert read_marking(marking_text(MARKING), INSTANCE) == MARKING


def test_the_mark_of_a_copied_domain_is_not_believed() -> None:
    other = "99999999-5f4b-4c1d-9e2f-1a2b3c4d5e6f"
    assert read_marking(marking_text(MARKING), other) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<domain",
        "<domain/>",
        f"<domain instance='{INSTANCE}' epoch='many' operation='x' boots='0'/>",
        f"<domain instance='{INSTANCE}' epoch='1' operation='x'/>",
    ],
)
def test_what_is_not_whole_is_not_ours(text: str) -> None:
    assert read_marking(text, INSTANCE) is None
