"""Read what a guest wrote on its console."""

import attrs

from computekit.agent import ReadConsole
from computekit.compute.services import Services
from computekit.errors import StateConflict
from computekit.ids import InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step

__all__ = ["ConsoleOutput", "ConsoleParams", "console_kind", "read_console"]

MAX_TAIL_BYTES = 1 << 20


@attrs.frozen
class ConsoleParams:
    """What to read.

    Attributes:
        instance: whose console.
        tail_bytes: how much of its end.
    """

    instance: InstanceId
    tail_bytes: int


@attrs.frozen
class ConsoleOutput:
    """What the guest wrote; what is no UTF-8 is replaced."""

    text: str


def read_console(services: Services, instance: InstanceId, tail_bytes: int) -> Operation:
    """Write down that a console is to be read; other operations do not stand in its way.

    Args:
        services: the ports.
        instance: whose console.
        tail_bytes: how much of its end; 1 MiB at most.

    Raises:
        NotFound: there is no such instance.
        StateConflict: it is on no host.
        OperationInProgress: it is being read already.
    """
    if services.existing(instance).host is None:
        raise StateConflict(f"instance {instance}", "without a host", "a host")
    params = ConsoleParams(instance, min(max(tail_bytes, 0), MAX_TAIL_BYTES))
    return services.submit(console_kind(services), params, f"console:{instance}")


def console_kind(services: Services) -> OperationKind[ConsoleParams]:
    """Return the one step of `instance.console`, whose result is a `ConsoleOutput`."""

    def read(ctx: Context[ConsoleParams]) -> Outcome:
        instance = services.existing(ctx.params.instance)
        if instance.host is None:
            raise StateConflict(f"instance {instance.id}", "without a host", "a host")
        call = ReadConsole(instance.id, ctx.params.tail_bytes)
        raw = services.client.call(instance.host, call, None, ctx.operation)
        return Done(ConsoleOutput(raw.decode("utf-8", errors="replace")))

    return OperationKind(name="instance.console", params=ConsoleParams, steps=(Step("read", read),))
