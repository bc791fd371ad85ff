"""Kill the all-in-one at every step of every operation, and see that nothing is lost.

    python -m tests.real.kills --runs 60 --seed 7

Each run brings an instance into the state that an operation needs, lets an all-in-one of its own
process die by SIGKILL at a chosen point of that operation, starts another one, waits for the end
of the operation and holds the books against the host. The points are every step's `do` and every
`undo`, before and after its effect, then random moments; so that there is something to undo, the
last step that can turn fails. The hypervisor is a private libvirtd with real QEMU
guests; `--fake` takes a fake host. With `--libvirtd` it is libvirtd that is killed, at random
moments, under an all-in-one that goes on; with `--stopped 75` it is stopped for so many seconds,
under several operations at the same time.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Never, TypeVar

import attrs

from computekit import compute
from computekit.clock import Deadline, SystemClock
from computekit.compute import Services, operation_kinds
from computekit.errors import HypervisorUnavailable, Unsupported
from computekit.ids import ImageId
from computekit.journal import (
    Context,
    Done,
    Fail,
    Operation,
    OperationKind,
    OperationState,
    Outcome,
)
from computekit.model import Instance
from computekit.runtime import Runtime
from computekit.units import Seconds
from computekit_daemons.allinone import AllInOne
from computekit_daemons.commands import PROJECT, USER
from computekit_daemons.demo_host import DemoHost, FakeHost
from computekit_daemons.state import Wired, open_state

R = TypeVar("R")

END_S = Seconds(120.0)
CLOCK = SystemClock()


@attrs.frozen
class Point:
    """Where to die.

    Attributes:
        kind: name of the operation's kind.
        step: name of the step.
        way: `do` or `undo`.
        after: whether its effect is had before.
    """

    kind: str
    step: str
    way: str
    after: bool

    def __str__(self) -> str:
        return f"{self.kind}:{self.step}:{self.way}:{'after' if self.after else 'before'}"

    @classmethod
    def parse(cls, text: str) -> "Point":
        kind, step, way, when = text.split(":")
        return cls(kind, step, way, when == "after")


def deadly(point: Point) -> Callable[[Services], tuple[OperationKind[Never], ...]]:
    """Return the kinds of operations, of which one kills this process."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def killed(run: Callable[[Context[Never]], R]) -> Callable[[Context[Never]], R]:
        def deadly_run(ctx: Context[Never]) -> R:
            if not point.after:
                die()
            outcome = run(ctx)
            die()
            return outcome

        return deadly_run

    def failed(run: Callable[[Context[Never]], Outcome]) -> Callable[[Context[Never]], Outcome]:
        def failing_run(ctx: Context[Never]) -> Outcome:
            outcome = run(ctx)
            wanted = Unsupported("this", "it is to be undone")
            return Fail(wanted) if isinstance(outcome, Done) else outcome

        return failing_run

    def changed(kind: OperationKind[Never]) -> OperationKind[Never]:
        if kind.name != point.kind:
            return kind
        steps = list(kind.steps)
        if point.way == "undo":
            last = kind.no_return - 1
            steps[last] = attrs.evolve(steps[last], do=failed(steps[last].do))
        at = kind.index(point.step)
        undo = steps[at].undo
        if point.way == "do":
            steps[at] = attrs.evolve(steps[at], do=killed(steps[at].do))
        elif undo is not None:
            steps[at] = attrs.evolve(steps[at], undo=killed(undo))
        return attrs.evolve(kind, steps=tuple(steps))

    return lambda services: tuple(changed(kind) for kind in operation_kinds(services))


@attrs.frozen
class Bed:
    """A state directory with a host, and what is needed to run an all-in-one on it."""

    directory: Path
    host: DemoHost
    wired: Wired
    image: ImageId

    @property
    def services(self) -> Services:
        return self.wired.services

    @contextmanager
    def daemon(self, point: Point | None = None) -> Iterator["subprocess.Popen[str]"]:
        """Run an all-in-one, which dies at `point` or is killed at the end."""
        command = [sys.executable, "-m", "tests.real.kills", "--state", str(self.directory)]
        command += ["--arguments", *self.host.arguments()]
        if point is not None:
            command[3:3] = ["--at", str(point)]
        with (self.directory / "allinone.log").open("a") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            if not ready.startswith("ready") and point is None:
                raise RuntimeError(f"no all-in-one: see {self.directory / 'allinone.log'}")
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def end_of(self, operation: Operation) -> Operation:
        deadline = Deadline(CLOCK, END_S)
        while True:
            row = self.services.journal.operation(operation.id)
            assert row is not None
            if row.ended:
                return row
            if deadline.passed:
                raise TimeoutError(f"{operation.kind} has not ended: {row}")
            CLOCK.sleep(Seconds(0.05))

    def quiet(self) -> None:
        """Wait until nothing is under way, for a restart looks at each instance."""
        live = frozenset({OperationState.LIVE, OperationState.QUEUED})
        deadline = Deadline(CLOCK, END_S)
        while self.services.journal.operations(live):
            if deadline.passed:
                raise TimeoutError(str(self.services.journal.operations(live)))
            CLOCK.sleep(Seconds(0.05))

    def create(self) -> tuple[Instance, Operation]:
        from computekit.cli import STANDARD_FLAVORS

        return compute.create(
            self.services,
            name="victim",
            flavor=STANDARD_FLAVORS[0],
            image=self.image,
            project=PROJECT,
            user=USER,
        )

    def prepared(self, kind: str) -> Instance | None:
        """Return an instance that an operation of `kind` can work on; None for a create."""
        if kind == "instance.create":
            return None
        instance, operation = self.create()
        assert self.end_of(operation).state is OperationState.DONE
        if kind == "instance.start":
            self.end_of(compute.stop(self.services, instance.id, Seconds(0.0)))
        return self.services.existing(instance.id)

    def submit(self, kind: str, instance: Instance | None) -> Operation:
        services = self.services
        if instance is None:
            return self.create()[1]
        match kind:
            case "instance.delete":
                return compute.delete(services, instance.id)
            case "instance.start":
                return compute.start(services, instance.id)
            case "instance.stop":
                return compute.stop(services, instance.id, Seconds(1.0))
            case "instance.reboot":
                return compute.reboot(services, instance.id, grace_s=Seconds(1.0))
        raise ValueError(kind)

    def run(self, kind: str, point: Point | None, delay_s: Seconds) -> str:
        """Do one run and return a line about it; raises when something is wrong."""
        with self.daemon():
            instance = self.prepared(kind)
            self.quiet()
        operation = self.submit(kind, instance)
        with self.daemon(point) as process:
            if point is not None:
                process.wait(END_S)
                assert process.returncode == -signal.SIGKILL, process.returncode
            else:
                CLOCK.sleep(delay_s)
        died = self.services.journal.operation(operation.id)
        assert died is not None
        with self.daemon():
            ended = self.end_of(operation)
            self.quiet()
            if point is not None and point.way == "undo":
                assert ended.state is OperationState.UNDONE, ended
            self.check(operation, ended)
            for left in self.services.instances.instances():
                self.end_of(compute.delete(self.services, left.id))
            self.quiet()
            self.check(operation, ended, empty=True)
        where = str(point) if point else f"{kind} after {delay_s:.2f} s"
        way = f"{died.direction.value} {died.position}"
        return f"{where:<38} died in {way}, ended {ended.state.value}"

    def run_without_libvirtd(self, kind: str, kill: Callable[[], None], delay_s: Seconds) -> str:
        """Kill libvirtd under an operation; raises when something is wrong."""
        with self.daemon():
            instance = self.prepared(kind)
            self.quiet()
            operation = self.submit(kind, instance)
            CLOCK.sleep(delay_s)
            kill()
            ended = self.end_of(operation)
            self.quiet()
            self.check(operation, ended)
            for left in self.services.instances.instances():
                self.end_of(compute.delete(self.services, left.id))
            self.quiet()
            self.check(operation, ended, empty=True)
        return f"{kind}, libvirtd killed after {delay_s:.2f} s: ended {ended.state.value}"

    def check(self, operation: Operation, ended: Operation, *, empty: bool = False) -> None:
        found = audit_here(self)
        if found.discrepancies or (empty and not found.empty):
            raise AssertionError(f"after {operation.kind} ({ended.state.value}): {found}")


def audit_here(bed: Bed) -> compute.Audit:
    """Audit by asking the hypervisor itself, without an agent between, once it answers."""
    deadline = Deadline(CLOCK, END_S)
    while True:
        try:
            return bed.host.audit(bed.wired)
        except HypervisorUnavailable:
            if deadline.passed:
                raise
            CLOCK.sleep(Seconds(0.2))


def points() -> list[Point]:
    """Return every point at which an operation can be killed."""
    tested = ("create", "delete", "start", "stop", "reboot")
    with tempfile.TemporaryDirectory() as directory:
        runtime = Runtime()
        wired = open_state(Path(directory), runtime, random.Random(0))
        kinds = {kind.name: kind for kind in operation_kinds(wired.services)}
        wired.store.close()
        runtime.drain(Seconds(5.0))
    return [
        Point(name, step.name, way, after)
        for name in (f"instance.{word}" for word in tested)
        for step in kinds[name].steps
        for way in ("do", "undo")
        if way == "do" or step.undo is not None
        for after in (False, True)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fake", action="store_true")
    parser.add_argument("--libvirtd", action="store_true")
    parser.add_argument("--stopped", type=float, metavar="SECONDS")
    parser.add_argument("--at", type=Point.parse)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--arguments", nargs=argparse.REMAINDER, default=[])
    chosen = parser.parse_args()
    if chosen.state is not None:
        return serve(chosen.state, chosen.at, chosen.arguments)
    if chosen.stopped is not None:
        libvirtd_stopped(Seconds(chosen.stopped), say=print)
    elif chosen.libvirtd:
        libvirtd_runs(chosen.runs, chosen.seed, say=print)
    else:
        runs(chosen.runs, chosen.seed, fake=chosen.fake, say=print)
    return 0


def serve(state: Path, at: Point | None, arguments: list[str]) -> int:
    """Be an all-in-one that may die."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fake", type=int, default=0)
    parser.add_argument("--virt-type", default="qemu")
    told = parser.parse_args(arguments)
    AllInOne(
        state,
        fake=told.fake,
        host="here",
        virt_type=told.virt_type,
        kinds=operation_kinds if at is None else deadly(at),
    ).serve(threading.Event())
    return 0


def libvirt_host(directory: Path) -> DemoHost:
    """Return this machine; imported here, for fake hosts need no libvirt."""
    from computekit_daemons.demo_libvirt import LibvirtHost

    return LibvirtHost(directory)


@contextmanager
def bed(*, fake: bool) -> Iterator[Bed]:
    """Make a state directory with a host, and leave nothing of it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ck-")))
        host = FakeHost(1) if fake else libvirt_host(directory)
        guest = host.guest(lambda text: None)
        stack.callback(host.stop)
        runtime = Runtime()
        stack.callback(runtime.drain, Seconds(10.0))
        wired = open_state(directory, runtime, random.SystemRandom())
        stack.callback(wired.store.close)
        yield Bed(directory, host, wired, host.register(wired.images, guest))


def runs(count: int, seed: int, *, fake: bool, say: Callable[[str], None]) -> None:
    """Kill the all-in-one `count` times; raises at the first that leaves something wrong.

    Of few points, one is on the way back.
    """
    source = random.Random(seed)
    everywhere = points()
    source.shuffle(everywhere)
    everywhere.sort(key=lambda point: point.way == "do")
    everywhere[1:] = source.sample(everywhere[1:], len(everywhere) - 1)
    with bed(fake=fake) as made:
        for number in range(count):
            if number < len(everywhere):
                point: Point | None = everywhere[number]
                kind = everywhere[number].kind
            else:
                point, kind = None, source.choice(everywhere).kind
            line = made.run(kind, point, Seconds(source.uniform(0.0, 1.5)))
            say(f"{number + 1:>3}/{count} {line}")


def libvirtd_runs(count: int, seed: int, *, say: Callable[[str], None]) -> None:
    """Kill libvirtd `count` times; raises at the first that leaves something wrong."""
    from computekit.virt.libvirt import PrivateLibvirtd

    source = random.Random(seed)
    kinds = sorted({point.kind for point in points()})
    with bed(fake=False) as made:
        libvirtd = PrivateLibvirtd(made.wired.state.libvirt)

        def kill() -> None:
            pid = libvirtd.libvirtd_pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

        for number in range(count):
            kind = kinds[number % len(kinds)]
            line = made.run_without_libvirtd(kind, kill, Seconds(source.uniform(0.0, 1.0)))
            say(f"{number + 1:>3}/{count} {line}")


def libvirtd_stopped(stopped_s: Seconds, *, say: Callable[[str], None]) -> None:
    """Stop libvirtd for a while under one operation of each kind; raises if something is wrong."""
    from computekit.virt.libvirt import PrivateLibvirtd

    kinds = sorted({point.kind for point in points()})
    with bed(fake=False) as made:
        libvirtd = PrivateLibvirtd(made.wired.state.libvirt)
        with made.daemon() as daemon:
            instances = [(kind, made.prepared(kind)) for kind in kinds]
            made.quiet()
            pid = libvirtd.libvirtd_pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            began_s = CLOCK.monotonic_s()
            try:
                under_way = [made.submit(kind, instance) for kind, instance in instances]
                CLOCK.sleep(stopped_s)
            finally:
                os.kill(pid, signal.SIGCONT)
            ended = [made.end_of(operation) for operation in under_way]
            for row in ended:
                took_s = (row.ended_s or 0.0) - row.created_s
                say(f"{row.kind:<18} ended {row.state.value} after {took_s:.1f} s")
            made.quiet()
            assert daemon.poll() is None, "the all-in-one has ended"
            made.check(under_way[0], ended[0])
            for left in made.services.instances.instances():
                made.end_of(compute.delete(made.services, left.id))
            made.quiet()
            made.check(under_way[0], ended[0], empty=True)
            say(f"all agree {CLOCK.monotonic_s() - began_s:.1f} s after libvirtd was stopped")


if __name__ == "__main__":
    sys.exit(main())
