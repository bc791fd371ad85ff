"""One process at a time stands at the door; a deadline ends waiting, a death gives the place up."""

import subprocess
import sys
from pathlib import Path

import pytest

from computekit.clock import Deadline
from computekit.errors import StoreUnavailable
from computekit.store.process_queue import ProcessQueue
from computekit.testing import ManualClock
from computekit.units import Seconds

HOLD = """
import sys, time
from computekit.clock import Deadline, SystemClock
from computekit.store.process_queue import ProcessQueue
from computekit.units import Seconds
clock = SystemClock()
with ProcessQueue(sys.argv[1], clock).first(Deadline(clock, Seconds(10.0))):
    print("held", flush=True)
    sys.stdin.read()
"""


class CountingClock(ManualClock):
    """Counts how often somebody rests."""

    rests = 0

    def sleep(self, duration_s: Seconds) -> None:
        self.rests += 1
        super().sleep(duration_s)


def test_one_at_a_time(tmp_path: Path) -> None:
    clock = ManualClock()
    one, two = (ProcessQueue(str(tmp_path / "queue"), clock) for _ in range(2))
    with one.first(Deadline(clock, Seconds(1.0))):
        with (
            pytest.raises(StoreUnavailable, match="before this one"),
            two.first(Deadline(clock, Seconds(1.0))),
        ):
            pytest.fail("two are first")
        assert clock.monotonic_s() == pytest.approx(1.0, abs=0.01)
    with two.first(Deadline(clock, Seconds(0.0))):
        pass
    one.close()
    two.close()


def test_who_waits_long_looks_rarely(tmp_path: Path) -> None:
    clock = CountingClock()
    one, two = (ProcessQueue(str(tmp_path / "queue"), clock) for _ in range(2))
    with (
        one.first(Deadline(clock, Seconds(1.0))),
        pytest.raises(StoreUnavailable),
        two.first(Deadline(clock, Seconds(10.0))),
    ):
        pytest.fail("two are first")
    assert clock.monotonic_s() == pytest.approx(10.0, abs=0.01)
    assert 200 < clock.rests < 400
    with two.first(Deadline(clock, Seconds(1.0))):
        pass
    one.close()
    two.close()


def test_a_failure_gives_the_place_up(tmp_path: Path) -> None:
    clock = ManualClock()
    queue, other = (ProcessQueue(str(tmp_path / "queue"), clock) for _ in range(2))
    with pytest.raises(KeyError), queue.first(Deadline(clock, Seconds(1.0))):
        raise KeyError
    with other.first(Deadline(clock, Seconds(0.0))):
        pass
    queue.close()
    other.close()


def test_a_killed_process_gives_the_place_up(tmp_path: Path) -> None:
    path = str(tmp_path / "queue")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        clock = ManualClock()
        queue = ProcessQueue(path, clock)
        with pytest.raises(StoreUnavailable), queue.first(Deadline(clock, Seconds(0.0))):
            pytest.fail("two are first")
        process.kill()
        process.wait(10)
        with queue.first(Deadline(clock, Seconds(0.0))):
            pass
        queue.close()


def test_a_place_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no/queue"):
        ProcessQueue(str(tmp_path / "no" / "queue"), ManualClock())
