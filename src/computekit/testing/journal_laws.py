"""What every journal must do."""

from functools import partial

import attrs
import pytest

from computekit.errors import (
    AlreadyExists,
    Cancelled,
    LeaseLost,
    NotFound,
    OperationInProgress,
    Overloaded,
)
from computekit.ids import ExecutorId, OperationId
from computekit.journal import Direction, KindKey, Operation, OperationState, Result
from computekit.model import encode_error
from computekit.testing.journal_bench import KINDS, A, B, JournalBench, new_row, resting
from computekit.testing.store_laws import run_threads
from computekit.units import Seconds
from computekit.work import Tx

__all__ = ["JournalLaws", "SharedJournalLaws"]


class JournalLaws:
    """Subclass it with a fixture `bench` that gives a `JournalBench`."""

    def test_submitted_operation_is_live_and_reads_back(self, bench: JournalBench) -> None:
        stored = bench.submit("1")
        assert stored == attrs.evolve(
            new_row("1", "wall", 100.0), number=1, state=OperationState.LIVE
        )
        assert bench.row("1") == stored
        assert bench.journal.live("wall") == stored
        assert bench.journal.history("wall") == (stored,)
        assert bench.journal.results(stored.id) == ()

    def test_what_is_not_there_reads_as_nothing(self, bench: JournalBench) -> None:
        assert bench.journal.operation(OperationId("1")) is None
        assert bench.journal.live("wall") is None
        assert bench.journal.history("wall") == ()
        assert bench.journal.operations() == ()
        assert bench.journal.results(OperationId("1")) == ()
        assert bench.journal.next_due_s(A, KINDS) is None
        assert bench.lease() is None

    def test_submitting_again_changes_nothing(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()
        assert bench.submit("1", now_s=200.0) == held
        assert bench.submit("1", now_s=200.0, preempt="again") == held
        done = bench.end(held)
        assert bench.submit("1") == done
        assert bench.journal.history("wall") == (done,)

    def test_an_id_belongs_to_one_operation(self, bench: JournalBench) -> None:
        bench.submit("1")
        with pytest.raises(AlreadyExists):
            bench.submit("1", subject="door")
        other = attrs.evolve(new_row("1", "wall", 100.0), params='{"colour":"blue"}')
        with pytest.raises(AlreadyExists):
            bench.write(lambda tx: bench.journal.submit(tx, other))
        assert bench.journal.history("door") == ()

    def test_one_live_operation_for_each_subject(self, bench: JournalBench) -> None:
        bench.submit("1")
        with pytest.raises(OperationInProgress) as caught:
            bench.submit("2")
        assert (caught.value.subject, caught.value.operation) == ("wall", "1")
        assert bench.journal.operation(OperationId("2")) is None
        assert bench.row("1").cancel is None
        assert bench.submit("3", subject="door").state is OperationState.LIVE

    def test_a_refused_submission_leaves_its_transaction_usable(self, bench: JournalBench) -> None:
        bench.submit("1")

        def write(tx: Tx) -> Operation:
            with pytest.raises(OperationInProgress):
                bench.journal.submit(tx, new_row("2", "wall", 100.0))
            return bench.journal.submit(tx, new_row("3", "door", 100.0))

        assert bench.write(write) == bench.row("3")

    def test_next_submission_after_the_end_counts_on(self, bench: JournalBench) -> None:
        bench.submit("1")
        bench.end(bench.leased())
        second = bench.submit("2")
        assert (second.number, second.state) == (2, OperationState.LIVE)
        assert [row.id for row in bench.journal.history("wall")] == ["1", "2"]

    def test_preempting_cancels_and_queues_in_order(self, bench: JournalBench) -> None:
        bench.submit("9")
        queued = bench.submit("5", preempt="stop painting")
        bench.submit("7", preempt="really")
        assert (queued.state, queued.number) == (OperationState.QUEUED, 2)
        assert bench.row("9").cancel == "stop painting"
        assert bench.row("5").cancel is None
        live = bench.leased()
        assert (live.id, live.cancel) == ("9", "stop painting")
        assert bench.lease(B, now_s=100.0) is None
        bench.end(live, at_s=150.0)
        promoted = bench.row("5")
        assert promoted.state is OperationState.LIVE
        assert (promoted.entered_s, promoted.wake_s) == (150.0, 150.0)
        assert bench.row("7").state is OperationState.QUEUED
        bench.end(bench.leased(now_s=150.0), at_s=160.0)
        assert bench.journal.live("wall") == bench.row("7")

    def test_preempting_nobody_is_submitting(self, bench: JournalBench) -> None:
        assert bench.submit("1", preempt="whoever").state is OperationState.LIVE

    def test_cancel_keeps_the_first_reason_and_wakes(self, bench: JournalBench) -> None:
        bench.submit("1")
        rests = resting(bench.leased(), wake_s=500.0)
        bench.save(bench.row("1"), rests)
        assert bench.lease(now_s=101.0) is None
        assert bench.cancel("1", "first").cancel == "first"
        assert bench.cancel("1", "second") == bench.row("1")
        assert bench.row("1").cancel == "first"
        assert bench.leased(now_s=101.0).id == "1"

    def test_cancel_of_what_ended_changes_nothing(self, bench: JournalBench) -> None:
        bench.submit("1")
        done = bench.end(bench.leased())
        assert bench.cancel("1", "late") == done
        assert bench.row("1") == done

    def test_cancel_of_what_is_not_there(self, bench: JournalBench) -> None:
        with pytest.raises(NotFound):
            bench.cancel("1", "why")

    def test_lease_shows_executor_and_fence(self, bench: JournalBench) -> None:
        stored = bench.submit("1")
        held = bench.leased(A, now_s=105.0)
        assert held == attrs.evolve(
            stored, executor=A, fence=1, lease_until_s=Seconds(115.0), wake_s=Seconds(105.0)
        )
        assert bench.row("1") == held

    def test_lease_excludes_others_until_it_lapses(self, bench: JournalBench) -> None:
        bench.submit("1")
        bench.leased(A, now_s=100.0)
        assert bench.lease(B, now_s=109.9) is None
        assert bench.journal.next_due_s(B, KINDS) == 110.0
        taken = bench.leased(B, now_s=110.0)
        assert (taken.executor, taken.fence, taken.deaths) == (B, 2, 1)

    def test_own_lease_holds_nobody_back(self, bench: JournalBench) -> None:
        bench.submit("1")
        bench.leased(A, now_s=100.0)
        assert bench.journal.next_due_s(A, KINDS) == 100.0
        assert bench.leased(A, now_s=101.0).fence == 2

    def test_lease_takes_what_is_due_longest(self, bench: JournalBench) -> None:
        bench.submit("1", subject="door", now_s=103.0)
        bench.submit("2", subject="wall", now_s=101.0)
        bench.submit("3", subject="roof", now_s=104.0)
        assert bench.journal.next_due_s(A, KINDS) == 101.0
        assert bench.lease(now_s=100.0) is None
        assert [bench.leased(A, now_s=103.0).id, bench.leased(B, now_s=103.0).id] == ["2", "1"]

    def test_lease_leaves_unknown_kinds_alone(self, bench: JournalBench) -> None:
        bench.submit("1")
        for kinds in (frozenset({("paint", 1)}), frozenset({("build", 2)}), frozenset[KindKey]()):
            assert bench.journal.next_due_s(A, kinds) is None
            assert bench.lease(A, 900.0, kinds) is None
        both = frozenset({("paint", 1), *KINDS})
        assert bench.journal.next_due_s(A, both) == 100.0

    def test_held_and_save_need_the_lease(self, bench: JournalBench) -> None:
        queued = bench.submit("1")
        first = bench.leased(A, now_s=100.0)
        before = bench.leased(B, now_s=110.0)
        second = bench.leased(B, now_s=110.5)
        for stale in (queued, first, before, attrs.evolve(second, executor=A)):
            after = attrs.evolve(stale, doing="late")
            with pytest.raises(LeaseLost):
                bench.held(stale)
            with pytest.raises(LeaseLost):
                bench.save(stale, after, Result("brush", 0, "1", Seconds(111.0)))
            assert bench.row("1") == second
            assert bench.journal.results(second.id) == ()
        assert bench.held(second) == second

    def test_what_ended_or_went_is_not_held(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()
        done = bench.end(held)
        for stale in (held, done):
            with pytest.raises(LeaseLost):
                bench.held(stale)
            with pytest.raises(LeaseLost):
                bench.save(stale, attrs.evolve(stale, doing="late"))
        bench.write(lambda tx: bench.journal.forget(tx, "wall"))
        with pytest.raises(LeaseLost):
            bench.held(held)

    def test_held_shows_what_others_wrote_since(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()
        bench.cancel("1", "enough")
        now = bench.held(held)
        assert now == attrs.evolve(held, cancel="enough", wake_s=Seconds(0.0))

    def test_save_keeps_every_field(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()
        full = attrs.evolve(
            held,
            direction=Direction.UNDO,
            position=3,
            back_to=1,
            attempt=4,
            retries=2,
            entered_s=Seconds(101.25),
            wake_s=Seconds(102.5),
            doing='waiting for \u00fcnusual "paint"',
            error=encode_error(Cancelled("enough")),
            undo_error=encode_error(Overloaded("bucket")),
            cancel="enough",
            lease_until_s=Seconds(123.5),
            deaths=3,
        )
        bench.save(held, full)
        assert bench.row("1") == full
        bare = attrs.evolve(held, executor=None, direction=Direction.FORWARD, back_to=None)
        bench.save(full, bare)
        assert bench.row("1") == bare
        undone = attrs.evolve(
            bench.leased(),
            state=OperationState.UNDONE,
            executor=None,
            ended_s=Seconds(130.5),
        )
        bench.save(bench.row("1"), undone)
        assert bench.row("1") == undone
        assert undone.ended
        assert bench.journal.live("wall") is None

    def test_save_replaces_results(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()
        note = Result("brush", 1, '"too dry"', Seconds(101.0))
        bench.save(held, held, Result("mix", 0, "1", Seconds(101.0)), note)
        bench.save(held, held, Result("mix", 0, None, Seconds(102.0)))
        assert bench.journal.results(held.id) == (note, Result("mix", 0, None, Seconds(102.0)))
        bench.submit("2", subject="door")
        assert bench.journal.results(OperationId("2")) == ()

    def test_nothing_remains_of_a_failed_transaction(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()

        def write(tx: Tx) -> None:
            bench.journal.submit(tx, new_row("2", "door", 100.0))
            bench.journal.submit(tx, new_row("3", "wall", 100.0), "because")
            done = attrs.evolve(held, state=OperationState.DONE, ended_s=Seconds(100.0))
            bench.journal.save(tx, held, done, (Result("brush", 0, "1", Seconds(1.0)),))
            raise Overloaded("bucket")

        with pytest.raises(Overloaded):
            bench.write(write)
        assert bench.journal.operations() == (held,)
        assert bench.journal.live("wall") == held
        assert bench.journal.live("door") is None
        assert bench.journal.results(held.id) == ()
        assert bench.submit("4", subject="door").number == 1

    def test_adopt_ends_leases_of_others(self, bench: JournalBench) -> None:
        for number, executor in enumerate((A, B)):
            bench.submit(str(number), subject=str(number))
            bench.leased(executor)
        assert bench.write(lambda tx: bench.journal.adopt(tx, frozenset({B}))) == 1
        free = bench.row("0")
        assert (free.executor, free.fence, free.lease_until_s) == (None, 1, 0.0)
        assert free.deaths == 1
        assert bench.row("1").executor == B
        assert bench.leased(ExecutorId("c")).fence == 2
        assert bench.write(bench.journal.adopt) == 2
        assert bench.write(bench.journal.adopt) == 0

    def test_wake_makes_a_waiting_operation_due(self, bench: JournalBench) -> None:
        bench.submit("1")
        bench.save(bench.leased(), resting(bench.row("1"), wake_s=500.0))
        assert bench.journal.next_due_s(A, KINDS) == 500.0
        bench.write(lambda tx: bench.journal.wake(tx, "wall"))
        assert bench.row("1").wake_s == 0.0
        assert bench.leased(now_s=100.0).wake_s == 100.0
        bench.write(lambda tx: bench.journal.wake(tx, "door"))

    def test_forget_removes_all_of_a_subject(self, bench: JournalBench) -> None:
        bench.submit("1")
        bench.submit("2", preempt="next")
        other = bench.submit("3", subject="door", now_s=200.0)
        held = bench.leased()
        bench.save(held, held, Result("brush", 0, "1", Seconds(101.0)))
        bench.write(lambda tx: bench.journal.forget(tx, "wall"))
        assert bench.journal.operations() == (other,)
        assert bench.journal.live("wall") is None
        assert bench.journal.results(held.id) == ()
        assert bench.submit("1").number == 1

    def test_the_last_step_may_forget_its_own_operation(self, bench: JournalBench) -> None:
        bench.submit("1")
        held = bench.leased()
        done = attrs.evolve(held, state=OperationState.DONE, ended_s=Seconds(1.0))

        def write(tx: Tx) -> None:
            bench.journal.save(tx, held, done)
            bench.journal.forget(tx, "wall")

        bench.write(write)
        assert bench.journal.operations() == ()

    def test_pages_go_by_age_and_state(self, bench: JournalBench) -> None:
        for name, now_s in (("4", 101.0), ("2", 100.0), ("1", 101.0), ("3", 102.0)):
            bench.submit(name, subject=name, now_s=now_s)
        bench.end(bench.leased(now_s=100.0))
        journal = bench.journal
        assert [row.id for row in journal.operations()] == ["2", "1", "4", "3"]
        page = journal.operations(limit=3)
        assert [row.id for row in page] == ["2", "1", "4"]
        assert [row.id for row in journal.operations(after=page[-1], limit=3)] == ["3"]
        live = frozenset({OperationState.LIVE})
        assert [row.id for row in journal.operations(live, limit=1)] == ["1"]
        ended = frozenset({OperationState.DONE, OperationState.UNDONE})
        assert [row.id for row in journal.operations(ended)] == ["2"]
        assert journal.operations(frozenset()) == ()

    def test_what_has_ended_is_listed_by_its_end(self, bench: JournalBench) -> None:
        for number, ended_s in enumerate((130.0, 110.0, 120.0, 140.0)):
            bench.submit(str(number), subject=str(number))
            bench.end(bench.leased(), at_s=ended_s)
        bench.submit("live")
        paint = frozenset({"paint"})
        before = Seconds(140.0)
        assert [row.id for row in bench.journal.ended(paint, before, 9)] == ["1", "2", "0"]
        assert [row.id for row in bench.journal.ended(paint, before, 2)] == ["1", "2"]
        assert bench.journal.ended(frozenset({"build"}), before, 9) == ()
        assert bench.journal.ended(frozenset(), before, 9) == ()
        assert bench.journal.ended(paint, Seconds(110.0), 9) == ()

    def test_watchers_hear_of_what_becomes_due(self, bench: JournalBench) -> None:
        rings: list[str] = []
        bench.journal.watch(lambda: rings.append("ring"))

        def heard() -> bool:
            result = bool(rings)
            rings.clear()
            return result

        bench.submit("1")
        assert heard()
        held = bench.leased()
        assert not heard()
        bench.save(held, resting(held, wake_s=500.0))
        assert not heard()
        bench.write(lambda tx: bench.journal.wake(tx, "wall"))
        assert heard()
        bench.submit("2", preempt="next")
        assert heard()
        bench.end(bench.leased())
        assert heard()
        bench.cancel("2", "enough")
        assert heard()
        with pytest.raises(OperationInProgress):
            bench.submit("3")
        assert not heard()


class SharedJournalLaws:
    """For journals that several processes share.

    Subclass it with a fixture `benches` that gives two of the same database, each with a store of
    its own.
    """

    def test_one_of_many_is_live(self, benches: tuple[JournalBench, JournalBench]) -> None:
        refused: list[str] = []

        def submit(number: int) -> None:
            try:
                benches[number % 2].submit(str(number))
            except OperationInProgress as error:
                refused.append(error.operation)

        run_threads(*(partial(submit, number) for number in range(8)))
        (row,) = benches[0].journal.operations()
        assert row.state is OperationState.LIVE
        assert refused == [row.id] * 7

    def test_all_queue_behind_one(self, benches: tuple[JournalBench, JournalBench]) -> None:
        def submit(number: int) -> None:
            benches[number % 2].submit(str(number), preempt="next")

        run_threads(*(partial(submit, number) for number in range(8)))
        history = benches[1].journal.history("wall")
        assert [row.number for row in history] == list(range(1, 9))
        assert [row.state for row in history] == [OperationState.LIVE, *[OperationState.QUEUED] * 7]

    def test_one_of_many_has_the_lease(self, benches: tuple[JournalBench, JournalBench]) -> None:
        for number in range(4):
            benches[0].submit(str(number), subject=str(number))
        leases: list[Operation | None] = []

        def lease(number: int) -> None:
            leases.append(benches[number % 2].lease(ExecutorId(str(number))))

        run_threads(*(partial(lease, number) for number in range(8)))
        taken = [row.id for row in leases if row is not None]
        assert len(taken) == len(set(taken))
        rest = [benches[0].lease(ExecutorId(str(number))) for number in range(8, 12)]
        taken += [row.id for row in rest if row is not None]
        assert sorted(taken) == ["0", "1", "2", "3"]

    def test_nobody_is_left_in_the_queue(self, benches: tuple[JournalBench, JournalBench]) -> None:
        benches[0].submit("0")

        def submit(number: int) -> None:
            benches[number % 2].submit(str(number), preempt="next")

        def end(number: int) -> None:
            for _ in range(20):
                row = benches[number % 2].lease(ExecutorId(str(number)))
                if row is not None:
                    benches[number % 2].end(row)

        run_threads(*(partial(submit, n) for n in range(1, 6)), *(partial(end, n) for n in (6, 7)))
        while (row := benches[0].lease()) is not None:
            benches[0].end(row)
        assert {row.state for row in benches[1].journal.operations()} == {OperationState.DONE}
