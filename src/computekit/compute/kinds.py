"""All kinds of operations, for a runner."""

from computekit.compute.console import ConsoleParams, console_kind
from computekit.compute.create import CreateParams, create_kind
from computekit.compute.delete import DeleteParams, delete_kind
from computekit.compute.observe import ObserveParams, observe_kind
from computekit.compute.reboot import RebootParams, reboot_kind
from computekit.compute.services import Services
from computekit.compute.start import StartParams, start_kind
from computekit.compute.stop import StopParams, stop_kind
from computekit.journal import OperationKind

__all__ = ["AnyKind", "operation_kinds"]

AnyKind = (
    OperationKind[CreateParams]
    | OperationKind[DeleteParams]
    | OperationKind[StartParams]
    | OperationKind[StopParams]
    | OperationKind[RebootParams]
    | OperationKind[ObserveParams]
    | OperationKind[ConsoleParams]
)


def operation_kinds(services: Services) -> tuple[AnyKind, ...]:
    """Return every kind of operation on instances."""
    return (
        create_kind(services),
        delete_kind(services),
        start_kind(services),
        stop_kind(services),
        reboot_kind(services),
        observe_kind(services),
        console_kind(services),
    )
