"""What a look at specs and a host together brought up."""

from collections.abc import Iterable
from enum import Enum

import attrs

from computekit.errors import Fault
from computekit.pci.address import PciAddress

__all__ = ["Finding", "Severity", "refusals"]


class Severity(Enum):
    """What a finding means for a host that starts."""

    REFUSE = "refuse"
    WARN = "warn"
    INFO = "info"


@attrs.frozen
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        code: stable: one of the reference's G or H series.
        severity: what it means.
        path: where in the configuration.
        message: what is there, and what would be right.
        devices: that it is about.
    """

    code: str
    severity: Severity
    path: str
    message: str
    devices: tuple[PciAddress, ...] = ()


def refusals(findings: Iterable[Finding]) -> tuple[Fault, ...]:
    """Return those that keep a host from starting, as faults of its configuration."""
    return tuple(
        Fault(finding.path, finding.code, finding.message)
        for finding in findings
        if finding.severity is Severity.REFUSE
    )
