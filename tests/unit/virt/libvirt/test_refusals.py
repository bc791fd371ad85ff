"""What libvirt says, in our words."""

import libvirt
import pytest

from computekit.errors import (
    ComputekitError,
    DeadlineExceeded,
    DomainExists,
    DomainNotFound,
    HypervisorRefused,
    HypervisorUnavailable,
    PermissionRefused,
    StorageFull,
    Unsupported,
)
from computekit.ids import InstanceId
from computekit.virt.libvirt.refusals import translated

INSTANCE = InstanceId("0d8a9c3e-5f4b-4c1d-9e2f-1a2b3c4d5e6f")


class Said(libvirt.libvirtError):
    """A libvirt error with chosen words; libvirt's own are made from its last one."""

    def __init__(self, code: int, domain: int, words: str) -> None:
        super().__init__(words)
        self.err = (code, domain, words, 2, None, None, None, -1, -1)


@pytest.mark.parametrize(
    ("code", "domain", "words", "kind"),
    [
        (38, 7, "End of file while reading data", HypervisorUnavailable),
        (1, 7, "client socket is closed", HypervisorUnavailable),
        (38, 7, "Failed to connect socket to '/x': Permission denied", PermissionRefused),
        (38, 10, "Cannot access storage file '/x': Permission denied", PermissionRefused),
        (1, 10, "internal error: process exited while connecting", HypervisorRefused),
        (42, 10, "Domain not found", DomainNotFound),
        (28, 20, "domain exists already", DomainExists),
        (68, 10, "cannot acquire state change lock", DeadlineExceeded),
        (67, 10, "unsupported configuration: no such machine", Unsupported),
        (29, 0, "read only access prevents virDomainCreate", PermissionRefused),
        (38, 10, "cannot write '/x': No space left on device", StorageFull),
        (55, 10, "domain is not running", HypervisorRefused),
    ],
)
def test_what_libvirt_says(code: int, domain: int, words: str, kind: type[ComputekitError]) -> None:
    found = translated(Said(code, domain, words), "qemu:///x", "start", INSTANCE)
    assert type(found) is kind


def test_a_refusal_keeps_libvirts_code_and_words() -> None:
    found = translated(Said(55, 10, "domain is not running"), "qemu:///x", "start", INSTANCE)
    assert isinstance(found, HypervisorRefused)
    assert (found.call, found.native_code, found.reason) == ("start", 55, "domain is not running")
