from pathlib import Path

import pytest

from computekit.agent import Fence, Fences
from computekit.errors import FenceRejected
from computekit.ids import InstanceId
from computekit.testing import ManualClock
from computekit.units import Seconds

ONE = InstanceId("one")


def fence(epoch: int, number: int = 0, lease: int = 0) -> Fence:
    return Fence(ONE, epoch, number, lease)


def test_who_comes_later_passes_and_shuts_the_door(tmp_path: Path) -> None:
    fences = Fences(tmp_path, ManualClock())
    fences.admit(fence(1, 2, 3))
    fences.admit(fence(1, 2, 3))
    fences.admit(fence(1, 2, 4))
    fences.admit(fence(1, 3, 1))
    fences.admit(fence(2, 1, 1))
    for late in (fence(1, 9, 9), fence(2, 0, 9), fence(2, 1, 0)):
        with pytest.raises(FenceRejected):
            fences.admit(late)


def test_the_memory_outlives_the_process(tmp_path: Path) -> None:
    Fences(tmp_path, ManualClock()).admit(fence(5))
    again = Fences(tmp_path, ManualClock())
    with pytest.raises(FenceRejected):
        again.admit(fence(4, 99))
    again.admit(fence(5))


def test_instances_do_not_share_a_fence(tmp_path: Path) -> None:
    fences = Fences(tmp_path, ManualClock())
    fences.admit(fence(5))
    fences.admit(Fence(InstanceId("two"), 1))


def test_only_what_is_gone_and_old_is_forgotten(tmp_path: Path) -> None:
    clock = ManualClock(Seconds(4e9))  # far after the files that are written now
    fences = Fences(tmp_path, clock)
    fences.admit(fence(5))
    assert fences.unused(frozenset({ONE}), Seconds(60)) == ()
    assert fences.unused(frozenset(), Seconds(5e9)) == ()
    fences.forget(ONE, Seconds(5e9))
    with pytest.raises(FenceRejected):
        fences.admit(fence(4))
    assert fences.unused(frozenset(), Seconds(60)) == (ONE,)
    fences.forget(ONE, Seconds(60))
    fences.forget(ONE, Seconds(60))
    fences.admit(fence(1))
    assert [file.name for file in tmp_path.iterdir()] == ["one.json"]
