"""Standard names and custom ones stand for classes and traits; nothing else does."""

import subprocess
import sys

import pytest

from computekit.placement.names import is_resource_class, is_trait


@pytest.mark.parametrize(
    ("name", "is_class", "is_a_trait"),
    [
        ("VCPU", True, False),
        ("MEMORY_MB", True, False),
        ("HW_CPU_X86_AVX2", False, True),
        ("MISC_SHARES_VIA_AGGREGATE", False, True),
        ("CUSTOM_X", True, True),
        ("CUSTOM_" + "X" * 248, True, True),
        ("CUSTOM_" + "X" * 249, False, False),
        ("CUSTOM_", False, False),
        ("CUSTOM_x", False, False),
        ("CUSTOM_X\n", False, False),
        ("custom_X", False, False),
        ("vcpu", False, False),
        ("", False, False),
    ],
)
def test_names(name: str, *, is_class: bool, is_a_trait: bool) -> None:
    assert is_resource_class(name) is is_class
    assert is_trait(name) is is_a_trait


def test_the_lists_of_names_are_read_when_they_are_needed() -> None:
    code = (
        "import sys; import computekit.placement;"
        "print(sorted({'os_traits', 'os_resource_classes'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
