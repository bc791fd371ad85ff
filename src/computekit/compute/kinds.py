"""All kinds of operations, for a runner."""

from typing import Never

from computekit.compute.console import console_kind
from computekit.compute.create import create_kind
from computekit.compute.delete import delete_kind
from computekit.compute.observe import observe_kind
from computekit.compute.orphan import orphan_kind
from computekit.compute.reboot import reboot_kind
from computekit.compute.services import Services
from computekit.compute.start import start_kind
from computekit.compute.stop import stop_kind
from computekit.journal import OperationKind

__all__ = ["operation_kinds"]


def operation_kinds(services: Services) -> tuple[OperationKind[Never], ...]:
    """Return every kind of operation on instances."""
    return (
        create_kind(services),
        delete_kind(services),
        start_kind(services),
        stop_kind(services),
        reboot_kind(services),
        observe_kind(services),
        console_kind(services),
        orphan_kind(services),
    )
