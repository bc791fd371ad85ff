"""Transactions over SQL: one write connection, whose waiting writers share a commit.

Writers take turns. Each runs its function in its own thread; then, if others wait, it leaves the
transaction open and the next goes on in it, behind a savepoint. The last one commits for all.
So a commit, which costs a sync of the disk, is paid once by as many as had to wait for it.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from computekit.clock import Clock, Deadline
from computekit.errors import DeadlineExceeded, StoreUnavailable
from computekit.store.engine import Verdict, judge, open_database, unavailable
from computekit.store.feed import HeadWatch, changes_since, read_head
from computekit.store.migrations import prepare
from computekit.store.turn import Turn, Waiter
from computekit.store.write_connection import WriteConnection
from computekit.units import Seconds
from computekit.work import ChangeSet, Tx

__all__ = ["Raced", "SqlStore"]

R = TypeVar("R")

GROUP_LIMIT = 64
"""Functions that run in one transaction at most, failed ones too: the first waits for the last."""
RACES = 3
"""Runs of a function that finds its rows changed by others, before that is a defect."""
BUSY_S = Seconds(5.0)
"""How long one statement waits for a lock."""


class Raced(Exception):
    """A row changed between reading and writing it: the transaction is to run again."""


class _Again(Exception):
    """The transaction was rolled back for a reason that may pass."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__()
        self.cause = cause


class _SqlTx(Tx):
    """A transaction of a `SqlStore`; open while its function runs."""

    __slots__ = ("connection", "open", "store")

    def __init__(self, store: "SqlStore", connection: Connection) -> None:
        super().__init__()
        self.store = store
        self.connection = connection
        self.open = True


class _Member:
    """A writer whose function has run, and who waits for the commit."""

    __slots__ = ("_bell", "_failure", "tx")

    def __init__(self, tx: _SqlTx) -> None:
        self.tx = tx
        self._failure: Callable[[], BaseException] | None = None
        self._bell = threading.Lock()
        self._bell.acquire()

    def settle(self, failure: Callable[[], BaseException] | None) -> None:
        """Tell how the commit ended; `failure` makes the error that kept it from happening."""
        self._failure = failure
        self._bell.release()

    def wait(self, timeout_s: Seconds) -> None:
        """Wait for the commit; raise what kept it from happening."""
        if not self._bell.acquire(timeout=timeout_s):
            raise DeadlineExceeded("the commit that several writes share", timeout_s)
        if self._failure is not None:
            raise self._failure()


class _Current(threading.local):
    tx: _SqlTx | None = None


class SqlStore:
    """A `Store` in a database, made and brought up to date when it is opened.

    Args:
        url: `sqlite://` (in memory), `sqlite:///PATH` or `postgresql://...`.
        clock: measures deadlines.
        source: spreads repeated attempts.
        timeout_s: the longest that a write waits for others.
        history: commits whose changes are kept, at least.

    Raises:
        InvalidInput: the URL is none of these.
        StoreUnavailable: the database cannot be used, or is of a newer version.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        source: random.Random,
        *,
        timeout_s: Seconds = Seconds(30.0),
        history: int = 10_000,
    ) -> None:
        self._clock = clock
        self._source = source
        self._timeout_s = timeout_s
        self._database = open_database(url, min(BUSY_S, timeout_s))
        self._turn = Turn()
        self._current = _Current()
        self._writer = WriteConnection(self._database, clock, history)
        self._group: list[_Member] = []
        self._runs = 0
        self._watch: HeadWatch | None = None
        self._closed = False
        try:
            self._patiently(self._open)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the writers that are under way finish, then close all connections."""
        waiter = Waiter(shares=False)
        try:
            self._turn.take(waiter, self._timeout_s)
            self._closed = True
            if self._watch is not None:
                self._watch.close()
            if waiter.granted:
                self._writer.close()
            self._database.engine.dispose()
        finally:
            if waiter.granted:
                self._turn.end()

    # Writing

    def write(self, fn: Callable[[Tx], R]) -> R:
        """Run `fn` as `Store.write` says."""
        if self._current.tx is not None:
            raise RuntimeError("write inside a write: pass the Tx on instead")
        result, tx = self._patiently(lambda first, end: self._attempt(fn, end, shares=first))
        for action in tx.take_after_commit():
            action()
        return result

    def connection(self, tx: Tx) -> Connection:
        """Return the connection of a transaction, for a port that writes in it.

        Raises:
            TypeError: `tx` belongs to another store or has ended.
        """
        if not isinstance(tx, _SqlTx) or tx.store is not self or not tx.open:
            raise TypeError("this Tx is not an open transaction of this store")
        return tx.connection

    # Reading

    @contextmanager
    def reading(self, *, one_statement: bool = False) -> Iterator[Connection]:
        """Give a connection that sees one state: every earlier commit, and nothing later.

        Inside a `write` it is that transaction's own, which sees what was written in it.

        Args:
            one_statement: whether only one is read by: it sees one state without a transaction,
                whose beginning and end would cost two more ways to the database.

        Raises:
            StoreUnavailable: the database cannot be used.
        """
        if self._current.tx is not None:
            yield self._current.tx.connection
            return
        try:
            single = self._database.single
            with self._alone() if single else self._connected(one_statement) as connection:
                yield connection
        except DBAPIError as error:
            if judge(error) in {Verdict.PASSING, Verdict.UNUSABLE}:
                raise unavailable(error) from error
            raise
        except PoolTimeout as error:
            raise StoreUnavailable("all connections are in use") from error

    def head(self) -> int:
        """Return what `Store.head` says."""
        if self._watch is not None and self._current.tx is None:
            return self._watch.head()
        with self.reading(one_statement=True) as connection:
            return read_head(connection)

    def changes(self, since: int) -> ChangeSet | None:
        """Return what `Store.changes` says."""
        with self.reading(one_statement=True) as connection:
            return changes_since(connection, since)

    # How it is done

    def _open(self, _first: bool, _deadline: Deadline) -> None:
        try:
            prepare(self._database)
            if self._database.has_data_version:
                self._watch = HeadWatch(self._database.engine)
        except DBAPIError as error:
            raise _translated(error) from error

    def _patiently(self, attempt: Callable[[bool, Deadline], R]) -> R:
        """Repeat `attempt`, told whether it is the first, while others are in its way."""
        deadline = Deadline(self._clock, self._timeout_s)
        runs = 0
        while True:
            try:
                return attempt(runs == 0, deadline)
            except _Again as again:
                runs += 1
                cause = again.cause
            if isinstance(cause, DBAPIError) and judge(cause) is Verdict.RACED and runs >= RACES:
                raise cause
            if deadline.passed:
                words = str(cause.orig) if isinstance(cause, DBAPIError) else str(cause)
                raise StoreUnavailable(f"{words} (for {self._timeout_s:g} s)") from cause
            longest_s = min(0.25, 0.002 * 2**runs, deadline.left_s())
            self._clock.sleep(Seconds(self._source.uniform(0.0, longest_s)))

    def _attempt(
        self, fn: Callable[[Tx], R], deadline: Deadline, *, shares: bool
    ) -> tuple[R, _SqlTx]:
        """Run `fn` in a transaction of its own, or in the one that those before it left open."""
        waiter = Waiter(shares=shares)
        try:
            self._take_turn(waiter)
            result, tx = self._run(fn, deadline)
            member = _Member(tx)
            self._group.append(member)
        except _Again:
            # Those before it may be what is in its way: it goes on alone, after their commit.
            self._go_on(shares=False)
            raise
        except BaseException:
            if waiter.granted:
                self._go_on(shares=shares)
            raise
        self._go_on(shares=shares)
        member.wait(self._timeout_s)
        return result, tx

    def _take_turn(self, waiter: Waiter) -> None:
        if not self._turn.take(waiter, self._timeout_s):
            raise StoreUnavailable(f"those before this one take longer than {self._timeout_s:g} s")
        if self._closed:
            raise StoreUnavailable("the store is closed")

    def _run(self, fn: Callable[[Tx], R], deadline: Deadline) -> tuple[R, _SqlTx]:
        nested = bool(self._group)
        try:
            if nested:
                self._runs += 1
                self._writer.nest()
            else:
                self._runs = 1
                self._writer.begin(deadline)
            tx = self._current.tx = _SqlTx(self, self._writer.connection)
            try:
                result = fn(tx)
            finally:
                self._current.tx = None
                tx.open = False
        except BaseException as error:
            if lost := self._writer.roll_back(nested=nested):
                group, self._group = self._group, []
                for member in group:
                    member.settle(partial(_Again, lost))
            if (known := _translated(error)) is error:
                raise
            raise known from error
        return result, tx

    def _go_on(self, *, shares: bool) -> None:
        """Let the next writer join the open transaction, or commit it."""
        if shares and self._group and self._runs < GROUP_LIMIT and self._turn.hand_on():
            return
        try:
            self._commit()
        finally:
            self._turn.end()

    def _commit(self) -> None:
        """Commit for all who wait for it, and tell them how that ended."""
        group, self._group = self._group, []
        if not group:
            return
        changes = dict.fromkeys(change for member in group for change in member.tx.changes)
        last_words = False
        failure: Callable[[], BaseException] | None = None
        try:
            if changes:
                self._writer.note(changes)
            last_words = True
            self._writer.commit()
        except DBAPIError as error:
            failure = self._failed_commit(error, in_doubt=last_words, alone=len(group) == 1)
            self._writer.roll_back(nested=False)
        except BaseException as interruption:
            # It may have come while the commit was under way, and that have been finished.
            if not last_words or self._writer.is_open:
                self._writer.roll_back(nested=False)
                failure = partial(_Again, interruption)
            raise
        finally:
            for member in group:
                member.settle(failure)

    @staticmethod
    def _failed_commit(
        error: DBAPIError, *, in_doubt: bool, alone: bool
    ) -> Callable[[], BaseException]:
        if in_doubt and error.connection_invalidated:
            return partial(unavailable, error, "lost in a commit that may have happened")
        if not alone:
            return partial(_Again, error)  # one by one, each for its own part
        known = _translated(error)
        return lambda: known

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        waiter = Waiter(shares=False)
        try:
            self._take_turn(waiter)
            yield self._writer.connection
        finally:
            if waiter.granted:
                self._turn.end()

    @contextmanager
    def _connected(self, one_statement: bool) -> Iterator[Connection]:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        with self._database.engine.connect() as connection:
            if one_statement:
                yield connection
                return
            connection.exec_driver_sql(self._database.begin_read)
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, Raced):
        return _Again(error)
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("all connections are in use")
    if isinstance(error, DBAPIError):
        match judge(error):
            case Verdict.PASSING | Verdict.RACED:
                return _Again(error)
            case Verdict.UNUSABLE:
                return unavailable(error)
            case Verdict.DEFECT:
                return error
    return error
