"""Compare computekit's daemon with genuine Placement on generated topologies.

    python -m tests.parity.differential [--cases 20] [--questions 60] [--writes 30] [--seed 1]
        [--seeds 1] [--case N]

Each case writes the same random providers and allocations to both through the client, puts the
same questions to both, then makes the same writes and compares what is told and what is held
after them. Answers are compared as sets. What ours answers is also checked by itself: amounts,
capacities, mappings. Where a known defect of the peer (`differential_judge.DEFECTS`) makes the
difference, ours must be what a plain reference finds. The exit status is 1 if there is any other
difference, or anything wrong with an answer of ours. `--seeds 10` tries ten, from `--seed` on.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar

import attrs

from computekit.errors import ClaimRefused, ComputekitError, RemoteError, StateConflict
from computekit.model import PlacementRequest
from computekit.placement import CandidatePage, PlacementService, ProviderUse
from tests.parity import peers, servers
from tests.parity.differential_cases import Topology, question, topology, writes
from tests.parity.differential_judge import (
    DEFECTS,
    broken_invariants,
    known_defect,
    known_failure,
    shown,
    unlike_reference,
)

MEMORY = Path("/dev/shm")  # nothing has to outlive the run, and disks are slow

P = ParamSpec("P")
T = TypeVar("T")


@attrs.define
class Tally:
    """What was compared, and what was found.

    Attributes:
        counts: by word.
        differences: that are no known defect of the peer, with all that is needed to see them.
    """

    counts: Counter[str] = attrs.field(factory=Counter)
    differences: list[str] = attrs.field(factory=list)

    def differ(self, where: str, what: str, peer: object, ours: object) -> None:
        """Note a difference."""
        self.counts["differences"] += 1
        self.differences.append(f"{where}: {what}\n    genuine: {peer}\n    ours:    {ours}")


def outcome(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | str:
    """Return what a call gives, or what kind of error it raises.

    Which of several reasons refuses a claim is up to the server.
    """
    try:
        return call(*args, **kwargs)
    except ClaimRefused:
        return "ClaimRefused"
    except StateConflict as error:  # a refusal that the client cannot tell apart
        return f"StateConflict: {error.state}"
    except RemoteError as error:
        return f"failed: {error}"
    except ComputekitError as error:
        return type(error).__name__


def build(service: PlacementService, what: Topology) -> None:
    """Write a topology."""
    for row in what.providers:
        service.create_provider(row.id, row.name, row.parent)
        at = 0
        if row.inventories:
            at = service.set_inventories(row.id, at, row.inventories)
        if row.traits:
            at = service.set_traits(row.id, at, row.traits)
        if row.aggregates:
            service.set_aggregates(row.id, at, row.aggregates)
    for allocation in what.allocations:
        outcome(service.claim, allocation)


def clear(service: PlacementService) -> None:
    """Remove everything but names."""
    nodes = service.providers()
    for node in nodes:
        for allocation in service.allocations(node.id):
            service.release(allocation.consumer.id)
    left = {node.id: node.parent for node in nodes}
    while left:
        for leaf in [one for one in left if one not in set(left.values())]:
            service.delete_provider(leaf)
            del left[leaf]


class Forest:
    """What a server holds, read when a reference needs it.

    Args:
        service: of the server.
        known: which providers it has.
    """

    def __init__(self, service: PlacementService, known: Topology) -> None:
        self._service = service
        self._known = known
        self._uses: tuple[ProviderUse, ...] | None = None

    def written(self) -> None:
        """Take note that what was read may have changed."""
        self._uses = None

    @property
    def uses(self) -> tuple[ProviderUse, ...]:
        """Every provider as it is now."""
        if self._uses is None:
            self._uses = tuple(self._service.provider(row.id) for row in self._known.providers)
        return self._uses


def excuse(
    where: str,
    defect: str,
    asked: PlacementRequest,
    ours: CandidatePage,
    forest: Forest,
    to: Tally,
) -> None:
    """Count a defect of the peer, if what ours answers in its place is right."""
    to.counts[f"defect of the peer: {defect}"] += 1
    for fault in unlike_reference(forest.uses, asked, ours):
        to.counts["answers of ours unlike the reference"] += 1
        to.differences.append(f"{where}: {fault}\n    {asked}")


def compare_question(
    where: str,
    asked: PlacementRequest,
    both: list[PlacementService],
    forest: Forest,
    to: Tally,
) -> None:
    """Put a question to both."""
    peer, ours = (outcome(service.candidates, asked) for service in both)
    to.counts["questions"] += 1
    if isinstance(ours, CandidatePage):
        to.counts["candidates"] += len(ours.candidates)
        for fault in broken_invariants(asked, ours):
            to.counts["broken invariants of ours"] += 1
            to.differences.append(f"{where}: {fault}\n    {asked}")
    if not isinstance(peer, CandidatePage) or not isinstance(ours, CandidatePage):
        failure = known_failure(asked, peer) if isinstance(peer, str) else None
        if failure is not None and isinstance(ours, CandidatePage):
            excuse(where, failure, asked, ours, forest, to)
        elif peer != ours:
            to.differ(where, str(asked), peer, ours)
        return
    if broken_invariants(asked, peer):
        to.counts["broken invariants of genuine"] += 1
    mine, theirs = {shown(c) for c in ours.candidates}, {shown(c) for c in peer.candidates}
    if mine == theirs and peer.providers == ours.providers:
        return
    defect = known_defect(asked, peer, ours)
    if defect is not None:
        excuse(where, defect, asked, ours, forest, to)
    else:
        more, less = sorted(map(str, theirs - mine)), sorted(map(str, mine - theirs))
        summaries = "" if peer.providers == ours.providers else "; summaries differ"
        to.differ(where, f"{asked}{summaries}", f"only there: {more}", f"only here: {less}")


def compare_state(where: str, known: Topology, both: list[PlacementService], to: Tally) -> bool:
    """Return whether both hold the same of all that the case has named."""
    same = True
    for row in known.providers:
        uses = [outcome(service.provider, row.id) for service in both]
        held = [outcome(service.allocations, row.id) for service in both]
        for peer, ours in (uses, held):
            if peer != ours:
                same = False
                to.differ(where, f"state of {row.name}", peer, ours)
    return same


def run_case(
    seed: int,
    number: int,
    options: argparse.Namespace,
    both: list[PlacementService],
    to: Tally,
) -> None:
    """Make up a case, and compare."""
    source = random.Random(f"{seed}/{number}")
    known = topology(source)
    to.counts["cases"] += 1
    to.counts["providers"] += len(known.providers)
    for service in both:
        clear(service)
        build(service, known)
    where = f"seed {seed}, case {number}"
    if not compare_state(f"{where}, at the beginning", known, both, to):
        return
    forest = Forest(both[0], known)
    for at in range(options.questions):
        compare_question(f"{where}, question {at}", question(source, known), both, forest, to)
    stream = writes(source, known, both[1])
    for at, write in enumerate(islice(stream, options.writes)):
        to.counts["writes"] += 1
        peer, ours = (outcome(write.call, service) for service in both)
        forest.written()
        here = f"{where}, write {at}"
        if peer != ours:
            to.differ(here, write.words, peer, ours)
            return  # what follows would differ too
        to.counts[f"writes: {'done' if not isinstance(ours, str) else ours}"] += 1
        if at % 5 == 4 and not compare_state(f"{here}: {write.words}", known, both, to):
            return
        compare_question(f"{here}, question after", question(source, known), both, forest, to)
    compare_state(f"{where}, at the end", known, both, to)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.parity.differential")
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--questions", type=int, default=60, help="of each case")
    parser.add_argument("--writes", type=int, default=30, help="of each case")
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--case", type=int, help="only this one")
    options = parser.parse_args(arguments)
    peers.make("placement")
    to = Tally()
    with (
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory,
        servers.genuine(Path(directory) / "genuine") as genuine,
        servers.ours(Path(directory) / "ours") as ours,
        genuine.placement() as one,
        ours.placement() as other,
    ):
        cases = range(options.cases) if options.case is None else [options.case]
        for seed in range(options.seed, options.seed + options.seeds):
            for number in cases:
                run_case(seed, number, options, [one, other], to)
    for difference in to.differences:
        print(difference)
    for name, count in sorted(to.counts.items()):
        print(f"{count:8} {name}")
    for defect, words in DEFECTS.items():
        print(f"known of the peer: {defect}: {words}")
    return 1 if to.differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
