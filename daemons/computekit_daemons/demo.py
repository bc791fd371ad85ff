"""`computekit demo`: schedule, boot, stop, reboot and delete real guests, and show why."""

import random
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import attrs
import click
from rich.console import Console

from computekit import __version__, compute
from computekit.cli import STANDARD_FLAVORS
from computekit.clock import Clock, Deadline, SystemClock
from computekit.errors import DeadlineExceeded, NoValidHost
from computekit.ids import ImageId
from computekit.journal import Operation
from computekit.model import Flavor, Instance
from computekit.runtime import Runtime
from computekit.units import Mib, Seconds
from computekit_daemons.commands import PROJECT, USER, console_text, wait_for
from computekit_daemons.demo_host import DemoHost, FakeHost
from computekit_daemons.state import Wired, open_state
from computekit_daemons.views import host_text, hosts_table, instances_table

__all__ = ["demo"]

BOOT_S = Seconds(120.0)
OPERATION_S = 300.0
READY_S = Seconds(60.0)
END_S = 30.0


@click.command()
@click.option("--keep", is_flag=True, help="Leave the instances and all that runs them.")
@click.option("--simulated", is_flag=True, help="Fake hosts; needs no libvirt and no QEMU.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="State directory [default: a new one].",
)
def demo(keep: bool, simulated: bool, state: Path | None) -> None:
    """Boot three guests on this machine, show what was decided and why, and clean up."""
    if state is not None and state.exists() and any(state.iterdir()):
        raise click.ClickException(f"{state} is not empty; the demo takes a directory of its own")
    directory = state or Path(tempfile.mkdtemp(prefix="computekit-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    host = FakeHost() if simulated else _real_host(directory)
    with ExitStack() as stack:
        if not keep:
            stack.callback(shutil.rmtree, directory)
        run = _Run(Console(highlight=False, soft_wrap=True), SystemClock(), directory, host)
        run.whole(stack, keep)


def _real_host(directory: Path) -> DemoHost:
    from computekit_daemons.demo_libvirt import LibvirtHost

    return LibvirtHost(directory)


@attrs.frozen
class _Run:
    out: Console
    clock: Clock
    directory: Path
    host: DemoHost

    def whole(self, stack: ExitStack, keep: bool) -> None:
        began_s = self.clock.monotonic_s()
        self.say(f"computekit {__version__} on {self.host.title()}")
        self.title("What guests boot")
        guest = self.host.guest(self.tell)
        self.title("The host")
        if not keep:
            stack.callback(self.host.stop)
        process = self.start_daemon(stack, keep)
        runtime = Runtime(self.clock)
        stack.callback(runtime.drain, Seconds(5.0))
        wired = open_state(self.directory, runtime, random.SystemRandom())
        stack.callback(wired.store.close)
        hosts, uses = wired.services.hosts.hosts(), wired.services.placement.uses()
        if len(hosts) > 1:
            self.say(hosts_table(hosts, uses).text() + f"\n\nThe first of {len(hosts)}:\n")
        self.say(host_text(hosts[0], uses))
        image = self.host.register(wired.images, guest)
        self.title("Three instances")
        created = self.create(wired, image)
        self.wait_for_boots(wired, created, 1)
        self.show(wired)
        self.title("One that cannot fit")
        self.refuse(wired, image, created)
        self.title("Stop, start, reboot")
        self.power(wired, created[0])
        if keep:
            self.kept(process)
            return
        self.title("Delete")
        self.delete(wired, created)
        self.check_clean(wired)
        took_s = self.clock.monotonic_s() - began_s
        self.say(f"\nDone in {took_s:.0f} s.")

    def title(self, text: str) -> None:
        self.out.print(f"\n== {text}", style="bold")

    def say(self, text: str) -> None:
        self.out.print(text, markup=False)

    def tell(self, text: str) -> None:
        self.out.print(f"   {text}", markup=False, style="dim")

    def timed(self, what: str, do: Callable[[], object]) -> None:
        began_s = self.clock.monotonic_s()
        do()
        self.say(f"   {what:<58} {self.clock.monotonic_s() - began_s:6.1f} s")

    def start_daemon(self, stack: ExitStack, keep: bool) -> "subprocess.Popen[str]":
        log = self.directory / "allinone.log"
        command = [sys.executable, "-m", "computekit_daemons.allinone"]
        command += ["--state", str(self.directory), *self.host.arguments()]
        with log.open("w") as file:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=file, text=True, start_new_session=True
            )
        assert process.stdout is not None
        if not keep:
            stack.callback(self.end_daemon, process)
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            ready = process.stdout.readline().strip() if waiting.select(READY_S) else ""
        if not ready.startswith("ready"):
            self.end_daemon(process)
            tail = "".join(log.read_text().splitlines(keepends=True)[-20:])
            raise click.ClickException(f"the all-in-one did not start:\n{tail}")
        self.tell(f"all-in-one {process.pid} is {ready}")
        return process

    def end_daemon(self, process: "subprocess.Popen[str]") -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_S)

    def create(self, wired: Wired, image: ImageId) -> list[Instance]:
        flavors = {flavor.name: flavor for flavor in STANDARD_FLAVORS}
        created: list[Instance] = []
        for name, flavor in (("web-1", "nano"), ("web-2", "nano"), ("db-1", "tiny")):

            def build(name: str = name, flavor: Flavor = flavors[flavor]) -> None:
                instance, operation = compute.create(
                    wired.services,
                    name=name,
                    flavor=flavor,
                    image=image,
                    project=PROJECT,
                    user=USER,
                )
                wait_for(wired, operation.id, OPERATION_S)
                created.append(instance)

            self.timed(f"create {name} ({flavor})", build)
        return created

    def wait_for_boots(self, wired: Wired, instances: list[Instance], boots: int) -> None:
        for instance in instances:
            deadline = Deadline(self.clock, BOOT_S)
            line = f"BOOTED {instance.name}"
            while console_text(wired, instance.id, 1 << 20, OPERATION_S).count(line) < boots:
                if deadline.passed:
                    raise DeadlineExceeded(f"the boot of {instance.name}", BOOT_S)
                self.clock.sleep(Seconds(0.2))
            self.say(f"   its serial console says: {line}")

    def show(self, wired: Wired) -> None:
        rows = wired.services.instances.instances()
        self.say(instances_table(rows, {}).text(width=120))

    def refuse(self, wired: Wired, image: ImageId, created: list[Instance]) -> None:
        largest = max(host.facts.memory_mib for host in wired.services.hosts.hosts())
        flavor = attrs.evolve(
            STANDARD_FLAVORS[0], name="too-large", vcpus=2, memory_mib=Mib(largest * 2)
        )
        instance, operation = compute.create(
            wired.services, name="db-2", flavor=flavor, image=image, project=PROJECT, user=USER
        )
        created.append(instance)
        try:
            wait_for(wired, operation.id, OPERATION_S)
        except NoValidHost as refusal:
            self.say(refusal.explanation)
        else:
            raise click.ClickException("an instance was placed that cannot fit")

    def power(self, wired: Wired, instance: Instance) -> None:
        services = wired.services

        def done(operation: Operation) -> None:
            wait_for(wired, operation.id, OPERATION_S)

        self.timed("stop (its guest powers off)", lambda: done(compute.stop(services, instance.id)))
        self.timed("start", lambda: done(compute.start(services, instance.id)))
        self.wait_for_boots(wired, [instance], 2)
        self.timed("reboot, soft", lambda: done(compute.reboot(services, instance.id)))
        self.wait_for_boots(wired, [instance], 3)
        self.timed("reboot, hard", lambda: done(compute.reboot(services, instance.id, hard=True)))
        self.wait_for_boots(wired, [instance], 4)

    def delete(self, wired: Wired, created: list[Instance]) -> None:
        for instance in created:
            self.timed(f"delete {instance.name}", partial(_delete, wired, instance))

    def check_clean(self, wired: Wired) -> None:
        found = self.host.audit(wired)
        self.say(
            f"   left: {found.instances} instances, {found.domains} domains, "
            f"{found.files} files of instances, {found.allocations} allocations"
        )
        if found.discrepancies or not found.empty:
            raise click.ClickException(f"something was left behind: {found.discrepancies}")

    def kept(self, process: "subprocess.Popen[str]") -> None:
        self.say(
            f"\nKept. The all-in-one is process {process.pid}; look around with\n"
            f"   export COMPUTEKIT_STATE={self.directory}\n"
            "   computekit list; computekit hosts --tree; computekit console web-1\n"
            "and end it all with\n"
            "   computekit down --destroy-guests --remove"
        )


def _delete(wired: Wired, instance: Instance) -> None:
    wait_for(wired, compute.delete(wired.services, instance.id).id, OPERATION_S)
