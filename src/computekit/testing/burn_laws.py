"""What every `BurnLedger` keeps, as tests to subclass."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.errors import NotFound, StateConflict
from computekit.ids import ConsumerId, ProviderId
from computekit.pci import (
    Burn,
    BurnLedger,
    BurnState,
    DeviceId,
    accept_wiped,
    burn_devices,
    finish_cleaning,
    lease_dirty,
    mark_published,
    mark_started,
    not_clean,
    restore_device,
    retire_device,
)
from computekit.units import Seconds
from computekit.work import Store, Tx

__all__ = ["BurnBench", "BurnLaws"]

A, B = ProviderId("a"), ProviderId("b")
X, Y = DeviceId("address/0000:02:00.0"), DeviceId("address/0000:01:00.0")
MOVES = DeviceId("serial/x")
ME, OTHER = ConsumerId("i-1"), ConsumerId("i-2")


@attrs.frozen
class BurnBench:
    """An empty ledger and the store that it writes in."""

    store: Store
    ledger: BurnLedger

    def burn(self, *devices: DeviceId, root: ProviderId = A, consumer: ConsumerId = ME) -> None:
        """Use devices in a transaction of its own."""
        self.store.write(lambda tx: burn_devices(tx, self.ledger, root, devices, consumer))

    def lease(
        self, cleaner: str, now_s: float, *, idle: frozenset[DeviceId] = frozenset({X, Y})
    ) -> Burn | None:
        """Lease the next dirty device for ten seconds."""
        now, until = Seconds(now_s), Seconds(now_s + 10)
        return self.store.write(
            lambda tx: lease_dirty(tx, self.ledger, A, idle, cleaner, now, until)
        )

    def finish(self, burn: Burn) -> None:
        """Finish cleaning in a transaction of its own."""
        self.store.write(lambda tx: finish_cleaning(tx, self.ledger, burn))

    def state(self, device: DeviceId = X) -> BurnState:
        """Return the state of a device of A."""
        return next(it.state for it in self.ledger.burns(A) if it.device == device)


class BurnLaws(ABC):
    """Subclass it with `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[BurnBench]:
        """Make an empty ledger."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[BurnBench]:
        """Give an empty ledger."""
        with self.open(tmp_path) as bench:
            yield bench

    def test_what_was_used_is_remembered_by_host(self, bench: BurnBench) -> None:
        bench.burn(X, Y)
        bench.burn(X, root=B, consumer=OTHER)

        assert [(it.root, it.device) for it in bench.ledger.burns()] == [(A, Y), (A, X), (B, X)]
        (of_b,) = bench.ledger.burns(B)
        assert of_b == Burn(B, X, BurnState.DIRTY, OTHER)
        assert not_clean(bench.ledger.burns(A)) == {X, Y}

    def test_a_card_with_a_serial_number_is_dirty_in_every_host(self, bench: BurnBench) -> None:
        bench.burn(MOVES)

        assert bench.ledger.burns(B) == (Burn(None, MOVES, BurnState.DIRTY, ME),)
        with pytest.raises(StateConflict):
            bench.burn(MOVES, root=B, consumer=OTHER)
        leased = bench.lease("c", 100, idle=frozenset({MOVES}))
        assert leased is not None
        bench.finish(leased)
        bench.burn(MOVES, root=B, consumer=OTHER)
        (burn,) = bench.ledger.burns()
        assert (burn.uses, burn.consumer) == (2, OTHER)

    def test_every_field_comes_back(self, bench: BurnBench) -> None:
        burn = Burn(A, X, BurnState.CLEANING, ME, True, True, 7, "worn <&>", "c", Seconds(1.5))
        bench.store.write(lambda tx: bench.ledger.put_burn(tx, burn))

        assert bench.ledger.burns() == (burn,)

    def test_what_is_rolled_back_was_not_used(self, bench: BurnBench) -> None:
        def fail(tx: Tx) -> None:
            burn_devices(tx, bench.ledger, A, (X,), ME)
            assert bench.ledger.burns(A)
            raise NotFound("x", "y")

        with pytest.raises(NotFound):
            bench.store.write(fail)
        assert bench.ledger.burns() == ()

    def test_a_used_device_is_nobody_elses(self, bench: BurnBench) -> None:
        bench.burn(X)
        bench.burn(X)

        with pytest.raises(StateConflict):
            bench.burn(Y, X, consumer=OTHER)
        assert [(it.device, it.uses) for it in bench.ledger.burns()] == [(X, 1)]

    def test_only_a_wipe_makes_it_clean(self, bench: BurnBench) -> None:
        bench.burn(X)
        leased = bench.lease("c", 100)
        assert leased is not None
        assert leased.device == X
        with pytest.raises(StateConflict):
            bench.burn(X, consumer=OTHER)

        bench.finish(leased)
        bench.finish(leased)

        assert bench.state() is BurnState.CLEAN
        bench.burn(X, consumer=OTHER)
        (again,) = bench.ledger.burns()
        assert (again.uses, again.consumer, again.state) == (2, OTHER, BurnState.DIRTY)

    def test_what_is_in_use_is_not_wiped(self, bench: BurnBench) -> None:
        bench.burn(X)

        assert bench.lease("c", 100, idle=frozenset({Y})) is None
        assert bench.lease("c", 100) is not None

    def test_a_lease_is_one_cleaners_until_its_time_is_over(self, bench: BurnBench) -> None:
        bench.burn(X)
        first = bench.lease("c", 100)
        assert first is not None
        assert bench.lease("d", 109.9) is None

        second = bench.lease("d", 110)
        assert second is not None
        with pytest.raises(StateConflict):
            bench.finish(first)
        bench.finish(second)
        assert bench.state() is BurnState.CLEAN

    def test_what_cannot_be_wiped_is_retired_until_somebody_has_looked(
        self, bench: BurnBench
    ) -> None:
        bench.burn(X)
        leased = bench.lease("c", 100)
        assert leased is not None
        bench.store.write(lambda tx: retire_device(tx, bench.ledger, leased, "no answer"))
        bench.store.write(lambda tx: retire_device(tx, bench.ledger, leased, "no answer"))

        assert bench.state() is BurnState.RETIRED
        assert bench.ledger.burns()[0].reason == "no answer"
        assert bench.lease("c", 200) is None
        with pytest.raises(StateConflict):
            bench.burn(X, consumer=OTHER)
        bench.store.write(lambda tx: restore_device(tx, bench.ledger, A, X))
        bench.store.write(lambda tx: restore_device(tx, bench.ledger, A, X))
        assert bench.lease("c", 300) is not None

    def test_a_guest_that_never_ran_is_told_apart(self, bench: BurnBench) -> None:
        bench.burn(X)
        bench.burn(Y, consumer=OTHER)

        bench.store.write(lambda tx: mark_started(tx, bench.ledger, A, ME))

        assert [(it.device, it.started) for it in bench.ledger.burns()] == [(Y, False), (X, True)]

    def test_who_wipes_in_placement_is_believed_if_placement_knew(self, bench: BurnBench) -> None:
        bench.burn(X)
        bench.store.write(lambda tx: mark_published(tx, bench.ledger, A, frozenset({X, Y})))
        assert [it.published for it in bench.ledger.burns()] == [True]

        bench.store.write(lambda tx: accept_wiped(tx, bench.ledger, A, frozenset({X, Y})))

        assert bench.state() is BurnState.CLEAN
        bench.burn(X, consumer=OTHER)
        assert [it.published for it in bench.ledger.burns()] == [False]

    def test_what_was_never_used_is_not_known(self, bench: BurnBench) -> None:
        with pytest.raises(NotFound):
            bench.store.write(lambda tx: restore_device(tx, bench.ledger, A, X))
