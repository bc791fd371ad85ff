"""What every `HostWriter` keeps, as tests to subclass."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import attrs
import pytest

from computekit.ids import HostName, ProviderId
from computekit.model import HostCell, HostFacts
from computekit.scheduler.hosts import HOST_CHANGED, Host, HostWriter
from computekit.units import Gib, Mib, Seconds
from computekit.work import Change, Store, Tx

__all__ = ["HostBench", "HostLaws", "example_host"]


@attrs.frozen
class HostBench:
    """An empty implementation and the store that it writes in."""

    store: Store
    hosts: HostWriter


def example_host(name: str, *, incarnation: str = "") -> Host:
    """Return a small host with all kinds of facts."""
    cell = HostCell(
        id=0,
        memory_mib=Mib(4096),
        cpus=frozenset({0, 1}),
        siblings=frozenset({frozenset({0, 1})}),
        page_sizes_kib=((4, 1_048_576), (2048, 0)),
    )
    facts = HostFacts(
        name=HostName(name),
        arch="x86_64",
        cpus=2,
        memory_mib=Mib(4096),
        disk_gib=Gib(20),
        cells=(cell,),
        hypervisor="fake",
        hypervisor_version=1_000_000,
        library_version=0,
        virt_type="qemu",
        machine_types=frozenset({"pc", "q35"}),
        uefi=False,
    )
    return Host(HostName(name), ProviderId(f"root-of-{name}"), facts, incarnation=incarnation)


class HostLaws(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[HostBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[HostBench]:
        with self.open(tmp_path) as bench:
            yield bench

    def test_a_host_is_read_as_it_was_written(self, bench: HostBench) -> None:
        plain = example_host("plain")
        full = attrs.evolve(
            example_host("full"),
            zone="z\u00fcrich",
            disabled="broken fan",
            up=False,
            incarnation="7",
            seen_s=Seconds(12.5),
        )
        bench.store.write(lambda tx: bench.hosts.put_host(tx, plain))
        bench.store.write(lambda tx: bench.hosts.put_host(tx, full))
        assert bench.hosts.host(plain.name) == plain
        assert bench.hosts.host(full.name) == full
        assert bench.hosts.hosts() == (full, plain)
        assert bench.hosts.hosts(frozenset({plain.name, HostName("other")})) == (plain,)
        assert bench.hosts.hosts(frozenset()) == ()
        assert bench.hosts.host(HostName("other")) is None

    def test_a_host_is_replaced(self, bench: HostBench) -> None:
        host = example_host("h")
        moved = attrs.evolve(
            host, provider=ProviderId("p2"), facts=attrs.evolve(host.facts, cpus=8), zone="z"
        )
        bench.store.write(lambda tx: bench.hosts.put_host(tx, host))
        bench.store.write(lambda tx: bench.hosts.put_host(tx, moved))
        assert bench.hosts.hosts() == (moved,)

    def test_replicas_hear_of_differences_only(self, bench: HostBench) -> None:
        host = example_host("h")
        start = bench.store.head()
        bench.store.write(lambda tx: bench.hosts.put_host(tx, host))
        written = bench.store.head()
        assert written == start + 1
        bench.store.write(lambda tx: bench.hosts.put_host(tx, host))
        bench.store.write(lambda tx: bench.hosts.delete_host(tx, HostName("other")))
        assert bench.store.head() == written
        bench.store.write(lambda tx: bench.hosts.put_host(tx, attrs.evolve(host, up=False)))
        bench.store.write(lambda tx: bench.hosts.delete_host(tx, host.name))
        news = bench.store.changes(start)
        assert news is not None
        assert news.head == written + 2
        assert news.changes == {Change(HOST_CHANGED, "h")}
        assert bench.hosts.hosts() == ()

    def test_many_hosts_are_asked_for_at_once(self, bench: HostBench) -> None:
        hosts = tuple(example_host(f"h{n:05}") for n in range(1200))

        def put_all(tx: Tx) -> None:
            for host in hosts:
                bench.hosts.put_host(tx, host)

        bench.store.write(put_all)
        names = frozenset(host.name for host in hosts)
        assert bench.hosts.hosts(names) == hosts
        assert bench.hosts.hosts() == hosts
