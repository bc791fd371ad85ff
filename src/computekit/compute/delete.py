"""Delete an instance: take it off its host, give back what it holds."""

import attrs

from computekit.compute.claim import give_back
from computekit.compute.console import console_subject
from computekit.compute.on_host import OnHost
from computekit.compute.orphan import leave_behind
from computekit.compute.services import Services
from computekit.errors import NotFound
from computekit.ids import HostName, InstanceId
from computekit.journal import Context, Done, Operation, OperationKind, Outcome, Step
from computekit.model import InstanceState
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["DeleteParams", "delete", "delete_kind"]

_HOST_PATIENCE_S = Seconds(60.0)


@attrs.frozen
class DeleteParams:
    """Nothing beside the instance's own row."""


def delete(services: Services, instance: InstanceId) -> Operation:
    """Write down that an instance is to go; whatever else is under way on it is cancelled.

    Raises:
        NotFound: there is no such instance, or it is deleted already.
    """
    row = services.existing(instance)
    if row.state is InstanceState.DELETED:
        raise NotFound("instance", instance)
    return services.submit(
        delete_kind(services), DeleteParams(), instance, preempt="the instance is to be deleted"
    )


def delete_kind(services: Services) -> OperationKind[DeleteParams]:
    """Return the steps of `instance.delete`; there is no way back from the first."""
    here = _Delete(services, OnHost(services))
    return OperationKind(
        name="instance.delete",
        params=DeleteParams,
        steps=(
            Step("remove", here.remove, point_of_no_return=True),
            Step("release", here.release),
        ),
    )


@attrs.frozen
class _Left:
    host: HostName


@attrs.frozen
class _Delete:
    services: Services
    on_host: OnHost

    def remove(self, ctx: Context[DeleteParams]) -> Outcome:
        instance = self.on_host.instance(ctx)
        if instance.host is None or self.on_host.clear(ctx, instance, _HOST_PATIENCE_S):
            return Done()
        return Done(_Left(instance.host))

    def release(self, ctx: Context[DeleteParams]) -> Outcome:
        instance = self.on_host.instance(ctx)
        if instance.state is InstanceState.DELETED:
            return Done()
        left = ctx.out_if_done("remove", _Left)
        gone = attrs.evolve(
            instance, state=InstanceState.DELETED, host=None, epoch=instance.epoch + 1
        )

        def leave(tx: Tx) -> None:
            give_back(self.services, tx, instance)
            self.services.instances.change_instance(tx, instance, gone)
            self.services.journal.forget(tx, console_subject(instance.id))
            if left is not None:
                leave_behind(self.services, tx, left.host, instance.id)

        return Done(commit=leave)
