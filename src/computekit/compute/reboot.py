"""Reboot an instance: soft asks the guest to power off first, hard takes the power."""

import attrs

from computekit.compute.on_host import OnHost, check_grace, require_state
from computekit.compute.services import Services
from computekit.compute.stop import DEFAULT_GRACE_S
from computekit.ids import InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.model import InstanceState
from computekit.units import Seconds

__all__ = ["RebootParams", "reboot", "reboot_kind"]


@attrs.frozen
class RebootParams:
    """How to reboot.

    Attributes:
        hard: take the power at once.
        grace_s: how long the guest may take to power off before its power is taken.
    """

    hard: bool = False
    grace_s: Seconds = DEFAULT_GRACE_S


def reboot(
    services: Services,
    instance: InstanceId,
    *,
    hard: bool = False,
    grace_s: Seconds = DEFAULT_GRACE_S,
) -> Operation:
    """Write down that an instance is to reboot.

    Raises:
        InvalidInput: `grace_s` is not within 0 and a day.
        NotFound: there is no such instance.
        StateConflict: it does not run.
        OperationInProgress: something else is under way on it.
    """
    require_state(services.existing(instance), InstanceState.ACTIVE)
    return services.submit(
        reboot_kind(services), RebootParams(hard, check_grace(grace_s)), instance
    )


def reboot_kind(services: Services) -> OperationKind[RebootParams]:
    """Return the steps of `instance.reboot`; once the guest is asked, it starts anew."""
    on_host = OnHost(services)

    def check(ctx: Context[RebootParams]) -> Outcome:
        on_host.require(ctx, InstanceState.ACTIVE)
        return Done()

    def shut_down(ctx: Context[RebootParams]) -> Outcome:
        return on_host.shut_down(ctx, Seconds(0.0) if ctx.params.hard else ctx.params.grace_s)

    return OperationKind(
        name="instance.reboot",
        params=RebootParams,
        steps=(
            Step("check", check),
            Step("shut_down", shut_down, point_of_no_return=True),
            Step("off", on_host.off),
            Step("define", on_host.define),
            Step("run", on_host.run),
        ),
        yields=True,
    )
