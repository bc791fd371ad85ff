"""`computekit placement copy` brings a whole Placement to another server, and back."""

import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from computekit.cli import main
from computekit.client import compare, read_snapshot, sums
from computekit.model import FrozenMap
from tests.parity import peers, servers
from tests.parity.fleets import random_fleet

DIFFERENT = 4


def quietly(what: str, done: int, count: int) -> None:
    assert done <= count


def copy(source: servers.Running, target: servers.Running, *arguments: str) -> tuple[int, str]:
    command = ["placement", "copy", "--from", source.url, "--to", target.url, *arguments]
    done = CliRunner().invoke(main, command, catch_exceptions=False)
    return done.exit_code, done.stdout


@pytest.mark.skipif(peers.made("placement") is None, reason=peers.missing("placement"))
def test_a_fleet_goes_from_genuine_placement_to_ours_and_on_to_another(tmp_path: Path) -> None:
    with (
        servers.genuine(tmp_path / "first") as first,
        servers.ours(tmp_path / "ours") as ours,
        servers.genuine(tmp_path / "second") as second,
        first.placement() as a,
        ours.placement() as b,
        second.placement() as c,
    ):
        random_fleet(a, random.Random(7), 7)
        code, said = copy(first, ours, "--dry-run")
        assert code == 0
        assert "providers to create" in said
        assert b.providers() == ()

        code, said = copy(first, ours)
        assert (code, said.splitlines()[-1]) == (0, "both hold the same"), said
        code, said = copy(ours, second)
        assert (code, said.splitlines()[-1]) == (0, "both hold the same"), said
        there = read_snapshot(a, quietly)
        assert len(there.providers) > 12
        assert len(there.allocations) > 8
        assert sums(there) == sums(read_snapshot(b, quietly)) == sums(read_snapshot(c, quietly))
        assert compare(there, read_snapshot(c, quietly)).none


def test_a_copy_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    with (
        servers.ours(tmp_path / "one") as one,
        servers.ours(tmp_path / "two") as two,
        one.placement() as a,
        two.placement() as b,
    ):
        random_fleet(a, random.Random(8), 6)
        assert copy(one, two)[0] == 0
        # Half of it is lost again, and something is renamed and moved.
        there = read_snapshot(b, quietly)
        for consumer in list(there.allocations)[::2]:
            b.release(consumer)
        roots = [p for p in there.providers.values() if p.parent is None]
        b.update_provider(roots[0].id, "another name", roots[1].id)
        free = next(p for p in there.providers.values() if not b.provider(p.id).used)
        now = b.provider(free.id).provider
        b.set_inventories(free.id, now.generation, FrozenMap())
        code, said = copy(one, two)
        assert (code, said.splitlines()[-1]) == (0, "both hold the same"), said
        assert compare(read_snapshot(a, quietly), read_snapshot(b, quietly)).none


def test_what_only_the_target_has_is_told(tmp_path: Path) -> None:
    with (
        servers.ours(tmp_path / "one", "sqlite://") as one,
        servers.ours(tmp_path / "two", "sqlite://") as two,
        two.placement() as b,
    ):
        random_fleet(b, random.Random(9), 2)
        code, said = copy(one, two)
        assert code == DIFFERENT
        assert "providers that only the target has" in said
