"""A few of the kills; `nox -s kills` does all of them."""

import pytest

from tests.real import kills
from tests.real.conftest import missing_for_libvirt

pytestmark = pytest.mark.real


@pytest.fixture
def real_host() -> None:
    reason = missing_for_libvirt()
    if reason is not None:
        pytest.skip(f"real libvirt: {reason}")


def test_the_all_in_one_is_killed_at_six_points(
    capsys: pytest.CaptureFixture[str], real_host: None
) -> None:
    kills.runs(6, seed=20, fake=False, say=print)
    assert capsys.readouterr().out.count(" ended ") == 6


def test_libvirtd_is_killed_under_operations(
    capsys: pytest.CaptureFixture[str], real_host: None
) -> None:
    kills.libvirtd_runs(5, seed=21, say=print)
    assert capsys.readouterr().out.count(" ended ") == 5


def test_an_all_in_one_of_fake_hosts_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    kills.runs(4, seed=22, fake=True, say=print)
    assert capsys.readouterr().out.count(" ended ") == 4
