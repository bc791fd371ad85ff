"""Nova's own report client finds no difference between our daemon and genuine Placement."""

import pytest

from tests.parity import peers, report_client


@pytest.mark.skipif(peers.made("nova") is None, reason=peers.missing("nova"))
@pytest.mark.skipif(peers.made("placement") is None, reason=peers.missing("placement"))
def test_novas_report_client_sees_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_client.main() == 0, capsys.readouterr().out
