"""A process that reads and writes one placement as it is told, line by line.

    neighbour.py URL

`claim CONSUMER PROVIDER` claims one VCPU; `see PROVIDER` prints the generation, as its index has
it, and the VCPUs used; `pause CONSUMER PROVIDER` claims and, once all is written, stops itself
before the commit. What a line asked for is answered by one line.
"""

import os
import random
import signal
import sys

import pytest

from computekit.clock import SystemClock
from computekit.ids import ProviderId
from computekit.model import VCPU
from computekit.placement import LocalPlacement
from computekit.store import open_placement
from computekit.store.write_connection import WriteConnection
from computekit.testing.placement_bench import example_claim


def claim(placement: LocalPlacement, consumer: str, provider: str) -> str:
    placement.claim(example_claim(consumer, {provider: {VCPU: 1}}))
    return "claimed"


def see(placement: LocalPlacement, provider: str) -> str:
    (node,) = placement.providers(name=f"host {provider}")
    used = placement.provider(ProviderId(provider)).used
    return f"{node.generation} {used.get(VCPU, 0)}"


def pause(placement: LocalPlacement, consumer: str, provider: str) -> str:
    commit = WriteConnection.commit

    def stopped(writer: WriteConnection) -> None:
        print("stopping", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        commit(writer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WriteConnection, "commit", stopped)
        return claim(placement, consumer, provider)


def main(url: str) -> None:
    with open_placement(url, SystemClock(), random.Random(os.getpid())) as placement:
        print("ready", flush=True)
        for line in sys.stdin:
            match line.split():
                case ["claim", consumer, provider]:
                    answer = claim(placement, consumer, provider)
                case ["pause", consumer, provider]:
                    answer = pause(placement, consumer, provider)
                case ["see", provider]:
                    answer = see(placement, provider)
                case other:
                    raise ValueError(other)
            print(answer, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
