"""When KVM is worth a trial, and that the outcome of a trial is remembered."""

import json
from pathlib import Path

import pytest

from computekit.clock import SystemClock
from computekit.testing import ManualClock
from computekit.virt.libvirt import acceleration
from computekit.virt.libvirt.acceleration import choose_acceleration, missing_for_kvm

INTEL = "processor\t: 0\nflags\t\t: fpu vme vmx sse\n"
AMD = "processor\t: 0\nflags\t\t: fpu svm sse\n"
NEITHER = "processor\t: 0\nflags\t\t: fpu svmx vmxx hypervisor\n"


@pytest.mark.parametrize(
    ("cpuinfo", "modules", "usable", "missing"),
    [
        (INTEL, {"kvm", "kvm_intel"}, True, None),
        (AMD, {"kvm", "kvm_amd"}, True, None),
        (NEITHER, {"kvm", "kvm_intel"}, True, "vmx"),
        ("", {"kvm", "kvm_intel"}, True, "vmx"),
        (INTEL, {"kvm", "kvm_pvm"}, True, "kvm_intel"),
        (INTEL, {"kvm", "kvm_intel"}, False, "/dev/kvm"),
    ],
)
def test_what_a_machine_lacks(
    cpuinfo: str, modules: set[str], usable: bool, missing: str | None
) -> None:
    found = missing_for_kvm(cpuinfo, frozenset(modules), usable=usable)
    assert (found is None) if missing is None else (found is not None and missing in found)


def test_this_machine_gets_an_answer_with_a_reason(tmp_path: Path) -> None:
    found = choose_acceleration(tmp_path / "acceleration.json", ManualClock())
    assert found.virt_type in {"kvm", "qemu"}
    assert found.reason


@pytest.mark.parametrize(
    ("script", "virt_type"),
    [
        ("echo SeaBIOS; echo BOOTED probe; exec sleep 60", "kvm"),
        ("echo KVM internal error; exit 1", "qemu"),
        ("exit 1", "qemu"),
    ],
)
def test_a_trial_ends_with_what_the_guest_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, virt_type: str
) -> None:
    program = tmp_path / "qemu-system-x86_64"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert acceleration._probe(SystemClock(), None).virt_type == virt_type


def test_an_outcome_holds_for_one_machine_and_one_boot(tmp_path: Path) -> None:
    memory = tmp_path / "acceleration.json"
    found = acceleration.Acceleration("kvm", "it was tried")
    acceleration._remember(memory, "this", found)
    assert acceleration._recall(memory, "this") == found
    assert acceleration._recall(memory, "that") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"key": "this"})])
def test_a_spoilt_memory_is_found_out_again(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "acceleration.json"
    memory.write_text(text, "utf-8")
    assert acceleration._recall(memory, "this") is None
