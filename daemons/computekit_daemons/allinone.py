"""`computekit-allinone`: one process, one state directory, one machine's guests."""

import logging
import random
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Never

import attrs
import click

from computekit import __version__
from computekit.agent import Agent, HostLock, Hypervisor
from computekit.compute import (
    Services,
    admit_host,
    audit,
    mark_absent,
    observe,
    operation_kinds,
)
from computekit.errors import ComputekitError, Overloaded
from computekit.ids import ExecutorId, HostName
from computekit.journal import OperationKind, Runner
from computekit.runtime import Runtime
from computekit.units import Seconds
from computekit.virt import DomainEvent, DomainEventKind
from computekit_daemons.hypervisors import fake_hypervisors, libvirt_hypervisor
from computekit_daemons.logs import log_to_stderr
from computekit_daemons.state import Wired, make_private, open_state

__all__ = ["AllInOne", "main"]

_log = logging.getLogger(__name__)

LEASE_S = Seconds(3600.0)
"""Longer than any host call. A restart does not wait for it: the new process adopts."""

LOOK_S = Seconds(30.0)
"""How often hosts are asked for what no event has told."""

_TELLING = {DomainEventKind.STARTED, DomainEventKind.STOPPED, DomainEventKind.LOST}


def _announce(url: str) -> None:
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()


def look_around(services: Services) -> Seconds:
    """Look at every instance on which a host and the books do not agree; return when again."""
    for found in audit(services).discrepancies:
        _log.warning("host %s, instance %s: %s", found.host, found.instance, found.what)
        observe(services, found.instance)
    return LOOK_S


def _look_later(error: Exception) -> Seconds:
    _log.warning("hosts cannot be looked at now: %s", error)
    return LOOK_S


@attrs.frozen
class AllInOne:
    """What one all-in-one runs with.

    Attributes:
        state: the state directory.
        libvirt: URI of a libvirtd; None: a private one in the state directory.
        fake: number of fake hosts; 0: libvirt.
        host: name of the libvirt host.
        virt_type: `kvm`, `qemu`, or `auto`.
        workers: operations that are worked on at the same time.
        kinds: the kinds of operations that it carries out.
    """

    state: Path
    libvirt: str | None = None
    fake: int = 0
    host: str = "localhost"
    virt_type: str = "auto"
    workers: int = 4
    kinds: Callable[[Services], tuple[OperationKind[Never], ...]] = operation_kinds

    def serve(self, stop: threading.Event, ready: Callable[[str], None] = _announce) -> None:
        """Run until `stop` is set; guests go on after that.

        Args:
            stop: ends it.
            ready: called with the state directory's URL once operations are carried out.

        Raises:
            InUse: another all-in-one has the state directory.
            ComputekitError: the store or the hypervisor cannot be used.
        """
        runtime = Runtime()
        source = random.SystemRandom()
        with ExitStack() as stack:
            make_private(self.state, open_to_qemu=self.libvirt is not None)
            lock = HostLock(self.state)
            stack.callback(lock.release)
            stack.callback(runtime.drain, Seconds(30.0))
            wired = open_state(self.state, runtime, source)
            stack.callback(wired.store.close)
            with self._hypervisors(wired, runtime) as hypervisors:
                agents = [
                    self._admit(wired, runtime, HostName(name), hypervisor, source)
                    for name, hypervisor in hypervisors
                ]
                for agent in agents:
                    stack.callback(agent.close)
                mark_absent(wired.services, frozenset(agent.host for agent in agents))
                self._run_operations(wired, runtime, source)
                runtime.loop("look", lambda: look_around(wired.services), _look_later)
                ready(wired.state.path.as_uri())
                stop.wait()
                runtime.drain(Seconds(30.0))

    @contextmanager
    def _hypervisors(
        self, wired: Wired, runtime: Runtime
    ) -> Iterator[list[tuple[str, Hypervisor]]]:
        if self.fake:
            found = fake_hypervisors(wired.state, self.fake, runtime.clock)
        else:
            found = [
                (
                    self.host,
                    libvirt_hypervisor(
                        wired.state, HostName(self.host), self.libvirt, self.virt_type, runtime
                    ),
                )
            ]
        try:
            yield found
        finally:
            for _, hypervisor in found:
                hypervisor.close()

    def _admit(
        self,
        wired: Wired,
        runtime: Runtime,
        name: HostName,
        hypervisor: Hypervisor,
        source: random.Random,
    ) -> Agent:
        services = wired.services
        directory = wired.state.host(name)
        agent = Agent(name, hypervisor, wired.images, directory, runtime.clock, source)
        wired.wire.attach(name, agent.handle)
        events = runtime.pool(f"events-{name}", 1, 1024)

        def look(event: DomainEvent) -> None:
            try:
                observe(services, event.instance)
            except ComputekitError as error:  # the next look at the whole host finds it
                _log.warning("event of instance %s is put off: %s", event.instance, error)

        def heard(event: DomainEvent) -> None:
            if event.kind in _TELLING:
                with suppress(Overloaded):
                    events.submit(lambda: look(event))

        hypervisor.subscribe(heard)
        admit_host(services, hypervisor.facts(), agent.incarnation)
        return agent

    def _run_operations(self, wired: Wired, runtime: Runtime, source: random.Random) -> None:
        services = wired.services
        services.store.write(services.journal.adopt)
        kinds = self.kinds(services)
        for number in range(self.workers):
            runner = Runner(
                services.store,
                services.journal,
                kinds,
                clock=runtime.clock,
                source=source,
                executor=ExecutorId(f"allinone-{number}"),
                lease_s=LEASE_S,
            )
            runner.run(runtime, Seconds(0.1))


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="COMPUTEKIT_STATE",
    help="Directory that holds everything: database, images, guests' disks.",
)
@click.option("--libvirt", metavar="URI", help="A libvirtd [default: a private one under --state].")
@click.option("--fake", metavar="HOSTS", type=click.IntRange(0), default=0, help="Fake hosts.")
@click.option("--host-name", default=socket.gethostname, help="Name of the libvirt host.")
@click.option(
    "--virt-type",
    type=click.Choice(["auto", "kvm", "qemu"]),
    default="auto",
    help="How guests are run; auto tries KVM and takes emulation where it does not work.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=4, help="Operations at the same time."
)
@click.option("--verbose", is_flag=True, help="Log more.")
@click.version_option(__version__)
def main(
    state: Path,
    libvirt: str | None,
    fake: int,
    host_name: str,
    virt_type: str,
    workers: int,
    verbose: bool,
) -> None:
    """Run placement, scheduler, operations and an agent in one process.

    Prints "ready URL" once operations are carried out. SIGTERM or SIGINT ends it; guests go on,
    and operations go on with the next start.
    """
    if libvirt and fake:
        raise click.UsageError("--libvirt and --fake exclude each other")
    log_to_stderr(verbose=verbose)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service = AllInOne(state, libvirt, fake, host_name, virt_type, workers)
    try:
        service.serve(stop)
    except ComputekitError as error:
        raise click.ClickException(f"{error.message} [{error.code}]") from error
    except OSError as error:  # a path that the system does not take
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
