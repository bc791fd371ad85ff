"""The one connection of a store that writes, and the transaction that is open on it."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from computekit.clock import Clock, Deadline
from computekit.errors import StoreUnavailable
from computekit.store.engine import Database, Verdict, judge
from computekit.store.feed import advance
from computekit.store.process_queue import POLL_S, ProcessQueue
from computekit.store.quick import run_words
from computekit.work import Change

__all__ = ["WriteConnection"]


class WriteConnection:
    """Begins, nests, commits and takes back; used by one thread at a time.

    Args:
        database: where to connect, when it is first needed.
        clock: for resting while others write.
        history: commits whose changes are kept, at least.
    """

    def __init__(self, database: Database, clock: Clock, history: int) -> None:
        self._database = database
        self._clock = clock
        self._history = history
        self._connection: Connection | None = None
        self._queue: ProcessQueue | None = None
        self._in_part = False
        # The SQLite file that the connection has open: path, device and number.
        self._file: tuple[Path, int, int] | None = None

    @property
    def connection(self) -> Connection:
        """The connection itself, made if there is none."""
        if self._connection is None:
            self._connection = self._database.engine.connect()
            if self._database.has_door:
                self._connection.exec_driver_sql("PRAGMA busy_timeout = 0")
                self._file = self._file or _file_of(self._connection)
        return self._connection

    def begin(self, deadline: Deadline) -> None:
        """Begin a transaction.

        Raises:
            StoreUnavailable: other processes of this machine were before this one all the time, or
                the file was removed or replaced: nobody would find what is written.
            DBAPIError: that of the last attempt.
        """
        connection = self.connection
        if not self._database.has_door:
            run_words(connection, self._database.begin_write)
            return
        self._check_file()
        with self._door().first(deadline):
            while True:
                try:
                    run_words(connection, self._database.begin_write)
                except DBAPIError as error:
                    if judge(error) is not Verdict.PASSING or deadline.passed:
                        raise
                    self._clock.sleep(POLL_S)
                else:
                    return

    def nest(self) -> None:
        """Begin a part of the transaction that can be taken back alone.

        It ends when the next begins, inside it: an end of its own would be one more way to the
        database and back, and a name means the part that was begun last.
        """
        # Should this not come about, going back to `part` would take what another has written.
        self._in_part = False
        run_words(self.connection, "SAVEPOINT part")
        self._in_part = True

    def note(self, changes: Iterable[Change]) -> None:
        """Give the transaction its number, and note what replicas are to read again."""
        advance(self.connection, changes, self._history)

    def commit(self) -> None:
        """Commit the transaction."""
        run_words(self.connection, "COMMIT")

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open: it was begun, and neither committed nor taken back."""
        return self._connection is not None and self._database.in_transaction(self._connection)

    def roll_back(self, *, nested: bool) -> BaseException | None:
        """Take back the open part, or, not `nested`, all of the transaction.

        Returns:
            None, or why the whole transaction is lost, with what was written before the part.
        """
        lost: BaseException | None = None
        try:
            if nested and self._in_part and self.is_open:
                run_words(self.connection, "ROLLBACK TO SAVEPOINT part")
            elif self.is_open:
                run_words(self.connection, "ROLLBACK")
                lost = ConnectionError("the part was not begun") if nested else None
            elif nested:
                lost = ConnectionError("the database gave the transaction up")
        except DBAPIError as error:
            lost = error
        if self._connection is not None and (lost is not None or self._connection.invalidated):
            self._drop()
        return lost

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        if self._queue is not None:
            self._queue.close()
            self._queue = None

    def _door(self) -> ProcessQueue:
        if self._queue is None:
            path = _path_of(self.connection)
            self._queue = ProcessQueue(f"{path}-queue", self._clock)
        return self._queue

    def _check_file(self) -> None:
        # SQLite goes on with a file that has no name any more, and never says so.
        if self._file is None:
            return
        path, *identity = self._file
        try:
            now = path.stat()
        except OSError as error:
            raise StoreUnavailable(f"{path} is gone: {error.strerror}") from error
        if [now.st_dev, now.st_ino] != identity:
            raise StoreUnavailable(f"{path} was replaced by another file")

    def _drop(self) -> None:
        # Not where the database lives in its connection: there, the next one begins anew on it.
        if not self._database.single and self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _path_of(connection: Connection) -> str:
    path: str = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    return path


def _file_of(connection: Connection) -> tuple[Path, int, int]:
    path = Path(_path_of(connection))
    found = path.stat()
    return path, found.st_dev, found.st_ino
