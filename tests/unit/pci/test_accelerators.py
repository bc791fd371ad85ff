"""Profiles become requests; what an accelerator service says and tells decides together."""

import pytest

from computekit.errors import Fault, InvalidInput
from computekit.ids import InstanceId
from computekit.model import FrozenMap
from computekit.pci import (
    Arq,
    ArqEvent,
    ArqState,
    DryHandle,
    MdevHandle,
    PciAddress,
    PciHandle,
    judge_arqs,
    parse_attach_handle,
    parse_device_profile,
)

ME, OTHER = InstanceId("i-1"), InstanceId("i-2")
BOUND = Arq("a", ArqState.BOUND, PciHandle(PciAddress(0, 1, 0, 0)))
INFO = FrozenMap({"domain": "0000", "bus": "3b", "device": "00", "function": "1"})


def test_a_profile_asks_one_provider_for_each_group() -> None:
    faults: list[Fault] = []
    profile = parse_device_profile(
        "fast-fpga",
        [
            {
                "resources:FPGA": "2",
                "trait:CUSTOM_A": "required",
                "trait:CUSTOM_B": "forbidden",
                "accel:bitstream_id": "x",
            },
            {"resources:CUSTOM_QAT": 1},
        ],
        faults,
    )

    assert not faults
    first, second = profile.request_groups("-port")
    assert (first.suffix, second.suffix) == ("device_profile_0-port", "device_profile_1-port")
    assert dict(first.resources) == {"FPGA": 2}
    assert first.required == {frozenset({"CUSTOM_A"})}
    assert first.forbidden == {"CUSTOM_B"}
    assert profile.groups[0].options == FrozenMap({"bitstream_id": "x"})


def test_every_fault_of_a_profile_is_told() -> None:
    faults: list[Fault] = []
    parse_device_profile(
        "a b",
        [
            {"resources:VCPU": 1, "resources:FPGA": "0", "trait:HW_CPU": "required"},
            {"trait:CUSTOM_A": "maybe", "resource:FPGA": 1},
        ],
        faults,
    )
    parse_device_profile("x", [], faults)

    assert [(fault.code, fault.path) for fault in faults] == [
        ("V01", "name"),
        ("V03", "groups[0].resources:VCPU"),
        ("V03", "groups[0].resources:FPGA"),
        ("V04", "groups[0].trait:HW_CPU"),
        ("V04", "groups[1].trait:CUSTOM_A"),
        ("V05", "groups[1].resource:FPGA"),
        ("V02", "groups[1]"),
        ("V02", "groups"),
    ]


def test_handles_are_typed_and_unknown_ones_refused() -> None:
    address = PciAddress(0, 0x3B, 0, 1)
    mdev = FrozenMap({**INFO, "asked_type": "nvidia-63", "attach_handle_uuid": "u"})

    assert parse_attach_handle("PCI", INFO, "arq") == PciHandle(address)
    assert parse_attach_handle("MDEV", mdev, "arq") == MdevHandle("u", address, "nvidia-63")
    assert parse_attach_handle("TEST_PCI", INFO, "arq") == DryHandle("TEST_PCI")
    for kind, info in (("CXL", INFO), ("MDEV", INFO), ("PCI", FrozenMap({**INFO, "bus": "999"}))):
        with pytest.raises(InvalidInput) as error:
            parse_attach_handle(kind, info, "arq")
        assert [(fault.code, fault.path) for fault in error.value.faults] == [("V06", "arq")]


def test_an_event_before_the_wait_counts() -> None:
    early = ArqEvent(ME, "a", completed=True)

    first = judge_arqs(ME, ["a"], [Arq("a", ArqState.BIND_STARTED)], [early])
    assert (first.ready, first.waiting, first.ask) == (False, ("a",), True)
    then = judge_arqs(ME, ["a"], [BOUND], [early])
    assert then.ready
    assert then.handles == {"a": BOUND.handle}


def test_no_event_is_needed_and_those_of_others_do_not_count() -> None:
    assert judge_arqs(ME, ["a"], [BOUND], []).ready

    theirs = ArqEvent(OTHER, "a", completed=False)
    outcome = judge_arqs(ME, ["a", "b"], [BOUND], [theirs, theirs])
    assert (outcome.waiting, outcome.failed, outcome.ask) == (("b",), (), False)


@pytest.mark.parametrize(
    "state",
    [ArqState.BIND_FAILED, ArqState.UNBOUND, ArqState.UNBIND_FAILED, ArqState.DELETING],
)
def test_what_has_failed_does_not_wait(state: ArqState) -> None:
    assert judge_arqs(ME, ["a"], [Arq("a", state)], []).failed == ("a",)


def test_a_failure_that_was_told_is_one_unless_it_is_bound_since() -> None:
    failed = ArqEvent(ME, "a", completed=False)

    assert judge_arqs(ME, ["a"], [], [failed]).failed == ("a",)
    assert judge_arqs(ME, ["a"], [BOUND], [failed]).ready
