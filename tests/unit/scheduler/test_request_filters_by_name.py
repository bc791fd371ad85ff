"""Nova's filters on what flavor, image and hints ask of a host."""

import attrs
import pytest

from computekit.errors import NotFound
from computekit.ids import HostName, ImageId
from computekit.model import Trait
from computekit.placement import FleetIndex
from computekit.scheduler import (
    ComputeCapabilitiesFilter,
    DifferentHostFilter,
    HostRule,
    ImagePropertiesFilter,
    IsolatedHostsFilter,
    JsonFilter,
    OverlayRule,
    PciPassthroughFilter,
    Policy,
    Request,
    SameHostFilter,
    Scheduler,
    SimpleCIDRAffinityFilter,
    Unplaced,
    check_rebuild,
    named_instances,
)
from computekit.scheduler.demands import Malformed
from tests.unit.scheduler.fleet import facts, flat, host, index, use
from tests.unit.scheduler.intents import asking, passing


def fleet() -> FleetIndex:
    """Return hosts `a`..`d`, each with more memory taken; `d` is of another kind."""
    found = index(
        *(
            flat(name, memory=10_000 * at, traits=(Trait("HW_CPU_X86_AVX2"),) if at else ())
            for at, name in enumerate("abc")
        ),
    )
    odd = attrs.evolve(
        facts("d"),
        arch="aarch64",
        virt_type="qemu",
        hypervisor="QEMU",
        hypervisor_version=6_002_000,
        cpu_model="N1",
        address="10.1.2.3",
    )
    found.put([(attrs.evolve(host("d"), facts=odd), (use("d-root", {}),))])
    found.put([(attrs.evolve(host("d"), facts=odd), flat("d")[1])])
    for name, count in zip("abc", (1, 2, 3), strict=True):
        found.set_figures(
            HostName(name), {"instances": count, "free_pci_devices": count, "load": count / 2}
        )
    found.set_figures(HostName("d"), {"maxphysaddr_bits": 46, "free_pci_devices": 0})
    return found


CAPABILITIES = ComputeCapabilitiesFilter()
IMAGES = ImagePropertiesFilter()
JSON = JsonFilter()
ONLY = frozenset({HostName("b")})
HOSTS_OF = {"i1": ("a",), "i2": ("b", "c")}


def query(text: str) -> Request:
    return asking(hints={"query": (text,)})


@pytest.mark.parametrize(
    ("rule", "asked", "hosts"),
    [
        (CAPABILITIES, asking(), "abcd"),
        (CAPABILITIES, asking(no_flavor=True), "abcd"),
        (CAPABILITIES, asking({"capabilities:cpu_info:arch": "aarch64"}), "d"),
        (CAPABILITIES, asking({"capabilities:cpu_info:features": "<in> avx2"}), "bc"),
        (CAPABILITIES, asking({"capabilities:cpu_info:model": "N1"}), "d"),
        (CAPABILITIES, asking({"capabilities:hypervisor_type": "s== QEMU"}), "d"),
        (CAPABILITIES, asking({"capabilities:hypervisor_version": ">= 2000000"}), "d"),
        (CAPABILITIES, asking({"capabilities:num_instances": ">= 2"}), "bc"),
        (CAPABILITIES, asking({"num_instances": "<= 2"}), "ab"),
        (CAPABILITIES, asking({"capabilities:load": "1.5"}), "c"),
        (CAPABILITIES, asking({"capabilities:stats:load": "== 1"}), "b"),
        (CAPABILITIES, asking({"capabilities:free_ram_mb": ">= 50000"}), "abd"),
        (CAPABILITIES, asking({"capabilities:total_usable_ram_mb": "65536"}), "abcd"),
        (CAPABILITIES, asking({"capabilities:vcpus_used": "0"}), "abcd"),
        (CAPABILITIES, asking({"capabilities:free_disk_mb": "512000"}), "abcd"),
        (CAPABILITIES, asking({"capabilities:host": "<or> a <or> d"}), "ad"),
        (CAPABILITIES, asking({"capabilities:nothing": "x"}), ""),
        (CAPABILITIES, asking({"nothing": "x", "hw:what": "x", "trait:X": "required"}), "abcd"),
        (CAPABILITIES, asking({"load": "1"}), "bd"),
        (CAPABILITIES, asking({"nothing": "<or>"}), "abcd"),
        (CAPABILITIES, asking({"capabilities:host": "<or>"}), ""),
        (CAPABILITIES, asking({"hw:maxphysaddr_bits": "46"}), "d"),
        (CAPABILITIES, asking({"hw:maxphysaddr_bits": "47"}), ""),
        (CAPABILITIES, asking({"hw:maxphysaddr_bits": "many"}), ""),
        (IMAGES, asking(), "abcd"),
        (IMAGES, asking(image={}), "abcd"),
        (IMAGES, asking(image={"hw_architecture": "x86_64"}), "abc"),
        (IMAGES, asking(image={"hw_architecture": "AMD64", "img_hv_type": "qemu"}), "abc"),
        (IMAGES, asking(image={"img_hv_type": "kvm", "hw_vm_mode": "hvm"}), "abc"),
        (IMAGES, asking(image={"img_hv_type": "kvm", "hw_architecture": "aarch64"}), ""),
        (IMAGES, asking(image={"hw_vm_mode": "xen"}), ""),
        (IMAGES, asking(image={"img_hv_requested_version": ">=6.1,<7"}), "d"),
        (IMAGES, asking(image={"img_hv_requested_version": "== 6.2"}), "d"),
        (IMAGES, asking(image={"img_hv_requested_version": "!=1.0.0"}), "d"),
        (IMAGES, asking(image={"img_hv_requested_version": "~6"}), ""),
        (IMAGES, asking(image={"img_hv_requested_version": ">six"}), ""),
        (IMAGES, asking(image={"hw_maxphysaddr_bits": "46"}), "abcd"),
        (IMAGES, asking(image={"hw_maxphysaddr_bits": "47"}), "abc"),
        (IMAGES, asking(image={"hw_maxphysaddr_bits": "47 bits"}), ""),
        (ImagePropertiesFilter("aarch64"), asking(), "d"),
        (ImagePropertiesFilter("aarch64"), asking(image={"hw_architecture": "x86_64"}), "abc"),
        (IsolatedHostsFilter(), asking(image={}), "abcd"),
        (IsolatedHostsFilter(isolated_hosts=ONLY), asking(image={}), "acd"),
        (IsolatedHostsFilter(isolated_hosts=ONLY), asking(), "acd"),
        (IsolatedHostsFilter(frozenset({ImageId("image")}), ONLY), asking(image={}), "b"),
        (IsolatedHostsFilter(frozenset({ImageId("image")}), ONLY, False), asking(image={}), "b"),
        (IsolatedHostsFilter(frozenset({ImageId("other")}), ONLY, False), asking(image={}), "abcd"),
        (IsolatedHostsFilter(frozenset({ImageId("image")})), asking(image={}), ""),
        (SameHostFilter(), asking(), "abcd"),
        (SameHostFilter(), asking(hints={"same_host": ("i1",)}, hosts_of=HOSTS_OF), "a"),
        (SameHostFilter(), asking(hints={"same_host": ("i1", "i2")}, hosts_of=HOSTS_OF), "abc"),
        (SameHostFilter(), asking(hints={"same_host": ("i9",)}, hosts_of=HOSTS_OF), ""),
        (DifferentHostFilter(), asking(hosts_of=HOSTS_OF), "abcd"),
        (DifferentHostFilter(), asking(hints={"different_host": ("i2",)}, hosts_of=HOSTS_OF), "ad"),
        (DifferentHostFilter(), asking(hints={"different_host": ("i9",)}), "abcd"),
        (SimpleCIDRAffinityFilter(), asking(), "abcd"),
        (SimpleCIDRAffinityFilter(), asking(hints={"build_near_host_ip": ("10.1.2.99",)}), "d"),
        (
            SimpleCIDRAffinityFilter(),
            asking(hints={"build_near_host_ip": ("10.1.9.9",), "cidr": ("/16",)}),
            "d",
        ),
        (SimpleCIDRAffinityFilter(), asking(hints={"build_near_host_ip": ("10.1.3.1",)}), ""),
        (SimpleCIDRAffinityFilter(), asking(hints={"build_near_host_ip": ("here",)}), ""),
        (SimpleCIDRAffinityFilter(), asking(hints={"build_near_host_ip": ("fe80::1",)}), ""),
        (
            SimpleCIDRAffinityFilter(),
            asking(hints={"build_near_host_ip": ("10.1.2.1",), "cidr": ("99",)}),
            "",
        ),
        (PciPassthroughFilter(), asking(), "abcd"),
        (PciPassthroughFilter(), asking({"pci_passthrough:alias": "gpu:1, nic:1"}), "bc"),
        (PciPassthroughFilter(), asking({"pci_passthrough:alias": "gpu:0"}), "abcd"),
        (PciPassthroughFilter(), asking({"pci_passthrough:alias": "gpu"}), ""),
        (PciPassthroughFilter(), asking({"pci_passthrough:alias": ":1"}), ""),
        (JSON, asking(), "abcd"),
        (JSON, query(""), "abcd"),
        (JSON, query("[]"), "abcd"),
        (JSON, query('[">=", "$free_ram_mb", 50000]'), "abd"),
        (JSON, query('["=", "$cpu_info.arch", "x86_64"]'), "abc"),
        (JSON, query('["and", [">", "$num_instances", 1], ["<", "$num_instances", 3]]'), "b"),
        (JSON, query('["or", ["=", "$host", "a"], ["=", "$host", "d"]]'), "ad"),
        (JSON, query('["not", ["=", "$host", "a"]]'), "bcd"),
        (JSON, query('["not", ["=", "$host", "a"], ["=", "$host", "b"]]'), "abcd"),
        (JSON, query('["in", "$host", "a", "b"]'), "ab"),
        (JSON, query('["in", 5]'), ""),
        (JSON, query('["<", 1, 2, 3]'), "abcd"),
        (JSON, query('["<=", 2, 2, 1]'), ""),
        (JSON, query('["<", "$host", 5]'), ""),
        (JSON, query('["not", ["<", 5, 4, "$host"]]'), ""),
        (JSON, query('["or", ["<", "$host", 5], true]'), ""),
        (JSON, query('["=", "$stats.load", 1.5]'), "c"),
        (JSON, query('["=", "$nothing", null]'), ""),
        (JSON, query('["and", []]'), "abcd"),
        (JSON, query('["xor", 1, 2]'), ""),
        (JSON, query("[[]]"), ""),
        (JSON, query('{"a": 1}'), ""),
        (JSON, query('["=", {"a": 1}, 1]'), ""),
        (JSON, query("nonsense"), ""),
        (JSON, query('["not", ' * 40 + "1" + "]" * 40), ""),
        (JSON, query("[" * 100_000), ""),
        (JSON, asking(hints={"query": ("[]", "[]")}), ""),
    ],
)
def test_who_passes(rule: HostRule | OverlayRule, asked: Request, hosts: str) -> None:
    assert passing(fleet(), rule, asked) == hosts


@pytest.mark.parametrize(
    ("rule", "asked", "told"),
    [
        (
            CAPABILITIES,
            asking({"capabilities:cpu_info:arch": "s== arm"}),
            (
                "capability cpu_info:arch s== arm: x86_64 (do without extra spec "
                "capabilities:cpu_info:arch)"
            ),
        ),
        (
            IMAGES,
            asking(image={"hw_architecture": "ppc64le"}),
            (
                "kind of guest ppc64le: x86_64/kvm/hvm x86_64/qemu/hvm "
                "(do without image properties hw_architecture)"
            ),
        ),
        (
            IMAGES,
            asking(image={"img_hv_requested_version": ">9"}),
            "hypervisor version >9: 1.0.0 (do without image property img_hv_requested_version)",
        ),
        (
            JSON,
            query('["=", "$host", "x", "$nothing"]'),
            (
                'query ["=", "$host", "x", "$nothing"]: host a, nothing not known (do without hint '
                "query)"
            ),
        ),
        (
            SameHostFilter(),
            asking(hints={"same_host": ("i9",)}),
            (
                "same host a host of instances that have none: has none of them (do without hint "
                "same_host)"
            ),
        ),
        (
            SimpleCIDRAffinityFilter(),
            asking(hints={"build_near_host_ip": ("10.9.9.9",)}),
            "host address in 10.9.9.0/24: not known (do without hint build_near_host_ip)",
        ),
        (
            PciPassthroughFilter(),
            asking({"pci_passthrough:alias": "gpu:9"}),
            "free pci devices at least 9: 1 (bring free pci devices on a up to 9)",
        ),
        (
            IsolatedHostsFilter(frozenset({ImageId("image")})),
            asking(image={}),
            "isolated hosts an isolated host: not isolated ()",
        ),
    ],
)
def test_what_is_told_of_a_refusal(rule: HostRule | OverlayRule, asked: Request, told: str) -> None:
    decision = Scheduler(fleet(), Policy(rules=(rule,))).place(asked)
    assert isinstance(decision, Unplaced)
    explanation = decision.explain()
    report = explanation.host(HostName("a"))
    assert report is not None
    (failing,) = report.failing
    changes = ", ".join(change.text for change in failing.changes)
    assert f"{failing.rule} {failing.asked}: {failing.there} ({changes})" == told
    if changes:
        remedy = explanation.remedy(HostName("a"))
        assert remedy is not None
        assert remedy.changes == failing.changes


def test_the_instances_that_hints_name_are_known() -> None:
    asked = asking(hints={"same_host": ("i1",), "different_host": ("i2", "i3"), "x": ("i4",)})
    assert named_instances(asked.intent) == {"i1", "i2", "i3"}


def test_a_rebuild_is_checked_on_a_host_that_is_there() -> None:
    asked = asking(image={"hw_architecture": "aarch64"})
    policy = Policy(rules=(ImagePropertiesFilter(), JSON))
    assert check_rebuild(fleet(), asked, policy, HostName("d")).fits
    assert not check_rebuild(fleet(), asked, policy, HostName("a")).fits
    with pytest.raises(NotFound):
        check_rebuild(fleet(), asked, policy, HostName("nobody"))


def test_where_it_is_not_known_how_many_devices_are_free_the_fit_decides() -> None:
    asked = asking({"pci_passthrough:alias": "gpu:9"})
    assert passing(index(flat("a")), PciPassthroughFilter(), asked) == "a"


def test_a_query_has_so_many_parts_and_no_more() -> None:
    part = '["=", "$arch", "x86_64"]'
    short, long = (f'["or", {", ".join([part] * count)}]' for count in (15, 60))
    (fits,) = JsonFilter().predicates(asking(hints={"query": (short,)}))
    (refuses,) = JsonFilter().predicates(asking(hints={"query": (long,)}))
    assert not isinstance(fits, Malformed)
    assert isinstance(refuses, Malformed)
