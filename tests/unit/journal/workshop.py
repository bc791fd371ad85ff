"""A workshop that makes things on order: a small world with every sort of step.

An order reserves a bench in the books, lays out the parts there, fires the kiln and waits for it,
ships (the point of no return) and clears the bench. The bench and the kiln are far away: they
keep what they were told, and obey nobody who comes before the last one that they have heard.
"""

from collections.abc import Callable

import attrs

from computekit.errors import ComputekitError, FenceRejected, Overloaded
from computekit.ids import OperationId
from computekit.journal import (
    Back,
    Context,
    Done,
    Ending,
    MemoryJournal,
    OperationKind,
    Outcome,
    Step,
    Wait,
    new_operation,
)
from computekit.testing.clock import ManualClock
from computekit.testing.operation_world import OperationCase, Snapshot, World
from computekit.units import Seconds
from computekit.work import MemoryStore, MemoryTable, Tx

__all__ = ["Order", "Workshop", "good_kind", "order_case"]

FIRING_S = Seconds(5.0)
SUBJECT = "order-1"
ORDER = OperationId("6dbb1b0c-6f3b-4f3a-9d37-0a4d0ef0c0de")


@attrs.frozen
class Order:
    """What to make; on which benches it cannot be made."""

    thing: str
    bad_benches: tuple[int, ...] = ()


class Workshop:
    def __init__(self, trip: Callable[[str], None]) -> None:
        self.trip = trip
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.journal = MemoryJournal(self.store)
        self.books = MemoryTable[str, str]()
        self.benches: dict[tuple[int, str], str] = {}
        self.kiln: dict[str, Seconds] = {}
        self.parcels = 0
        self._heard: dict[str, tuple[int, int]] = {}

    def world(self, kind: OperationKind[Order], bad_benches: tuple[int, ...] = ()) -> World:
        def submit() -> OperationId:
            order = Order("pot", bad_benches)
            row = new_operation(kind, order, SUBJECT, ORDER, self.clock.wall_s())
            return self.store.write(lambda tx: self.journal.submit(tx, row)).id

        return World(
            store=self.store,
            journal=self.journal,
            kinds=(kind,),
            clock=self.clock,
            submit=submit,
            snapshot=self.snapshot,
            undone=lambda before: {**before, "books": {f"ended {SUBJECT}": "undone"}},
        )

    def snapshot(self) -> Snapshot:
        return {
            "books": dict(self.books.rows),
            "benches": dict(self.benches),
            "kiln": frozenset(self.kiln),
            "parcels": self.parcels,
        }

    def admit(self, ctx: Context[Order]) -> None:
        """Let whoever is as late as the last one, or later, command the bench and the kiln."""
        self.trip("before a command")
        if ctx.order < self._heard.get(ctx.subject, (0, 0)):
            raise FenceRejected(ctx.subject, "this executor's time is over")
        self._heard[ctx.subject] = ctx.order

    def write(self, what: str, value: str | None) -> Callable[[Tx], None]:
        def write(tx: Tx) -> None:
            memory = self.store.transaction(tx)
            if value is None:
                self.books.remove(memory, what)
            else:
                self.books.put(memory, what, value)

        return write

    # the steps

    def reserve(self, ctx: Context[Order]) -> Outcome:
        bench = 1 + len(ctx.notes(int))
        return Done(bench, self.write(ctx.subject, f"reserved bench {bench}"))

    def unreserve(self, ctx: Context[Order]) -> Done | Wait:
        return Done(commit=self.write(ctx.subject, None))

    def lay_out(self, ctx: Context[Order]) -> Outcome:
        bench = ctx.out("reserve", int)
        self.admit(ctx)
        self.benches[bench, ctx.subject] = ctx.params.thing
        self.trip("after laying out")
        return Back("reserve", bench) if bench in ctx.params.bad_benches else Done()

    def clear(self, ctx: Context[Order]) -> Done | Wait:
        self.admit(ctx)
        for key in [key for key in self.benches if key[1] == ctx.subject]:
            del self.benches[key]
            self.trip("after clearing")
        return Done()

    def fire(self, ctx: Context[Order]) -> Outcome:
        self.admit(ctx)
        begun_s = self.kiln.setdefault(ctx.subject, self.clock.wall_s())
        self.trip("after lighting")
        if self.clock.wall_s() < begun_s + FIRING_S:
            return Wait(Seconds(2.0), "the kiln is hot")
        return Done("fired")

    def quench(self, ctx: Context[Order]) -> Done | Wait:
        self.admit(ctx)
        if self.kiln.pop(ctx.subject, None) is None:
            return Done()
        self.trip("after quenching")
        return Wait(Seconds(1.0), "the kiln is cooling")

    def ship(self, ctx: Context[Order]) -> Outcome:
        return Done(commit=self.write(ctx.subject, f"shipped, {ctx.out('fire', str)}"))

    def tidy(self, ctx: Context[Order]) -> Outcome:
        self.clear(ctx)
        self.kiln.pop(ctx.subject, None)
        return Done()

    def settle(
        self, tx: Tx, ctx: Context[Order], ending: Ending, error: ComputekitError | None
    ) -> None:
        assert (error is None) is (ending is Ending.DONE)
        if self.books.rows.get("balance") == "busy":
            raise Overloaded("the books")
        self.write(f"ended {ctx.subject}", ending.value)(tx)


def good_kind(shop: Workshop) -> OperationKind[Order]:
    return OperationKind(
        "order",
        Order,
        (
            Step("reserve", shop.reserve, shop.unreserve),
            Step("lay_out", shop.lay_out, shop.clear),
            Step("fire", shop.fire, shop.quench),
            Step("ship", shop.ship, point_of_no_return=True),
            Step("tidy", shop.tidy),
        ),
        on_end=shop.settle,
    )


def order_case(
    kind: Callable[[Workshop], OperationKind[Order]] = good_kind,
    bad_benches: tuple[int, ...] = (),
    shop: Callable[[Callable[[str], None]], Workshop] = Workshop,
) -> OperationCase:
    def case(trip: Callable[[str], None]) -> World:
        new = shop(trip)
        return new.world(kind(new), bad_benches)

    return case
