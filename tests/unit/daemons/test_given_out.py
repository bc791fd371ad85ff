"""What the all-in-one is told of CPUs, zones and request filters."""

import pytest

from computekit.errors import InvalidInput
from computekit.scheduler import PREFILTERS, Policy
from computekit_daemons.given_out import given_out, with_placing


def test_cpus_are_read_as_people_write_them() -> None:
    rules = given_out("2-7,^4", "0,1")
    assert rules.dedicated_cpus == frozenset({2, 3, 5, 6, 7})
    assert rules.shared_cpus == frozenset({0, 1})
    assert given_out(None, None).dedicated_cpus is None


def test_what_is_no_set_of_cpus_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        given_out("x", "3-1")
    assert [fault.path for fault in refused.value.faults] == ["dedicated_cpus", "shared_cpus"]


def test_request_filters_are_found_by_name() -> None:
    policy = with_placing(Policy(), ("image-type", "image-type", "tpm-key-security"), "home")
    assert [each.name for each in policy.prefilters] == ["image type", "TPM key security"]
    assert policy.default_zone == "home"
    every = [each.name.lower().replace(" ", "-") for each in PREFILTERS]
    assert with_placing(Policy(), every, "nova").prefilters == PREFILTERS


@pytest.mark.parametrize(("names", "zone"), [(("odd",), "nova"), ((), "a:b"), ((), "")])
def test_what_there_is_not_is_refused(names: tuple[str, ...], zone: str) -> None:
    with pytest.raises(InvalidInput):
        with_placing(Policy(), names, zone)
