"""Create an instance: place it, claim, bring its images, define it, run it."""

from collections.abc import Callable
from itertools import islice

import attrs

from computekit.agent import CacheImages
from computekit.compute.claim import claim_first, give_back
from computekit.compute.on_host import OnHost
from computekit.compute.orphan import leave_behind
from computekit.compute.placing import ask_for_place
from computekit.compute.scheduler_hints import check_room, hint_faults
from computekit.compute.services import Services
from computekit.errors import (
    ClaimsLost,
    ComputekitError,
    DeadlineExceeded,
    HostError,
    InvalidInput,
    NoValidHost,
    RetriesExhausted,
    TransportFailed,
)
from computekit.guest import check_name, resolve
from computekit.ids import (
    HostName,
    ImageId,
    InstanceId,
    ProjectId,
    UserId,
    new_uuid,
)
from computekit.journal import (
    Back,
    Context,
    Done,
    Ending,
    Fail,
    Operation,
    OperationKind,
    Outcome,
    Step,
    Wait,
)
from computekit.model import (
    Flavor,
    FrozenMap,
    Instance,
    InstanceState,
)
from computekit.scheduler import (
    PlacementIntent,
    Unplaced,
    intent_faults,
)
from computekit.units import Seconds
from computekit.virt.image_cache import images_of
from computekit.work import Tx

__all__ = ["CreateParams", "create", "create_kind"]

_HOSTS_TO_TRY = 3
_HOST_PATIENCE_S = Seconds(15.0)
_CLAIMS_TO_TRY = 4
_CHOICES_TO_TRY = 10
"""How many claims one transaction tries, and how often in a row all of them may be lost."""


@attrs.frozen
class CreateParams:
    """Nothing beside the instance's own row."""


@attrs.frozen
class _TriedHost:
    host: HostName
    why: str


@attrs.frozen
class _Placed:
    tries: int


def create(
    services: Services,
    *,
    name: str,
    flavor: Flavor,
    image: ImageId,
    project: ProjectId,
    user: UserId,
    zone: str | None = None,
    hints: FrozenMap[str, tuple[str, ...]] = FrozenMap(),
    also: Callable[[Tx, Instance], None] | None = None,
) -> tuple[Instance, Operation]:
    """Write down a new instance and the operation that will create it.

    What `also` writes is written with it, or not at all.

    Raises:
        InvalidInput: name, flavor, image or hints break rules; all faults are in it.
        NotFound: there is no such image.
        CounterFull: the server group has as many members as it may have.
    """
    found = services.images.image(image)
    faults = list(hint_faults(services, hints, project))
    for check in (
        lambda: check_name(name),
        lambda: None if zone is None else check_name(zone, "zone"),
        lambda: resolve(flavor, found, services.defaults),
    ):
        try:
            check()
        except InvalidInput as error:
            faults.extend(error.faults)
    asked = PlacementIntent(hints=hints, flavor=flavor, image=found)
    faults.extend(intent_faults(asked, services.scheduler.policy))
    if faults:
        raise InvalidInput(tuple(faults))
    instance = Instance(
        id=InstanceId(new_uuid(services.random)),
        name=name,
        project=project,
        user=user,
        flavor=flavor,
        image=found,
        state=InstanceState.BUILDING,
        created_s=services.clock.wall_s(),
        zone=zone,
        hints=hints,
    )

    def write(tx: Tx) -> None:
        check_room(services, instance)
        services.instances.add_instance(tx, instance)
        if also is not None:
            also(tx, instance)

    operation = services.submit(create_kind(services), CreateParams(), instance.id, also=write)
    return instance, operation


def create_kind(services: Services) -> OperationKind[CreateParams]:
    """Return the steps of `instance.create`."""
    here = _Create(services, OnHost(services))
    elsewhere = here.or_elsewhere
    return OperationKind(
        name="instance.create",
        params=CreateParams,
        steps=(
            Step("place", here.place, here.leave, timeout_s=Seconds(120.0)),
            Step("images", elsewhere(here.images), timeout_s=Seconds(1800.0)),
            Step("define", elsewhere(here.on_host.define), timeout_s=Seconds(600.0)),
            Step("run", elsewhere(here.on_host.run)),
        ),
        on_end=here.end,
    )


@attrs.frozen
class _Create:
    services: Services
    on_host: OnHost

    def place(self, ctx: Context[CreateParams]) -> Outcome:
        services = self.services
        instance = self.on_host.instance(ctx)
        tried = ctx.notes(_TriedHost)
        asked = ask_for_place(services, instance, ignored=frozenset(note.host for note in tried))
        decision = services.scheduler.place(asked.request)
        if isinstance(decision, Unplaced):
            explanation = decision.explain()
            failed = "".join(f"; {note.host} was tried: {note.why}" for note in tried)
            return Fail(NoValidHost(explanation.summary + failed, explanation.text()))
        candidates = tuple(islice(decision.candidates(), _CLAIMS_TO_TRY))
        is_last = ctx.attempt + 1 >= _CHOICES_TO_TRY
        why = decision.explain().text() if is_last else None

        def claim(tx: Tx) -> None:
            try:
                claim_first(services, tx, instance, decision.request, candidates, asked.guest)
            except ClaimsLost as lost:
                if why is None:
                    raise
                raise RetriesExhausted(ctx.attempt + 1, lost.message, why) from lost

        return Done(_Placed(len(tried) + 1), claim)

    def leave(self, ctx: Context[CreateParams]) -> Done | Wait:
        """Take back what any step has done: all of it is on the host, or in the books."""
        instance = self.on_host.instance(ctx)
        if instance.host is None:
            return Done()
        host = instance.host
        cleared = self.on_host.clear(ctx, instance, _HOST_PATIENCE_S)
        left = attrs.evolve(
            instance, state=InstanceState.BUILDING, host=None, epoch=instance.epoch + 1
        )

        def leave(tx: Tx) -> None:
            give_back(self.services, tx, instance)
            self.services.instances.change_instance(tx, instance, left)
            if not cleared:
                leave_behind(self.services, tx, host, instance.id)

        return Done(commit=leave)

    def images(self, ctx: Context[CreateParams]) -> Outcome:
        instance = self.on_host.instance(ctx)
        guest = self.services.instances.guest(instance.id)
        assert guest is not None
        self.on_host.call(ctx, instance, CacheImages(images_of(guest)))
        return Done()

    def or_elsewhere(
        self, do: Callable[[Context[CreateParams]], Outcome]
    ) -> Callable[[Context[CreateParams]], Outcome]:
        """Run a step; if it is the host that cannot do it, go back for another host."""

        def step(ctx: Context[CreateParams]) -> Outcome:
            try:
                return do(ctx)
            except (HostError, TransportFailed, DeadlineExceeded) as error:
                if error.retryable and ctx.since_entered_s < _HOST_PATIENCE_S:
                    raise
                placed = ctx.out("place", _Placed)
                if placed.tries >= _HOSTS_TO_TRY:
                    return Fail(error)
                host = self.on_host.instance(ctx).host
                return Fail(error) if host is None else Back("place", _TriedHost(host, str(error)))

        return step

    def end(
        self,
        tx: Tx,
        ctx: Context[CreateParams],
        ending: Ending,
        _error: ComputekitError | None,
    ) -> None:
        if ending is Ending.UNDONE:
            instance = self.on_host.instance(ctx)
            failed = attrs.evolve(instance, state=InstanceState.ERROR)
            self.services.instances.change_instance(tx, instance, failed)
