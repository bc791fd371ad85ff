import random
import uuid

from computekit.ids import derived_uuid, new_uuid


def test_new_ids_follow_the_source() -> None:
    first = [new_uuid(random.Random(7)) for _ in range(2)]
    assert first[0] == first[1]
    assert uuid.UUID(first[0]).version == 4


def test_derived_ids_depend_on_namespace_and_name() -> None:
    one, other = new_uuid(random.Random(1)), new_uuid(random.Random(2))
    assert derived_uuid(one, "a") == derived_uuid(one, "a")
    assert len({derived_uuid(one, "a"), derived_uuid(one, "b"), derived_uuid(other, "a")}) == 3
