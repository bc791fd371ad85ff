"""Read what a guest wrote on its console."""

import attrs

from computekit.agent import ReadConsole
from computekit.compute.services import Services
from computekit.errors import StateConflict
from computekit.ids import InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.work import Tx

__all__ = [
    "ConsoleOutput",
    "ConsoleParams",
    "console_kind",
    "console_subject",
    "read_console",
]

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

    What was read before is forgotten with it: a console is read often and kept elsewhere.

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
    subject = console_subject(instance)

    def forget(tx: Tx) -> None:
        if services.journal.live(subject) is None:
            services.journal.forget(tx, subject)

    return services.submit(console_kind(services), params, subject, also=forget)


def console_subject(instance: InstanceId) -> str:
    """Return what the reading of an instance's console works on."""
    return f"console:{instance}"


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
