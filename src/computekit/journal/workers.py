"""Several executors in one process."""

import logging
import random
from typing import Never

from computekit.clock import Clock
from computekit.ids import ExecutorId
from computekit.journal.operation import OperationKind
from computekit.journal.ports import Journal
from computekit.journal.runner import Runner
from computekit.runtime import Faults, Runtime
from computekit.units import Seconds
from computekit.work import Store

__all__ = ["run_operations"]

_log = logging.getLogger(__name__)


def run_operations(
    runtime: Runtime,
    store: Store,
    journal: Journal,
    kinds: tuple[OperationKind[Never], ...],
    *,
    clock: Clock,
    source: random.Random,
    name: str,
    workers: int = 4,
    lease_s: Seconds = Seconds(3600.0),
    poll_s: Seconds = Seconds(0.1),
) -> None:
    """Carry out operations on threads of `runtime`, as the only process that does.

    Args:
        runtime: owns the threads.
        store: what the journal writes in.
        journal: the operations; what an earlier process has left is taken up at once.
        kinds: those that this process knows.
        clock: tells the time of leases, timeouts and rests.
        source: of randomness, for rests.
        name: the executors are called `NAME-0`, `NAME-1` ...
        workers: operations that are worked on at the same time.
        lease_s: longer than any step takes; a restart does not wait for it.
        poll_s: how long what another process submits may lie there.

    Raises:
        StoreUnavailable: nothing was started.
    """
    store.write(journal.adopt)
    faults = Faults(_log, "operations", source)
    for number in range(workers):
        executor = ExecutorId(f"{name}-{number}")
        runner = Runner(
            store,
            journal,
            kinds,
            clock=clock,
            source=source,
            executor=executor,
            faults=faults,
            lease_s=lease_s,
        )
        runner.run(runtime, poll_s)
