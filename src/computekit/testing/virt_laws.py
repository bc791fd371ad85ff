"""The laws of the hypervisor seam: what every driver must do, fake or real.

An implementation's test module subclasses `VirtLaws` and gives it a `bench` fixture::

    class TestMine(VirtLaws):
        @pytest.fixture
        def bench(self) -> Iterator[VirtBench]: ...
"""

from collections.abc import Iterator

import attrs
import pytest

from computekit.errors import (
    DomainExists,
    DomainNotFound,
    HostError,
    ImageRefused,
    InvalidInput,
    NotFound,
    StateConflict,
    StorageFull,
)
from computekit.guest import GuestFeature
from computekit.ids import InstanceId
from computekit.testing.virt_bench import BOOTABLE, DEAF, MISSING, SPOILT, VirtBench
from computekit.topology import GuestNode, GuestTopology, HostNode, PageStock
from computekit.units import Bytes, Kib, Mib, Seconds
from computekit.virt import (
    CacheLimits,
    DomainEvent,
    DomainEventKind,
    DomainMark,
    DomainState,
    DomainStatus,
)

__all__ = ["VirtLaws"]

_DISK_BYTES = Bytes(1 << 20)


class VirtLaws:
    """Every rule of `computekit.virt`, each as one test."""

    @pytest.fixture
    def bench(self) -> Iterator[VirtBench]:
        """Yield the bench; what it has made is gone afterwards."""
        raise pytest.UsageError("a suite of laws needs a bench")

    # The host

    def test_facts_are_those_of_a_host(self, bench: VirtBench) -> None:
        facts = bench.driver.facts()
        assert facts.cpus >= 1
        assert facts.memory_mib >= 64
        assert facts.cells
        assert facts.cpus == len(frozenset[int]().union(*(cell.cpus for cell in facts.cells)))
        assert facts.virt_type in {"kvm", "qemu"}
        assert "q35" in facts.machine_types

    def test_domains_lists_ours_with_their_marks(self, bench: VirtBench) -> None:
        assert bench.driver.domains() == ()
        off, runs = bench.prepared(), bench.running()
        states = {status.mark: status.state for status in bench.driver.domains()}
        assert states == {off.mark: DomainState.SHUTOFF, runs.mark: DomainState.RUNNING}

    # Definition

    def test_a_defined_domain_is_off_and_carries_its_mark(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        assert bench.status(spec) == DomainStatus(spec.mark, DomainState.SHUTOFF, None)

    def test_an_unknown_instance_has_no_status(self, bench: VirtBench) -> None:
        assert bench.driver.status(bench.spec().mark.instance) is None

    def test_define_twice_is_define(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        bench.driver.define(spec)
        assert bench.status(spec) == DomainStatus(spec.mark, DomainState.SHUTOFF, None)
        assert len(bench.driver.domains()) == 1

    def test_define_replaces_the_definition_of_a_domain_that_is_off(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        mark = attrs.evolve(spec.mark, epoch=7, operation=bench.operation())
        bench.driver.define(attrs.evolve(spec, mark=mark))
        assert bench.status(spec).mark == mark

    def test_define_over_a_running_domain_leaves_it_running(self, bench: VirtBench) -> None:
        spec = bench.running()
        before = bench.status(spec)
        renamed = attrs.evolve(spec, name="later")
        bench.driver.define(renamed)
        assert bench.status(spec) == before
        bench.driver.destroy(spec.mark.instance)
        bench.driver.start(spec.mark)
        bench.wait_for_line(renamed)

    def test_a_domain_of_others_is_never_replaced(self, bench: VirtBench) -> None:
        spec = bench.spec()
        bench.add_foreign_domain(spec.mark.instance, "stranger")
        with pytest.raises(DomainExists):
            bench.driver.define(spec)
        assert bench.foreign_names() == {"stranger"}

    def test_a_domain_of_others_is_never_touched(self, bench: VirtBench) -> None:
        instance = bench.spec().mark.instance
        bench.add_foreign_domain(instance, "stranger")
        assert bench.driver.status(instance) is None
        assert bench.driver.domains() == ()
        with pytest.raises(DomainNotFound):
            bench.driver.start(DomainMark(instance, 1, bench.operation()))
        with pytest.raises(DomainNotFound):
            bench.driver.shut_down(instance)
        bench.driver.destroy(instance)
        bench.driver.undefine(instance)
        assert bench.foreign_names() == {"stranger"}

    def test_a_machine_that_the_hypervisor_does_not_have_is_refused(self, bench: VirtBench) -> None:
        spec = bench.spec()
        odd = attrs.evolve(spec.guest, machine_type="pc-q35-99.0")
        with pytest.raises(HostError):
            bench.driver.define(attrs.evolve(spec, guest=odd))
        assert bench.driver.domains() == ()

    @pytest.mark.parametrize(
        "name",
        ["", "a\x00b", "a\nb", "a\x1b[31mb", "a\ud800b", "a\ufffe", "x" * 256],
        ids=["empty", "nul", "newline", "escape", "surrogate", "noncharacter", "long"],
    )
    def test_a_name_that_no_guest_can_be_told_is_refused(self, bench: VirtBench, name: str) -> None:
        spec = bench.spec(name)
        for call in (bench.driver.define, bench.driver.prepare):
            with pytest.raises(InvalidInput):
                call(spec)
        assert bench.driver.domains() == ()
        assert bench.driver.instances() == frozenset()

    def test_an_instance_id_that_is_no_uuid_is_refused(self, bench: VirtBench) -> None:
        spec = bench.spec()
        odd = attrs.evolve(spec, mark=attrs.evolve(spec.mark, instance=InstanceId("../../etc")))
        for call in (bench.driver.define, bench.driver.prepare):
            with pytest.raises(InvalidInput):
                call(odd)

    @pytest.mark.parametrize(
        "name",
        [
            "web",
            "gr\u00f6\u00dfe \u65e5\u672c",
            "</sysinfo><x a='1'>&amp;\"]]>",
            "a,sku=b,,c",
            "%s $HOME `x`",
        ],
        ids=["plain", "unicode", "xml", "comma", "shell"],
    )
    def test_a_guest_is_told_its_name_as_it_is(self, bench: VirtBench, name: str) -> None:
        bench.running(bench.spec(name))

    # CPUs and NUMA nodes

    def test_vcpus_run_where_it_was_promised(self, bench: VirtBench) -> None:
        nodes = (GuestNode(Mib(64), frozenset({0}), frozenset({1})),)
        spec = bench.running(bench.placed(GuestTopology(nodes)))
        assert spec.guest.cells is not None
        (node,) = spec.guest.cells.nodes
        assert bench.pins(spec) == (frozenset({node.pins.cpus[0]}), node.floats_on)

    def test_nodes_that_nobody_has_placed_are_refused(self, bench: VirtBench) -> None:
        spec = bench.placed(GuestTopology((GuestNode(Mib(64), frozenset({0})),)))
        lost = attrs.evolve(spec, guest=attrs.evolve(spec.guest, cells=None))
        for call in (bench.driver.define, bench.driver.prepare):
            with pytest.raises(InvalidInput):
                call(lost)
        assert bench.driver.domains() == ()

    def test_cpus_that_the_host_does_not_have_are_refused(self, bench: VirtBench) -> None:
        far = HostNode(0, frozenset({4000}), memory_mib=Mib(512))
        topology = GuestTopology((GuestNode(Mib(64), frozenset({0})),))
        spec = bench.placed(topology, far)
        with pytest.raises(HostError):
            bench.driver.start(bench.prepared(spec).mark)

    def test_pages_that_the_host_does_not_have_are_refused(self, bench: VirtBench) -> None:
        stock = PageStock(Kib(1_048_576), 1 << 20)
        host = attrs.evolve(
            HostNode(0, memory_mib=Mib(1 << 30)), shared=frozenset({0}), pages=(stock,)
        )
        nodes = (GuestNode(Mib(1 << 24), floating=frozenset({0})),)
        spec = bench.placed(GuestTopology(nodes, Kib(1_048_576)), host)
        with pytest.raises(HostError):
            bench.driver.start(bench.prepared(spec).mark)

    def test_a_feature_that_no_driver_knows_how_to_give_is_refused(self, bench: VirtBench) -> None:
        spec = bench.spec()
        guest = attrs.evolve(spec.guest, features=frozenset({GuestFeature.SECURE_BOOT}))
        with pytest.raises(HostError):
            bench.driver.define(attrs.evolve(spec, guest=guest))
        assert bench.driver.domains() == ()

    # Power

    def test_start_runs_the_domain_and_writes_the_mark(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        mark = attrs.evolve(spec.mark, epoch=2, operation=bench.operation())
        bench.driver.start(mark)
        status = bench.status(spec)
        assert status.mark == mark
        assert status.state is DomainState.RUNNING
        assert status.boots is not None
        bench.wait_for_line(spec)

    def test_the_mark_of_a_start_stays_when_the_domain_is_off(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        mark = attrs.evolve(spec.mark, operation=bench.operation())
        bench.driver.start(mark)
        bench.driver.destroy(mark.instance)
        assert bench.status(spec).mark == mark

    def test_start_twice_is_start(self, bench: VirtBench) -> None:
        spec = bench.running()
        before = bench.status(spec)
        bench.driver.start(attrs.evolve(spec.mark, operation=bench.operation()))
        assert bench.status(spec) == before

    def test_each_start_has_its_own_number(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        seen = set()
        for _ in range(3):
            bench.driver.start(spec.mark)
            seen.add(bench.status(spec).boots)
            bench.driver.destroy(spec.mark.instance)
            assert bench.status(spec).boots is None
        assert len(seen) == 3

    def test_start_of_an_unknown_domain_is_refused(self, bench: VirtBench) -> None:
        with pytest.raises(DomainNotFound):
            bench.driver.start(bench.spec().mark)

    def test_start_without_disks_is_refused(self, bench: VirtBench) -> None:
        spec = bench.spec()
        bench.driver.define(spec)
        with pytest.raises(HostError):
            bench.driver.start(spec.mark)
        assert bench.status(spec).state is DomainState.SHUTOFF

    def test_a_guest_larger_than_any_host_does_not_start(self, bench: VirtBench) -> None:
        spec = bench.spec()
        huge = bench.prepared(
            attrs.evolve(spec, guest=attrs.evolve(spec.guest, memory_mib=Mib(1 << 40)))
        )
        with pytest.raises(HostError):
            bench.driver.start(huge.mark)
        assert bench.status(huge).state is DomainState.SHUTOFF

    def test_a_guest_that_is_asked_powers_off(self, bench: VirtBench) -> None:
        spec = bench.running()
        bench.driver.shut_down(spec.mark.instance)
        bench.driver.shut_down(spec.mark.instance)
        bench.wait_for_state(spec, DomainState.SHUTOFF)
        assert bench.status(spec).boots is None

    def test_shut_down_of_a_domain_that_is_off_does_nothing(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        bench.driver.shut_down(spec.mark.instance)
        assert bench.status(spec).state is DomainState.SHUTOFF

    def test_shut_down_of_an_unknown_domain_is_refused(self, bench: VirtBench) -> None:
        with pytest.raises(DomainNotFound):
            bench.driver.shut_down(bench.spec().mark.instance)

    def test_destroy_takes_the_power_at_once(self, bench: VirtBench) -> None:
        spec = bench.running()
        for _ in range(2):
            bench.driver.destroy(spec.mark.instance)
            assert bench.status(spec) == DomainStatus(spec.mark, DomainState.SHUTOFF, None)

    def test_destroy_of_an_unknown_domain_does_nothing(self, bench: VirtBench) -> None:
        bench.driver.destroy(bench.spec().mark.instance)

    def test_a_guest_comes_back_with_the_next_start(self, bench: VirtBench) -> None:
        spec = bench.running()
        bench.driver.destroy(spec.mark.instance)
        bench.driver.start(spec.mark)
        bench.wait_for_line(spec, times=2)

    def test_undefine_forgets_a_domain_that_is_off(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        for _ in range(2):
            bench.driver.undefine(spec.mark.instance)
            assert bench.driver.status(spec.mark.instance) is None

    def test_undefine_of_a_running_domain_is_refused(self, bench: VirtBench) -> None:
        spec = bench.running()
        with pytest.raises(StateConflict):
            bench.driver.undefine(spec.mark.instance)
        assert bench.status(spec).state is DomainState.RUNNING

    # Console

    def test_the_console_shows_the_end_of_what_was_written(self, bench: VirtBench) -> None:
        spec = bench.running()
        whole = bench.console(spec)
        assert bench.driver.console_output(spec.mark.instance, 5) == whole[-5:]
        assert bench.driver.console_output(spec.mark.instance, 0) == b""

    def test_a_domain_that_never_ran_has_an_empty_console(self, bench: VirtBench) -> None:
        assert bench.console(bench.prepared()) == b""

    def test_an_unknown_instance_has_no_console(self, bench: VirtBench) -> None:
        with pytest.raises(DomainNotFound):
            bench.driver.console_output(bench.spec().mark.instance, 100)

    # Images and disks

    def test_an_image_is_fetched_once(self, bench: VirtBench) -> None:
        bench.driver.cache_image(BOOTABLE, bench.images)
        bench.driver.cache_image(BOOTABLE, bench.images)
        assert bench.images.reads == 1

    def test_an_image_that_is_not_there_is_not_found(self, bench: VirtBench) -> None:
        with pytest.raises(NotFound):
            bench.driver.cache_image(MISSING, bench.images)

    def test_an_image_that_is_not_what_it_says_is_refused(self, bench: VirtBench) -> None:
        before = bench.driver.used_bytes()
        with pytest.raises(ImageRefused):
            bench.driver.cache_image(SPOILT, bench.images)
        assert bench.driver.used_bytes() == before

    def test_an_image_that_nothing_uses_goes(self, bench: VirtBench) -> None:
        bench.driver.cache_image(BOOTABLE, bench.images)
        bench.driver.cache_image(DEAF, bench.images)
        assert bench.driver.drop_images(frozenset(), CacheLimits()) == frozenset()
        unwanted = CacheLimits(unused_s=Seconds(0.0), spare_s=Seconds(0.0))
        assert bench.driver.drop_images(frozenset({DEAF}), unwanted) == {BOOTABLE}
        assert bench.driver.drop_images(frozenset({DEAF}), unwanted) == frozenset()
        bench.driver.cache_image(BOOTABLE, bench.images)
        assert bench.images.reads == 3

    def test_an_image_that_is_too_much_goes_unless_it_was_just_asked_for(
        self, bench: VirtBench
    ) -> None:
        bench.driver.cache_image(BOOTABLE, bench.images)
        spared = CacheLimits(size_bytes=Bytes(0))
        assert bench.driver.drop_images(frozenset(), spared) == frozenset()
        full = attrs.evolve(spared, spare_s=Seconds(0.0))
        assert bench.driver.drop_images(frozenset(), full) == {BOOTABLE}

    def test_an_image_that_a_disk_is_made_from_stays(self, bench: VirtBench) -> None:
        spec = bench.prepared()
        unwanted = CacheLimits(Seconds(0.0), Bytes(0), Seconds(0.0))
        assert bench.driver.drop_images(frozenset(), unwanted) == frozenset()
        instance = spec.mark.instance
        bench.driver.undefine(instance)
        bench.driver.remove(instance)
        assert bench.driver.drop_images(frozenset(), unwanted) == {BOOTABLE}

    def test_prepare_needs_the_image_on_the_host(self, bench: VirtBench) -> None:
        spec = bench.spec(image=MISSING)
        with pytest.raises(NotFound):
            bench.driver.prepare(spec)
        assert bench.driver.instances() == frozenset()

    def test_a_disk_smaller_than_its_image_is_refused(self, bench: VirtBench) -> None:
        bench.driver.cache_image(BOOTABLE, bench.images)
        with pytest.raises(ImageRefused):
            bench.driver.prepare(bench.spec(size_bytes=Bytes(1 << 19)))
        assert bench.driver.instances() == frozenset()

    def test_prepare_twice_leaves_the_disks_as_they_are(self, bench: VirtBench) -> None:
        spec = bench.running()
        used = bench.driver.used_bytes()
        bench.driver.prepare(spec)
        assert bench.driver.instances() == {spec.mark.instance}
        assert bench.driver.used_bytes() >= used
        assert bench.status(spec).state is DomainState.RUNNING

    def test_remove_takes_all_files_of_one_instance(self, bench: VirtBench) -> None:
        gone, stays = bench.prepared(), bench.prepared()
        bench.driver.undefine(gone.mark.instance)
        for _ in range(2):
            bench.driver.remove(gone.mark.instance)
            assert bench.driver.instances() == {stays.mark.instance}
        with pytest.raises(DomainNotFound):
            bench.console(gone)

    def test_space_is_given_back(self, bench: VirtBench) -> None:
        bench.driver.cache_image(BOOTABLE, bench.images)
        before = bench.driver.used_bytes()
        spec = bench.spec()
        bench.driver.prepare(spec)
        assert bench.driver.used_bytes() > before
        bench.driver.remove(spec.mark.instance)
        assert bench.driver.used_bytes() == before

    def test_a_full_disk_leaves_nothing_behind(self, bench: VirtBench) -> None:
        bench.driver.cache_image(BOOTABLE, bench.images)
        bench.fill_storage()
        used, instances = bench.driver.used_bytes(), bench.driver.instances()
        with pytest.raises(StorageFull):
            bench.driver.cache_image(DEAF, bench.images)
        with pytest.raises(StorageFull):
            bench.driver.prepare(bench.spec())
        assert bench.driver.instances() == instances
        assert bench.driver.used_bytes() == used

    # Events

    def test_events_tell_what_happens(self, bench: VirtBench) -> None:
        heard: list[DomainEvent] = []
        stop = bench.driver.subscribe(heard.append)
        spec = bench.running()
        bench.driver.destroy(spec.mark.instance)
        bench.driver.undefine(spec.mark.instance)
        wanted = [
            DomainEventKind.DEFINED,
            DomainEventKind.STARTED,
            DomainEventKind.STOPPED,
            DomainEventKind.UNDEFINED,
        ]

        def told() -> list[DomainEventKind]:
            return [event.kind for event in heard if event.kind in wanted]

        bench.wait(lambda: told() == wanted, "all four events")
        assert {event.instance for event in heard} == {spec.mark.instance}
        stop()
        bench.prepared()
        bench.pass_time(Seconds(0.3))
        assert told() == wanted
