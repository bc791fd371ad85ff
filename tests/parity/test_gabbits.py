"""A few files of Placement's own tests; `nox -s gabbits` runs all of them."""

from pathlib import Path

import pytest

from tests.parity import gabbits, peers

pytestmark = pytest.mark.skipif(peers.made("placement") is None, reason=peers.missing("placement"))


def test_tests_of_the_peer_pass(tmp_path: Path) -> None:
    names = ("allocations-1.28", "cors", "granular", "usage-secure-rbac")
    found = list(gabbits.outcomes(tmp_path, names, gabbits.IN_MEMORY))
    assert [outcome.faults for outcome in found] == [()] * 4
    assert sum(outcome.passed for outcome in found) == sum(outcome.tests for outcome in found) > 70


def test_what_does_not_pass_is_told(tmp_path: Path) -> None:
    (found,) = gabbits.outcomes(tmp_path, ("basic-http",), gabbits.IN_MEMORY)
    assert (found.passed, found.tests) == (23, 24)
    assert "bad_content_length_not_int" in found.faults[0]
    assert found.real_faults == ()
