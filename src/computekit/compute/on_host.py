"""What the steps of operations do on an instance's host."""

import logging
from typing import TypeVar

import attrs

from computekit.agent import (
    Define,
    Destroy,
    Fence,
    HostCall,
    ReadStatus,
    RemoveInstance,
    ShutDown,
    Start,
)
from computekit.compute.services import Services
from computekit.errors import (
    DeadlineExceeded,
    Fault,
    FenceRejected,
    HostError,
    InvalidInput,
    Overloaded,
    StateConflict,
    TransportFailed,
)
from computekit.ids import HostName, InstanceId
from computekit.journal import Context, Done, Outcome, Wait
from computekit.model import Instance, InstanceState
from computekit.units import Seconds
from computekit.virt.ports import DomainMark, DomainSpec, DomainState, DomainStatus

__all__ = ["OnHost", "check_grace", "require_state"]

_log = logging.getLogger(__name__)

R = TypeVar("R")
P = TypeVar("P")

_NOT_DONE = (HostError, TransportFailed, DeadlineExceeded, Overloaded, FenceRejected)
_POLL_S = Seconds(0.5)
_LONGEST_GRACE_S = Seconds(24 * 3600.0)


@attrs.frozen
class OnHost:
    """Steps that several operations share; each finds out first what is there already.

    Attributes:
        services: the ports.
    """

    services: Services

    def instance(self, ctx: Context[P]) -> Instance:
        """Return the row of the instance that the operation works on."""
        return self.services.existing(InstanceId(ctx.subject))

    def call(self, ctx: Context[P], instance: Instance, call: HostCall[R]) -> R:
        """Ask the instance's host, in the name of this operation."""
        number, lease = ctx.order
        fence = Fence(instance.id, instance.epoch, number, lease)
        return self.services.client.call(_place(instance), call, fence, ctx.operation)

    def status(self, ctx: Context[P], instance: Instance) -> DomainStatus | None:
        """Return what the instance's domain does."""
        return self.call(ctx, instance, ReadStatus(instance.id))

    def define(self, ctx: Context[P]) -> Outcome:
        """Make disks and domain, as the guest was promised."""
        instance = self.instance(ctx)
        guest = self.services.instances.guest(instance.id)
        if guest is None:
            raise StateConflict(f"instance {instance.id}", "without a guest", "one that was placed")
        self.call(ctx, instance, Define(DomainSpec(_mark(ctx, instance), instance.name, guest)))
        return Done()

    def run(self, ctx: Context[P]) -> Outcome:
        """Run the domain and write that the instance is active."""
        instance = self.instance(ctx)
        self.call(ctx, instance, Start(_mark(ctx, instance)))
        return self.becomes(instance, InstanceState.ACTIVE)

    def end(self, ctx: Context[P], state: InstanceState) -> Done:
        """Take the power away and write that the instance is in `state`: what undoes `run`."""
        instance = self.instance(ctx)
        if instance.host is not None:
            self.call(ctx, instance, Destroy(instance.id))
        return self.becomes(instance, state)

    def off(self, ctx: Context[P]) -> Outcome:
        """Take the power away."""
        self.call(ctx, self.instance(ctx), Destroy(self.instance(ctx).id))
        return Done()

    def shut_down(self, ctx: Context[P], grace_s: Seconds) -> Outcome:
        """Ask the guest to power off, again every ten seconds, and wait `grace_s` at most."""
        instance = self.instance(ctx)
        status = self.status(ctx, instance)
        if status is None or status.state is not DomainState.RUNNING:
            return Done()
        if ctx.since_entered_s >= grace_s:
            return Done()
        if ctx.attempt % 20 == 0:
            self.call(ctx, instance, ShutDown(instance.id))
        return Wait(_POLL_S, "the guest is asked to power off")

    def clear(self, ctx: Context[P], instance: Instance, patience_s: Seconds) -> bool:
        """Take the instance off its host; return whether that is done.

        A host that does not do it is asked again for `patience_s`, not again if it is known to be
        down, and is then left: `leave_behind` is for the caller's transaction.
        """
        host = None if instance.host is None else self.services.hosts.host(instance.host)
        if host is None:
            return True
        try:
            self.call(ctx, instance, RemoveInstance(instance.id))
        except _NOT_DONE as error:
            if host.up and ctx.since_entered_s < patience_s:
                raise
            _log.warning("host %s is left with instance %s: %s", host.name, instance.id, error)
            return False
        return True

    def becomes(self, instance: Instance, state: InstanceState) -> Done:
        """Write, with the end of the step, that the instance is in `state`."""
        after = attrs.evolve(instance, state=state)
        return Done(commit=lambda tx: self.services.instances.change_instance(tx, instance, after))

    def require(self, ctx: Context[P], *states: InstanceState) -> Instance:
        """Return the instance if it is in one of `states` and has a host.

        Raises:
            StateConflict: it is not.
        """
        instance = self.instance(ctx)
        require_state(instance, *states)
        return instance


def check_grace(grace_s: Seconds) -> Seconds:
    """Return how long a guest may take to power off.

    Raises:
        InvalidInput: it is not within 0 and a day.
    """
    if not 0 <= grace_s <= _LONGEST_GRACE_S:
        message = f"{grace_s} s is not within 0 and {_LONGEST_GRACE_S:g} s"
        raise InvalidInput((Fault("grace_s", "out_of_range", message),))
    return grace_s


def require_state(instance: Instance, *states: InstanceState) -> None:
    """Let an instance pass that is in one of `states`.

    Raises:
        StateConflict: it is in another, or has no host.
    """
    wanted = " or ".join(state.value for state in states)
    if instance.state not in states:
        raise StateConflict(f"instance {instance.id}", instance.state.value, wanted)
    if instance.host is None:
        raise StateConflict(f"instance {instance.id}", "without a host", wanted)


def _place(instance: Instance) -> HostName:
    if instance.host is None:
        raise StateConflict(f"instance {instance.id}", "without a host", "a host")
    return instance.host


def _mark(ctx: Context[P], instance: Instance) -> DomainMark:
    return DomainMark(instance.id, instance.epoch, ctx.operation)
