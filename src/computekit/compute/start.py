"""Start an instance that is stopped."""

import attrs

from computekit.compute.on_host import OnHost, require_state
from computekit.compute.services import Services
from computekit.ids import InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.model import InstanceState

__all__ = ["StartParams", "start", "start_kind"]


@attrs.frozen
class StartParams:
    """Nothing beside the instance's own row."""


def start(services: Services, instance: InstanceId) -> Operation:
    """Write down that an instance is to run.

    Raises:
        NotFound: there is no such instance.
        StateConflict: it is not stopped.
        OperationInProgress: something else is under way on it.
    """
    require_state(services.existing(instance), InstanceState.STOPPED)
    return services.submit(start_kind(services), StartParams(), instance)


def start_kind(services: Services) -> OperationKind[StartParams]:
    """Return the steps of `instance.start`; undone, the instance is stopped as before."""
    on_host = OnHost(services)

    def check(ctx: Context[StartParams]) -> Outcome:
        on_host.require(ctx, InstanceState.STOPPED)
        return Done()

    return OperationKind(
        name="instance.start",
        params=StartParams,
        steps=(
            Step("check", check),
            Step("define", on_host.define),
            Step("run", on_host.run, lambda ctx: on_host.end(ctx, InstanceState.STOPPED)),
        ),
    )
