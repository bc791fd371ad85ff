import random
import uuid

import pytest

from computekit.ids import derived_uuid, is_uuid, new_uuid


def test_new_ids_follow_the_source() -> None:
    first = [new_uuid(random.Random(7)) for _ in range(2)]
    assert first[0] == first[1]
    assert uuid.UUID(first[0]).version == 4


def test_derived_ids_depend_on_namespace_and_name() -> None:
    one, other = new_uuid(random.Random(1)), new_uuid(random.Random(2))
    assert derived_uuid(one, "a") == derived_uuid(one, "a")
    assert len({derived_uuid(one, "a"), derived_uuid(one, "b"), derived_uuid(other, "a")}) == 3


def test_a_uuid_is_lower_case_with_dashes() -> None:
    assert is_uuid(new_uuid(random.Random(1)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2F1D8A34-6C5B-4E7F-A9D0-1B3C5D7E9F00",
        "2f1d8a346c5b4e7fa9d01b3c5d7e9f00",
        "{2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00}",
        "2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00\n",
        "2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f0",
        "../f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00",
    ],
)
def test_what_is_no_uuid_as_ids_are_written(text: str) -> None:
    assert not is_uuid(text)
