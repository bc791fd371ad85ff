"""Write through one HTTP worker, read through another: never may the answer be an old one.

    python -m tests.real.fresh_reads --writes 10000 --database sqlite
    python -m tests.real.fresh_reads --writes 10000 --database postgresql

Both workers are of one `computekit-placement --workers 2`; they take turns in writing. Each write
is read back by rows (the inventory), by the index (candidates) and as what a consumer holds.
"""

import argparse
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real import postgresql
from tests.real.placement_daemon import Connection, one_each, running


def check(workers: tuple[Connection, ...], writes: int, source: random.Random) -> list[str]:
    """Write `writes` times; return each read that was stale."""
    provider, consumer = (str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(2))
    path = f"/resource_providers/{provider}"
    made = workers[0]("POST", "/resource_providers", {"name": provider, "uuid": provider})
    assert made.status == 200, made.body
    stale: list[str] = []
    generation, held = 0, None
    for number in range(1, writes + 1):
        writer, reader = workers[number % 2], workers[1 - number % 2]
        total = 10 + number
        inventory = {"VCPU": {"total": total, "max_unit": total}}
        body = {"resource_provider_generation": generation, "inventories": inventory}
        written = writer("PUT", f"{path}/inventories", body)
        assert written.status == 200, written.body
        generation = written.json["resource_provider_generation"]

        question = number % 3
        if question == 0:
            seen = reader("GET", f"{path}/inventories").json
            fresh = seen["inventories"]["VCPU"]["total"] == total
        elif question == 1:
            seen = reader("GET", f"/allocation_candidates?resources=VCPU:{total}").json
            fresh = [total] == [
                it["resources"]["VCPU"]["capacity"] for it in seen["provider_summaries"].values()
            ]
        else:
            claim = {
                "allocations": {provider: {"resources": {"VCPU": number}}},
                "project_id": "p",
                "user_id": "u",
                "consumer_type": "INSTANCE",
                "consumer_generation": held,
            }
            claimed = writer("PUT", f"/allocations/{consumer}", claim)
            assert claimed.status == 204, claimed.body
            seen = reader("GET", f"/allocations/{consumer}").json
            generation, held = generation + 1, seen["consumer_generation"]
            fresh = seen["allocations"][provider]["resources"]["VCPU"] == number
            usage = reader("GET", f"{path}/usages").json
            fresh = fresh and usage["usages"] == {"VCPU": number}
            released = writer("DELETE", f"/allocations/{consumer}")
            assert released.status == 204, released.body
            held = None
        if not fresh:
            stale.append(f"write {number}: {seen}")
    return stale


@contextmanager
def database(kind: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="computekit-fresh-") as directory:
        if kind == "sqlite":
            yield f"sqlite:///{directory}/books.sqlite"
        else:
            with postgresql.running() as server:
                yield server.url(Path(directory))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    begun = time.monotonic()
    with database(asked.database) as url, running(url, "--workers", "2") as daemon:
        stale = check(one_each(daemon), asked.writes, random.Random(asked.seed))
    took = time.monotonic() - begun
    print(f"{asked.database}: {asked.writes} writes, {len(stale)} stale reads, {took:.0f} s")
    print("\n".join(stale[:10]))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
