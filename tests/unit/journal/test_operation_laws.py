"""Each law notices the operation that breaks it."""

from collections.abc import Callable

import attrs
import pytest
from typing_extensions import override

from computekit.errors import FenceRejected
from computekit.ids import ExecutorId
from computekit.journal import (
    Context,
    Done,
    MemoryJournal,
    Operation,
    OperationKind,
    Outcome,
    Wait,
)
from computekit.testing import operation_crash_laws as crash_laws
from computekit.testing import operation_laws as laws
from computekit.testing.operation_world import OperationCase, World
from computekit.units import Seconds
from computekit.work import Tx
from tests.unit.journal.workshop import Order, Workshop, good_kind, order_case

Do = Callable[[Context[Order]], Outcome]
Undo = Callable[[Context[Order]], Done | Wait]


def broken(
    step: str,
    do: Callable[[Workshop], Do] | None = None,
    undo: Callable[[Workshop], Undo | None] | None = None,
) -> OperationCase:
    """The order with one bad step."""

    def kind(shop: Workshop) -> OperationKind[Order]:
        good = good_kind(shop)
        steps = list(good.steps)
        at = good.index(step)
        if do is not None:
            steps[at] = attrs.evolve(steps[at], do=do(shop))
        if undo is not None:
            steps[at] = attrs.evolve(steps[at], undo=undo(shop))
        return attrs.evolve(good, steps=tuple(steps))

    return order_case(kind)


def breaks(law: Callable[[OperationCase], None], case: OperationCase, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        law(case)


def test_the_good_order_breaks_none() -> None:
    for module in (laws, crash_laws):
        for name in module.__all__:
            if name.startswith("check_"):
                getattr(module, name)(order_case())


def test_worlds_that_differ() -> None:
    made: list[Workshop] = []

    def case(trip: Callable[[str], None]) -> World:
        made.append(Workshop(trip))
        made[-1].parcels = len(made)
        return made[-1].world(good_kind(made[-1]))

    breaks(laws.check_same_again, case, "two new worlds are not equal")


def test_ways_that_differ() -> None:
    made: list[Workshop] = []

    def case(trip: Callable[[str], None]) -> World:
        made.append(Workshop(trip))
        return made[-1].world(good_kind(made[-1]), (1,) * (len(made) % 2))

    breaks(laws.check_same_again, case, "take different ways")


def test_ends_that_differ() -> None:
    made: list[Workshop] = []

    def lay_out(shop: Workshop) -> Do:
        made.append(shop)

        def do(ctx: Context[Order]) -> Outcome:
            shop.parcels = len(made)
            return shop.lay_out(ctx)

        return do

    breaks(laws.check_same_again, broken("lay_out", lay_out), "parcels should be 1, is 2")


def test_a_step_that_never_ends() -> None:
    case = broken("tidy", lambda _: lambda _: Wait(Seconds(1.0)))
    breaks(laws.check_same_again, case, "does not end")


def test_a_step_that_counts_its_runs() -> None:
    def lay_out(shop: Workshop) -> Do:
        def do(ctx: Context[Order]) -> Outcome:
            shop.parcels += 1
            return shop.lay_out(ctx)

        return do

    breaks(laws.check_each_step_twice, broken("lay_out", lay_out), "parcels should be 1, is 2")


def test_an_undo_that_is_its_own_opposite() -> None:
    def unreserve(shop: Workshop) -> Undo:
        def undo(ctx: Context[Order]) -> Done | Wait:
            shop.parcels = 1 - shop.parcels
            return shop.unreserve(ctx)

        return undo

    def case(trip: Callable[[str], None]) -> World:
        world = broken("reserve", undo=unreserve)(trip)
        return attrs.evolve(world, undone=lambda before: {**world.undone(before), "parcels": 1})

    breaks(laws.check_each_undo_twice, case, "parcels should be 1, is 0")


def test_an_effect_that_nobody_undoes() -> None:
    case = broken("lay_out", undo=lambda _: None)
    breaks(laws.check_each_step_failing, case, "benches should be {}, is .*pot")


def test_a_step_past_the_point_of_no_return_that_needs_its_first_run() -> None:
    def tidy(shop: Workshop) -> Do:
        def do(ctx: Context[Order]) -> Outcome:
            return shop.tidy(ctx) if ctx.attempt == 0 else Done()

        return do

    breaks(laws.check_each_step_failing, broken("tidy", tidy), "tidy fails before its effect")


def test_an_undo_that_finds_its_own_work_done() -> None:
    def quench(shop: Workshop) -> Undo:
        def undo(ctx: Context[Order]) -> Done | Wait:
            shop.admit(ctx)
            shop.kiln.pop(ctx.subject)
            return Done()

        return undo

    breaks(laws.check_each_undo_failing_once, broken("fire", undo=quench), "does not end")


def test_a_step_that_dies_between_its_two_writes() -> None:
    def tidy(shop: Workshop) -> Do:
        def do(ctx: Context[Order]) -> Outcome:
            if shop.parcels == 0:
                shop.parcels = 1
                shop.trip("between")
                shop.tidy(ctx)
            return Done()

        return do

    breaks(crash_laws.check_crashes, broken("tidy", tidy), "crash between .* benches should be {}")


def test_a_way_that_is_not_taken_again() -> None:
    made: list[Workshop] = []

    def case(trip: Callable[[str], None]) -> World:
        made.append(Workshop(trip))
        return made[-1].world(good_kind(made[-1]), (1,) if len(made) == 1 else ())

    breaks(crash_laws.check_crashes, case, "not passed again|not as it should be")


def test_an_undo_that_dies_between_its_two_writes() -> None:
    def quench(shop: Workshop) -> Undo:
        def undo(ctx: Context[Order]) -> Done | Wait:
            shop.admit(ctx)
            if shop.kiln.pop(ctx.subject, None) is not None:
                shop.parcels += 1
                shop.trip("between")
                shop.parcels -= 1
            return Done()

        return undo

    case = broken("fire", undo=quench)
    breaks(
        crash_laws.check_crashes_while_undoing, case, "crash between .* parcels should be 0, is 1"
    )


class TrustingJournal(MemoryJournal):
    """Lets everybody write who once had a lease."""

    @override
    def held(self, tx: Tx, operation: Operation) -> Operation:
        return operation


def test_a_journal_that_lets_losers_write() -> None:
    def shop(trip: Callable[[str], None]) -> Workshop:
        trusting = Workshop(trip)
        trusting.journal = TrustingJournal(trusting.store)
        return trusting

    breaks(laws.check_lost_lease, order_case(shop=shop), "the loser has written")


def test_a_place_that_obeys_everybody() -> None:
    class Obedient(Workshop):
        @override
        def admit(self, ctx: Context[Order]) -> None:
            self.trip("before a command")

    case = order_case(shop=Obedient)
    breaks(laws.check_late_executor, case, "lay_out run late, .* benches should be {}, is .*pot")


def test_an_undo_that_needs_what_was_never_had() -> None:
    def clear(shop: Workshop) -> Undo:
        def undo(ctx: Context[Order]) -> Done | Wait:
            del shop.benches[ctx.out("reserve", int), ctx.subject]
            return Done()

        return undo

    case = broken("lay_out", undo=clear)
    breaks(laws.check_cancel_at_a_boundary, case, "does not end")


def test_an_undo_that_takes_back_only_what_was_done() -> None:
    def quench(shop: Workshop) -> Undo:
        def undo(ctx: Context[Order]) -> Done | Wait:
            return Done() if ctx.out_if_done("fire", str) is None else shop.quench(ctx)

        return undo

    case = broken("fire", undo=quench)
    breaks(laws.check_deadlines, case, "fire is never done, though it has its effect")
    breaks(laws.check_cancel_during_a_run, case, "cancelled before the effect of fire")


def test_a_process_that_starts_again_restarts_its_world() -> None:
    starts: list[int] = []
    worlds: list[int] = []

    def case(trip: Callable[[str], None]) -> World:
        worlds.append(1)
        shop = Workshop(trip)
        return attrs.evolve(shop.world(good_kind(shop)), restart=lambda: starts.append(1))

    crash_laws.check_crashes(case)
    assert len(starts) == len(worlds) - 1
    assert starts


def test_a_step_that_cannot_be_recovered_from_twice() -> None:
    def case(trip: Callable[[str], None]) -> World:
        shop = Workshop(trip)
        starts: list[int] = []

        def restart() -> None:
            starts.append(1)
            shop.parcels += len(starts) == 2
            shop.trip("after a start")

        return attrs.evolve(shop.world(good_kind(shop)), restart=restart)

    crash_laws.check_crashes(case)
    breaks(crash_laws.check_second_crash, case, "into the recovery: .*parcels should be 0, is 1")


def test_an_effect_that_a_late_call_brings_back() -> None:
    class Deaf(Workshop):
        """Remembers only the number of the operation, not the fence of its executor."""

        @override
        def admit(self, ctx: Context[Order]) -> None:
            self.trip("before a command")
            if ctx.order[0] < self._heard.get(ctx.subject, (0, 0))[0]:
                raise FenceRejected(ctx.subject, "this operation is over")
            self._heard[ctx.subject] = ctx.order

    case = order_case(shop=Deaf)
    breaks(laws.check_late_run, case, "lay_out hung until .*benches should be {}, is .*pot")


class ForgetfulJournal(MemoryJournal):
    """Does not count who has died."""

    @override
    def adopt(self, tx: Tx, keep: frozenset[ExecutorId] = frozenset()) -> int:
        before = {row.id: row.deaths for row in self.operations()}
        count = super().adopt(tx, keep)
        for row in self.operations():
            self._put(tx, attrs.evolve(row, deaths=before[row.id]))
        return count


def test_a_step_that_is_tried_for_ever() -> None:
    def shop(trip: Callable[[str], None]) -> Workshop:
        forgetful = Workshop(trip)
        forgetful.journal = ForgetfulJournal(forgetful.store)
        return forgetful

    case = order_case(shop=shop)
    breaks(crash_laws.check_deadly_steps, case, "tried for ever")
    breaks(crash_laws.check_deadly_undos, case, "tried for ever")
