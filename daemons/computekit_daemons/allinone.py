"""`computekit-allinone`: one process, one state directory, one machine's guests."""

import random
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Never

import attrs
import click

from computekit import __version__
from computekit.agent import Agent, HostLock, Hypervisor, InventoryRules
from computekit.compute import (
    Services,
    Upkeep,
    UpkeepRules,
    admit_host,
    mark_absent,
    operation_kinds,
)
from computekit.errors import ComputekitError
from computekit.ids import HostName
from computekit.journal import OperationKind, run_operations
from computekit.runtime import Runtime
from computekit.scheduler import Policy
from computekit.units import Seconds, days_to_seconds
from computekit_daemons.allinone_http import AUTHS, Front, serving
from computekit_daemons.given_out import given_out, given_out_options, with_placing
from computekit_daemons.hypervisors import fake_hypervisors, libvirt_hypervisor
from computekit_daemons.logs import log_to_stderr
from computekit_daemons.rules import STANDARD_POLICY, policy_of, rule_options
from computekit_daemons.state import Wired, make_private, open_state

__all__ = ["AllInOne", "main"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _announce(url: str) -> None:
    _say(f"ready {url}")


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
        rules: what it does by itself, how often, and how much.
        policy: where instances go.
        inventory: how much of each host is given out.
        front: where and for whom HTTP is answered; None: nowhere.
    """

    state: Path
    libvirt: str | None = None
    fake: int = 0
    host: str = "localhost"
    virt_type: str = "auto"
    workers: int = 4
    kinds: Callable[[Services], tuple[OperationKind[Never], ...]] = operation_kinds
    rules: UpkeepRules = attrs.field(factory=UpkeepRules)
    policy: Policy = STANDARD_POLICY
    inventory: InventoryRules = attrs.field(factory=InventoryRules)
    front: Front | None = None

    def serve(self, stop: threading.Event, ready: Callable[[str], None] = _announce) -> None:
        """Run until `stop` is set; guests go on after that.

        Args:
            stop: ends it.
            ready: called once operations are carried out and requests answered, with the URL to
                ask at, or else with that of the state directory.

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
            wired = open_state(self.state, runtime, source, self.policy)
            stack.callback(wired.store.close)
            services = wired.services
            with self._hypervisors(wired, runtime) as hypervisors:
                upkeep = Upkeep(services, source, self.rules)
                for name, hypervisor in hypervisors:
                    directory = wired.state.host(name)
                    agent = Agent(name, hypervisor, wired.images, directory, runtime.clock, source)
                    stack.callback(agent.close)
                    wired.wire.attach(name, agent.handle)
                    hypervisor.subscribe(upkeep.hear)
                    facts = hypervisor.facts()
                    admit_host(services, facts, agent.incarnation, self.inventory)
                mark_absent(services, frozenset(name for name, _ in hypervisors))
                run_operations(
                    runtime,
                    wired.store,
                    services.journal,
                    self.kinds(services),
                    clock=runtime.clock,
                    source=source,
                    name="allinone",
                    workers=self.workers,
                )
                upkeep.run(runtime)
                url = wired.state.path.as_uri()
                if self.front is not None:
                    url = stack.enter_context(serving(wired, self.front, runtime))
                ready(url)
                if self.front is not None:
                    _say(f"clouds.yaml {wired.state.path / 'clouds.yaml'}")
                stop.wait()
                runtime.drain(Seconds(30.0))

    @contextmanager
    def _hypervisors(
        self, wired: Wired, runtime: Runtime
    ) -> Iterator[list[tuple[HostName, Hypervisor]]]:
        if self.fake:
            found = fake_hypervisors(wired.state, self.fake, runtime.clock)
        else:
            name = HostName(self.host)
            hypervisor = libvirt_hypervisor(
                wired.state, name, self.libvirt, self.virt_type, runtime
            )
            found = [(name, hypervisor)]
        try:
            yield found
        finally:
            for _, hypervisor in found:
                hypervisor.close()


def _address(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[str, int] | None:
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) < 65536):
        raise click.BadParameter(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="COMPUTEKIT_STATE",
    help="Directory that holds everything: database, images, guests' disks.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=_address,
    help="Where the APIs answer; port 0 takes a free one. Without it, none does.",
)
@click.option(
    "--auth",
    type=click.Choice(AUTHS),
    default="none",
    help="How callers of the APIs are recognised; none believes everybody on this machine.",
)
@click.option(
    "--keystone-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of --auth keystone: an INI file.",
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
@click.option(
    "--retention-days",
    type=click.FloatRange(0.0),
    default=7.0,
    help="How long deleted instances and their operations are kept.",
)
@rule_options
@given_out_options
@click.option("--verbose", is_flag=True, help="Log more.")
@click.version_option(__version__)
def main(
    state: Path,
    listen: tuple[str, int] | None,
    auth: str,
    keystone_config: Path | None,
    libvirt: str | None,
    fake: int,
    host_name: str,
    virt_type: str,
    workers: int,
    retention_days: float,
    filters: tuple[str, ...],
    weighers: tuple[str, ...],
    dedicated_cpus: str | None,
    shared_cpus: str | None,
    prefilters: tuple[str, ...],
    default_zone: str,
    verbose: bool,
) -> None:
    """Run placement, scheduler, operations and an agent in one process.

    Prints "ready URL" once operations are carried out, and with --listen the path of the
    clouds.yaml for clients. SIGTERM or SIGINT ends it; guests go on, and operations go on with the
    next start.
    """
    if libvirt and fake:
        raise click.UsageError("--libvirt and --fake exclude each other")
    if listen and auth == "none" and listen[0] not in LOOPBACK:
        raise click.UsageError("say --auth where others than this machine can reach it")
    if auth == "keystone" and keystone_config is None:
        raise click.UsageError("--auth keystone needs --keystone-config")
    front = Front(*listen, auth, verbose, keystone=keystone_config) if listen else None
    log_to_stderr(verbose=verbose)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    rules = UpkeepRules(retention_s=days_to_seconds(retention_days))
    try:
        policy = with_placing(policy_of(filters, weighers), prefilters, default_zone)
        service = AllInOne(
            state,
            libvirt,
            fake,
            host_name,
            virt_type,
            workers,
            rules=rules,
            policy=policy,
            inventory=given_out(dedicated_cpus, shared_cpus),
            front=front,
        )
        service.serve(stop)
    except ComputekitError as error:
        raise click.ClickException(f"{error.message} [{error.code}]") from error
    except OSError as error:  # a path that the system does not take
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
