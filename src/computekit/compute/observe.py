"""Write down what a guest did by itself: it powered off, or somebody else started it."""

import attrs

from computekit.compute.on_host import OnHost
from computekit.compute.services import Services
from computekit.errors import OperationInProgress
from computekit.ids import InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.model import InstanceState
from computekit.virt.ports import DomainState

__all__ = ["ObserveParams", "observe", "observe_kind"]

_RUNS = (DomainState.RUNNING, DomainState.PAUSED)
_STABLE = (InstanceState.ACTIVE, InstanceState.STOPPED)


@attrs.frozen
class ObserveParams:
    """Nothing beside the instance's own row."""


@attrs.frozen
class _Seen:
    epoch: int
    runs: bool


def observe(services: Services, instance: InstanceId) -> Operation | None:
    """Write down that an instance's domain is to be looked at, because something hints at it.

    Returns:
        The operation, or None where there is nothing to do: the instance is gone, is neither
        active nor stopped, or another operation is under way, which looks for itself.
    """
    row = services.instances.instance(instance)
    if row is None or row.state not in _STABLE:
        return None
    if services.journal.live(instance) is not None:
        return None
    try:
        return services.submit(observe_kind(services), ObserveParams(), instance)
    except OperationInProgress:
        return None


def observe_kind(services: Services) -> OperationKind[ObserveParams]:
    """Return the steps of `instance.observe`: look, and write down what was seen."""
    on_host = OnHost(services)

    def look(ctx: Context[ObserveParams]) -> Outcome:
        instance = on_host.instance(ctx)
        if instance.host is None:
            return Done()
        status = on_host.status(ctx, instance)
        runs = status is not None and status.state in _RUNS
        return Done(_Seen(instance.epoch, runs))

    def write(ctx: Context[ObserveParams]) -> Outcome:
        instance, seen = on_host.instance(ctx), ctx.out_if_done("look", _Seen)
        if seen is None or seen.epoch != instance.epoch or instance.state not in _STABLE:
            return Done()
        state = InstanceState.ACTIVE if seen.runs else InstanceState.STOPPED
        return Done() if state is instance.state else on_host.becomes(instance, state)

    return OperationKind(
        name="instance.observe",
        params=ObserveParams,
        steps=(Step("look", look), Step("write", write, point_of_no_return=True)),
        yields=True,
    )
