import os
from pathlib import Path

import pytest

from computekit.agent import HostLock
from computekit.errors import InUse


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    assert HostLock.holder(tmp_path / "host") is None
    lock = HostLock(tmp_path / "host")
    assert HostLock.holder(tmp_path / "host") == os.getpid()
    with pytest.raises(InUse) as caught:
        HostLock(tmp_path / "host")
    assert caught.value.by == f"process {os.getpid()}"
    lock.release()
    lock.release()
    assert HostLock.holder(tmp_path / "host") is None
    HostLock(tmp_path / "host").release()
