"""What `computekit-placement` refuses before it opens anything."""

import pytest
from click.testing import CliRunner

from computekit_daemons.placement import PlacementDaemon, main
from computekit_daemons.placement_api import Access


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workers", "2"), "--workers needs a --database"),
        (("--listen", "0.0.0.0:8778"), "say --auth"),
        (("--listen", "nowhere"), "is not HOST:PORT"),
        (("--listen", ":80"), "is not HOST:PORT"),
        (("--listen", "127.0.0.1:65536"), "is not HOST:PORT"),
        (("--auth", "token"), "needs its file"),
        (("--auth", "basic", "--token-file", __file__), "needs its file"),
        (("--auth", "keystone"), "needs its file"),
        (("--auth", "none"), "none"),
        (("--profile", "other"), "other"),
        (("--workers", "0"), "workers"),
    ],
)
def test_options_that_make_no_sense(options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 2
    assert said in done.output


def test_the_password_of_a_database_is_not_shown() -> None:
    daemon = PlacementDaemon("127.0.0.1", 0, "postgresql://u:hunter2@h/d", Access())
    assert "hunter2" not in repr(daemon)


def test_it_explains_itself() -> None:
    done = CliRunner().invoke(main, ["--help"])
    assert done.exit_code == 0
    for option in ("--listen", "--database", "--workers", "--auth", "--profile"):
        assert option in done.output
