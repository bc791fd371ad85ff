"""Stop an instance: ask its guest, then take the power."""

import attrs

from computekit.compute.on_host import OnHost, check_grace, require_state
from computekit.compute.services import Services
from computekit.ids import InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.model import InstanceState
from computekit.units import Seconds

__all__ = ["DEFAULT_GRACE_S", "StopParams", "stop", "stop_kind"]

DEFAULT_GRACE_S = Seconds(60.0)
"""How long a guest may take to power off (Nova: `shutdown_timeout`)."""


@attrs.frozen
class StopParams:
    """How to stop.

    Attributes:
        grace_s: how long the guest may take to power off; 0 takes the power at once.
    """

    grace_s: Seconds = DEFAULT_GRACE_S


def stop(services: Services, instance: InstanceId, grace_s: Seconds = DEFAULT_GRACE_S) -> Operation:
    """Write down that an instance is to stop.

    Raises:
        InvalidInput: `grace_s` is not within 0 and a day.
        NotFound: there is no such instance.
        StateConflict: it does not run.
        OperationInProgress: something else is under way on it.
    """
    require_state(services.existing(instance), InstanceState.ACTIVE)
    return services.submit(stop_kind(services), StopParams(check_grace(grace_s)), instance)


def stop_kind(services: Services) -> OperationKind[StopParams]:
    """Return the steps of `instance.stop`; once the guest is asked, it goes off."""
    on_host = OnHost(services)

    def check(ctx: Context[StopParams]) -> Outcome:
        on_host.require(ctx, InstanceState.ACTIVE)
        return Done()

    def shut_down(ctx: Context[StopParams]) -> Outcome:
        return on_host.shut_down(ctx, ctx.params.grace_s)

    def stopped(ctx: Context[StopParams]) -> Outcome:
        return on_host.becomes(on_host.instance(ctx), InstanceState.STOPPED)

    return OperationKind(
        name="instance.stop",
        params=StopParams,
        steps=(
            Step("check", check),
            Step("shut_down", shut_down, point_of_no_return=True),
            Step("off", on_host.off),
            Step("stopped", stopped),
        ),
        yields=True,
    )
