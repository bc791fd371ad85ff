"""Claim and release until killed; say what was granted, after it was.

    claim_worker.py URL SEED [CLAIMS]

Four threads claim two classes of one of two hosts and a counter, for consumers of their own, and
release some of them again. Lines on standard output: `+ CONSUMER` and `- CONSUMER`, each written
once the store has returned; `~ CONSUMER` before a release, which may happen from then on. With
CLAIMS, one thread does this until it has tried as many, and keeps one at most.
"""

import itertools
import os
import random
import sys
import threading
from pathlib import Path

from computekit.clock import SystemClock
from computekit.errors import CapacityExceeded, CounterFull
from computekit.ids import new_uuid
from computekit.model import MEMORY_MB, VCPU
from computekit.placement import CounterClaim
from computekit.store import SqlPlacement, SqlStore
from computekit.testing.placement_bench import PlacementBench, example_claim

CLOCK = SystemClock()
LIMIT = CounterClaim("limit", "project", 1, 90)


def say(word: str, consumer: str) -> None:
    os.write(1, f"{word} {consumer}\n".encode())


def work(
    bench: PlacementBench, source: random.Random, claims: int | None = None, most: int = 1000
) -> None:
    mine: list[str] = []
    for _ in itertools.count() if claims is None else range(claims):
        consumer = new_uuid(source)
        wants = {source.choice(("h", "k")): {VCPU: 1, MEMORY_MB: source.randint(1, 3)}}
        try:
            bench.claim(example_claim(consumer, wants), LIMIT)
        except (CapacityExceeded, CounterFull):
            full = True
        else:
            full = False
            say("+", consumer)
            mine.append(consumer)
        if mine and (full or len(mine) > most or source.random() < 0.3):
            gone = mine.pop(source.randrange(len(mine)))
            say("~", gone)
            bench.release(gone)
            say("-", gone)


def main(url: str, seed: int, claims: int | None) -> None:
    store = SqlStore(url, CLOCK, random.Random(seed))
    bench = PlacementBench(store, SqlPlacement(store, CLOCK), CLOCK)
    if claims is not None:
        work(bench, random.Random(seed), claims, most=1)
        return
    threads = [
        threading.Thread(target=work, args=(bench, random.Random(seed * 4 + n))) for n in range(4)
    ]
    for thread in threads:
        thread.start()


def into_file(url: str, seed: int, claims: int, log: Path) -> None:
    """Do the same with lines that go to a file."""
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        main(url, seed, claims)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
