"""What is read from captured descriptions of hosts, and from one that no captured one shows."""

from pathlib import Path

import pytest

from computekit.model import HostCell
from computekit.units import Mib
from computekit.virt.libvirt.facts import (
    parse_capabilities,
    parse_firmware,
    parse_meminfo,
    with_whole_memory,
)

DATA = Path(__file__).parents[3] / "data/virt"

TWO_CELLS = """
<capabilities>
  <host>
    <cpu><arch>x86_64</arch><model>Icelake-Server</model></cpu>
    <topology><cells num='2'>
      <cell id='0'>
        <memory unit='KiB'>4194304</memory>
        <pages unit='KiB' size='4'>1000000</pages><pages unit='KiB' size='2048'>12</pages>
        <cpus num='4'>
          <cpu id='0' socket_id='0' core_id='0' siblings='0,4'/>
          <cpu id='1' socket_id='0' core_id='1' siblings='1,5'/>
          <cpu id='4' socket_id='0' core_id='0' siblings='0,4'/>
          <cpu id='5' socket_id='0' core_id='1' siblings='1,5'/>
        </cpus>
      </cell>
      <cell id='1'>
        <memory unit='KiB'>8388608</memory>
        <cpus num='2'>
          <cpu id='2' socket_id='1' core_id='0' siblings='2-3'/>
          <cpu id='3' socket_id='1' core_id='0' siblings='2-3'/>
        </cpus>
      </cell>
    </cells></topology>
  </host>
  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <machine maxCpus='288'>pc-q35-7.2</machine>
      <machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine>
      <domain type='qemu'/><domain type='kvm'/>
    </arch>
  </guest>
  <guest>
    <os_type>hvm</os_type>
    <arch name='aarch64'><machine>virt</machine><domain type='qemu'/></arch>
  </guest>
</capabilities>
"""


def test_two_cells_with_their_cpus_and_pages() -> None:
    found = parse_capabilities(TWO_CELLS)
    assert found.cells == (
        HostCell(
            0,
            Mib(4096),
            frozenset({0, 1, 4, 5}),
            frozenset({frozenset({0, 4}), frozenset({1, 5})}),
            ((4, 1_000_000), (2048, 12)),
        ),
        HostCell(1, Mib(8192), frozenset({2, 3}), frozenset({frozenset({2, 3})})),
    )


def test_only_what_runs_guests_of_the_hosts_architecture_counts() -> None:
    found = parse_capabilities(TWO_CELLS)
    assert found.arch == "x86_64"
    assert found.cpu_model == "Icelake-Server"
    assert found.virt_types == {"qemu", "kvm"}
    assert found.machine_types == {"q35", "pc-q35-7.2"}


@pytest.mark.parametrize("version", ["libvirt9.0-qemu7.2", "libvirt11.3-qemu10.0"])
def test_captured_hosts(version: str) -> None:
    found = parse_capabilities((DATA / version / "capabilities.xml").read_text("utf-8"))
    assert found.arch == "x86_64"
    assert {"q35", "pc"} <= found.machine_types
    assert "qemu" in found.virt_types
    (cell,) = found.cells
    assert cell.cpus == {0, 1}
    assert [size for size, _ in cell.page_sizes_kib] == [4, 2048, 1_048_576]


@pytest.mark.parametrize("text", ["<capabilities/>", "<capabilities><host/></capabilities>"])
def test_a_description_without_a_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no architecture"):
        parse_capabilities(text)


def test_firmware_is_read_from_domain_capabilities() -> None:
    path = DATA / "libvirt9.0-qemu7.2/domcapabilities-qemu-q35.xml"
    assert parse_firmware(path.read_text("utf-8")) == frozenset()
    firmware = "<os><enum name='firmware'><value>efi</value></enum></os>"
    assert parse_firmware(f"<domainCapabilities>{firmware}</domainCapabilities>") == {"efi"}


def test_memory_is_the_kernels_word() -> None:
    assert parse_meminfo("MemTotal:       24684092 kB\nMemFree:  1 kB\n") == 24105
    with pytest.raises(ValueError, match="MemTotal"):
        parse_meminfo("MemFree: 1 kB\n")


def test_the_only_cell_has_all_the_memory() -> None:
    cell = HostCell(0, Mib(8000), frozenset({0}), page_sizes_kib=((4, 2_000_000), (2048, 100)))
    (whole,) = with_whole_memory((cell,), Mib(24_000))
    assert whole.memory_mib == 24_000
    assert whole.page_sizes_kib == ((4, (24_000 - 200) * 256), (2048, 100))


def test_several_cells_keep_what_libvirt_says() -> None:
    cells = parse_capabilities(TWO_CELLS).cells
    assert with_whole_memory(cells, Mib(99_999)) == cells
