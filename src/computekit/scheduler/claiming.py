"""Choose and claim, for many at once: one transaction, tried again when others were faster.

How it ends is a type: all that was asked was granted; no host is eligible; there were hosts, but
others took the last of them meanwhile; there still are, but each was lost as often as may be tried;
or the rows could not be read or written at all, which says nothing about hosts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import attrs

from computekit.errors import ClaimRefused, Fault, InvalidInput, StoreUnavailable
from computekit.ids import HostName
from computekit.scheduler.batch import BatchMode, BatchUnplaced
from computekit.scheduler.decision import Placed, Selection, Unplaced
from computekit.scheduler.request import Request
from computekit.work import Store, Tx

if TYPE_CHECKING:
    from computekit.scheduler.scheduler import Scheduler

__all__ = [
    "BatchOutcome",
    "ClaimOne",
    "Granted",
    "Grants",
    "Loss",
    "LostRace",
    "NoneEligible",
    "PlacementUnavailable",
    "TriesExhausted",
    "place_and_claim",
]

R = TypeVar("R")

ClaimOne: TypeAlias = Callable[[Tx, int, Selection], R]
"""Claims for the request of a number, in a transaction; raises `ClaimRefused`, and has then written
nothing."""

TRIES = 10


@attrs.frozen
class Granted(Generic[R]):
    """One request has its host.

    Attributes:
        number: of the request, from 0.
        selection: where it goes.
        result: what the claim returned.
    """

    number: int
    selection: Selection
    result: R


@attrs.frozen
class Loss:
    """A claim that was refused, for somebody else was faster.

    Attributes:
        number: of the request, from 0.
        host: that was chosen.
        refusal: why it was not granted.
    """

    number: int
    host: HostName
    refusal: ClaimRefused


@attrs.frozen
class Grants(Generic[R]):
    """What was wanted was granted, and is written.

    Attributes:
        granted: by number; all requests, unless as many were wanted as can be placed.
        refused: by number, those that were not, each with what it failed by.
        lost: what was tried in vain on the way.
    """

    granted: tuple[Granted[R], ...]
    refused: "tuple[tuple[int, NotGranted], ...]" = ()
    lost: tuple[Loss, ...] = ()


@attrs.frozen
class NoneEligible:
    """No host can take it: not one was tried.

    Attributes:
        decision: why.
    """

    decision: Unplaced | BatchUnplaced


@attrs.frozen
class LostRace:
    """There were hosts, but others took what was left of them; now there is none.

    Attributes:
        lost: what was tried, first to last.
        decision: why there is none now.
    """

    lost: tuple[Loss, ...]
    decision: Unplaced | BatchUnplaced


@attrs.frozen
class TriesExhausted:
    """There still are hosts, but each time others were faster.

    Attributes:
        tries: how often hosts were chosen.
        lost: what was tried, first to last.
    """

    tries: int
    lost: tuple[Loss, ...]


@attrs.frozen
class PlacementUnavailable:
    """The fleet could not be read, or nothing be written; whether there is a host is not known.

    Attributes:
        error: what happened.
    """

    error: StoreUnavailable


NotGranted: TypeAlias = NoneEligible | LostRace | TriesExhausted | PlacementUnavailable
"""How it ended for one request that was granted nothing."""

BatchOutcome: TypeAlias = (
    Grants[R] | NoneEligible | LostRace | TriesExhausted | PlacementUnavailable
)


class _Refused(Exception):
    """One claim of a batch was refused, so that the others are not to be written either."""

    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self.loss = loss


def place_and_claim(
    store: Store,
    scheduler: "Scheduler",
    requests: Sequence[Request],
    claim: ClaimOne[R],
    mode: BatchMode = "all_or_nothing",
    *,
    tries: int = TRIES,
) -> BatchOutcome[R]:
    """Choose hosts for all requests and claim them in one transaction.

    With `all_or_nothing` one refusal undoes the transaction, and all are chosen anew. With
    `best_effort` what was granted is written, and only the others are chosen anew, until each has
    a host or there is none; the result is `Grants` then, unless nothing at all was granted.

    Args:
        store: where it is written; the index of `scheduler` follows it.
        scheduler: chooses.
        requests: what is asked.
        claim: writes the claim of one request.
        mode: whether all must be granted.
        tries: how often hosts are chosen.

    Raises:
        InvalidInput: a request contradicts itself, or `tries` is below 1; every fault is listed.
    """
    if tries < 1:
        raise InvalidInput((Fault("tries", "too_small", f"{tries} is below 1"),))
    try:
        if mode == "all_or_nothing":
            return _all(store, scheduler, requests, claim, tries)
        return _as_many_as_can(store, scheduler, requests, claim, tries)
    except StoreUnavailable as error:
        return PlacementUnavailable(error)


def _all(
    store: Store,
    scheduler: "Scheduler",
    requests: Sequence[Request],
    claim: ClaimOne[R],
    tries: int,
) -> BatchOutcome[R]:
    lost: list[Loss] = []

    for _ in range(tries):
        found = scheduler.place_many(requests)
        if isinstance(found, BatchUnplaced):
            return LostRace(tuple(lost), found) if lost else NoneEligible(found)
        chosen = tuple(decision.candidate for decision in found.placed)

        def write(tx: Tx, chosen: tuple[Selection, ...] = chosen) -> tuple[Granted[R], ...]:
            granted: list[Granted[R]] = []
            for number, selection in enumerate(chosen):
                try:
                    granted.append(Granted(number, selection, claim(tx, number, selection)))
                except ClaimRefused as refusal:
                    raise _Refused(Loss(number, selection.host, refusal)) from refusal
            return tuple(granted)

        try:
            return Grants(store.write(write), (), tuple(lost))
        except _Refused as refused:
            lost.append(refused.loss)
    return TriesExhausted(tries, tuple(lost))


def _as_many_as_can(
    store: Store,
    scheduler: "Scheduler",
    requests: Sequence[Request],
    claim: ClaimOne[R],
    tries: int,
) -> BatchOutcome[R]:
    lost: list[Loss] = []
    granted: dict[int, Granted[R]] = {}
    refused: dict[int, NotGranted] = {}
    left = list(range(len(requests)))
    for _ in range(tries):
        try:
            found = scheduler.place_many([requests[number] for number in left], "best_effort")
        except StoreUnavailable as error:
            _give_up(left, refused, granted, error)
            break
        assert not isinstance(found, BatchUnplaced)
        chosen: list[tuple[int, Selection]] = []
        for number, decision in zip(left, found.decisions, strict=True):
            if isinstance(decision, Placed):
                chosen.append((number, decision.candidate))
                continue
            mine = tuple(loss for loss in lost if loss.number == number)
            refused[number] = LostRace(mine, decision) if mine else NoneEligible(decision)

        def write(
            tx: Tx, chosen: Sequence[tuple[int, Selection]] = chosen
        ) -> tuple[list[Granted[R]], list[Loss]]:
            taken: list[Granted[R]] = []
            missed: list[Loss] = []
            for number, selection in chosen:
                try:
                    taken.append(Granted(number, selection, claim(tx, number, selection)))
                except ClaimRefused as refusal:
                    missed.append(Loss(number, selection.host, refusal))
            return taken, missed

        try:
            taken, missed = store.write(write) if chosen else ([], [])
        except StoreUnavailable as error:
            _give_up(left, refused, granted, error)
            break
        granted.update((found.number, found) for found in taken)
        lost += missed
        left = [loss.number for loss in missed]
        if not left:
            break
    for number in left:
        mine = tuple(loss for loss in lost if loss.number == number)
        refused[number] = TriesExhausted(tries, mine)
    if not granted and refused:
        return refused[min(refused)]
    return Grants(
        tuple(granted[number] for number in sorted(granted)),
        tuple(sorted(refused.items(), key=lambda pair: pair[0])),
        tuple(lost),
    )


def _give_up(
    left: list[int],
    refused: dict[int, NotGranted],
    granted: Mapping[int, object],
    error: StoreUnavailable,
) -> None:
    """Say of all that is left that it is not known; what was granted is still told.

    Raises:
        StoreUnavailable: nothing was granted.
    """
    if not granted:
        raise error
    refused.update(
        (number, PlacementUnavailable(error)) for number in left if number not in refused
    )
    left.clear()
