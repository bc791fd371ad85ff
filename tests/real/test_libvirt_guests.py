"""Guests on real libvirt beyond what the laws ask: firmware, kernels, disks, long consoles."""

import json
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import attrs
import pytest

from computekit.errors import (
    DeadlineExceeded,
    HypervisorRefused,
    ImageRefused,
    ProgramFailed,
    Unsupported,
)
from computekit.guest import DirectBoot, DiskRole, Firmware, GuestConfig, GuestDisk
from computekit.ids import HostName, ImageId, InstanceId, OperationId, new_uuid
from computekit.testing.virt_bench import BOOTABLE, LawImages
from computekit.units import Bytes, Mib
from computekit.virt import DomainMark, DomainSpec, DomainState
from computekit.virt.libvirt import LibvirtHypervisor
from computekit_daemons.demo_guest import COMMAND_LINE, DemoGuest, build_demo_guest

pytestmark = pytest.mark.real

IMAGE = ImageId("66666666-6666-4666-8666-666666666666")
KERNEL = ImageId("77777777-7777-4777-8777-777777777777")
RAMDISK = ImageId("88888888-8888-4888-8888-888888888888")
GUEST = GuestConfig(
    "x86_64",
    "q35",
    Firmware.BIOS,
    1,
    Mib(64),
    (
        GuestDisk(DiskRole.ROOT, Bytes(8 << 20), BOOTABLE),
        GuestDisk(DiskRole.EPHEMERAL, Bytes(4 << 20)),
    ),
)


@pytest.fixture
def driver(libvirt_uri: str, guest_directory: Path) -> Iterator[LibvirtHypervisor]:
    directory = guest_directory / "guests"
    made = LibvirtHypervisor(libvirt_uri, directory, HostName("real"), virt_type="qemu")
    yield made
    for status in made.domains():
        made.destroy(status.mark.instance)
        made.undefine(status.mark.instance)
    made.close()
    shutil.rmtree(directory)


def defined(
    driver: LibvirtHypervisor, guest: GuestConfig = GUEST, name: str = "guest"
) -> DomainSpec:
    source = random.Random(40)
    mark = DomainMark(InstanceId(new_uuid(source)), 1, OperationId(new_uuid(source)))
    made = DomainSpec(mark, name, guest)
    driver.cache_image(BOOTABLE, LawImages())
    driver.prepare(made)
    driver.define(made)
    return made


def until(reached: Callable[[], bool], timeout_s: float) -> None:
    end_s = monotonic() + timeout_s
    while not reached():
        assert monotonic() < end_s, "it did not happen in time"
        sleep(0.05)


def state(driver: LibvirtHypervisor, made: DomainSpec) -> DomainState | None:
    status = driver.status(made.mark.instance)
    return status.state if status else None


def says(driver: LibvirtHypervisor, made: DomainSpec, line: str) -> Callable[[], bool]:
    return lambda: line.encode() in driver.console_output(made.mark.instance, 1 << 16)


def qemu_img_info(path: Path) -> dict[str, object]:
    done = subprocess.run(
        ("qemu-img", "info", "--force-share", "--output=json", str(path)),
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_a_root_disk_says_what_it_is_made_on(
    driver: LibvirtHypervisor, guest_directory: Path
) -> None:
    made = defined(driver)
    home = guest_directory / "guests/instances" / made.mark.instance
    root = qemu_img_info(home / "root.qcow2")
    assert root["format"] == "qcow2"
    assert root["virtual-size"] == 8 << 20
    assert root["backing-filename"] == str(guest_directory / "guests/images" / BOOTABLE)
    assert root["backing-filename-format"] == "raw"
    empty = qemu_img_info(home / "ephemeral.qcow2")
    assert (empty["format"], empty["virtual-size"]) == ("qcow2", 4 << 20)
    assert "backing-filename" not in empty


def test_a_qcow2_image_is_used_as_it_is(
    driver: LibvirtHypervisor, guest_directory: Path, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(LawImages().read(BOOTABLE).read())
    image = tmp_path / "image"
    convert = ("qemu-img", "convert", "-q", "-O", "qcow2", str(raw), str(image))
    subprocess.run(convert, check=True)
    images = LawImages()
    images.add(IMAGE, image.read_bytes(), "qcow2", Bytes(1 << 20))
    driver.cache_image(IMAGE, images)
    disk = GuestDisk(DiskRole.ROOT, Bytes(8 << 20), IMAGE)
    made = defined(driver, attrs.evolve(GUEST, disks=(disk,)))
    home = guest_directory / "guests/instances" / made.mark.instance
    assert qemu_img_info(home / "root.qcow2")["backing-filename-format"] == "qcow2"
    driver.start(made.mark)
    until(says(driver, made, "BOOTED guest"), 30.0)


@pytest.mark.parametrize("disk_format", ["raw", "qcow2"])
def test_an_image_that_would_read_the_hosts_files_is_refused(
    driver: LibvirtHypervisor, guest_directory: Path, tmp_path: Path, disk_format: str
) -> None:
    image = tmp_path / "image"
    base = ("-F", "raw", "-b", "/etc/passwd")
    create = ("qemu-img", "create", "-q", "-f", "qcow2", *base, str(image), "1M")
    subprocess.run(create, check=True)
    images = LawImages()
    images.add(IMAGE, image.read_bytes(), disk_format, Bytes(1 << 20))
    with pytest.raises(ImageRefused):
        driver.cache_image(IMAGE, images)
    assert list((guest_directory / "guests/images").iterdir()) == []


def test_a_disk_that_goes_missing_is_named(
    driver: LibvirtHypervisor, guest_directory: Path
) -> None:
    made = defined(driver)
    home = guest_directory / "guests/instances" / made.mark.instance
    (home / "root.qcow2").unlink()
    with pytest.raises(HypervisorRefused, match=r"root\.qcow2"):
        driver.start(made.mark)
    assert state(driver, made) is DomainState.SHUTOFF


def test_uefi_leaves_no_variables_behind(driver: LibvirtHypervisor, libvirt_uri: str) -> None:
    if not driver.facts().uefi:
        pytest.skip("real libvirt: no UEFI firmware found (package ovmf)")
    made = defined(driver, attrs.evolve(GUEST, firmware=Firmware.UEFI))
    driver.start(made.mark)
    assert state(driver, made) is DomainState.RUNNING
    base = Path(libvirt_uri.partition("socket=")[2]).parents[2]
    variables = list(base.glob(f"**/nvram/*{made.mark.instance}*"))
    assert variables
    driver.destroy(made.mark.instance)
    driver.undefine(made.mark.instance)
    assert not any(path.exists() for path in variables)


def test_the_older_machine_type_boots_too(driver: LibvirtHypervisor) -> None:
    made = defined(driver, attrs.evolve(GUEST, machine_type="pc"))
    driver.start(made.mark)
    until(says(driver, made, "BOOTED guest"), 30.0)
    driver.shut_down(made.mark.instance)
    until(lambda: state(driver, made) is DomainState.SHUTOFF, 30.0)


def test_a_long_console_gives_its_space_back_while_the_guest_runs(
    driver: LibvirtHypervisor, guest_directory: Path
) -> None:
    made = defined(driver)
    driver.start(made.mark)
    until(says(driver, made, "BOOTED guest"), 30.0)
    log = guest_directory / "guests/instances" / made.mark.instance / "console.log"
    with log.open("ab") as file:
        file.write(b"x" * (8 << 20))
    until(lambda: log.stat().st_blocks * 512 < 2 << 20, 20.0)
    assert log.stat().st_size > 8 << 20
    driver.destroy(made.mark.instance)
    driver.start(made.mark)
    until(
        lambda: driver.console_output(made.mark.instance, 64).strip().endswith(b"BOOTED guest"),
        30.0,
    )


@pytest.fixture(scope="module")
def demo_guest(tmp_path_factory: pytest.TempPathFactory) -> DemoGuest:
    try:
        return build_demo_guest(tmp_path_factory.mktemp("guest"), lambda _: None)
    except (DeadlineExceeded, ProgramFailed, Unsupported) as error:
        pytest.skip(f"real libvirt: {error.message}")


@pytest.mark.online
@pytest.mark.parametrize("firmware", list(Firmware))
def test_linux_boots_from_a_kernel_beside_its_disk(
    driver: LibvirtHypervisor, demo_guest: DemoGuest, firmware: Firmware
) -> None:
    if firmware is Firmware.UEFI and not driver.facts().uefi:
        pytest.skip("real libvirt: no UEFI firmware found (package ovmf)")
    images = LawImages()
    for image, path, disk_format in (
        (KERNEL, demo_guest.kernel, "aki"),
        (RAMDISK, demo_guest.ramdisk, "ari"),
    ):
        images.add(image, path.read_bytes(), disk_format)
        driver.cache_image(image, images)
    boot = DirectBoot(KERNEL, RAMDISK, COMMAND_LINE)
    guest = attrs.evolve(GUEST, firmware=firmware, memory_mib=Mib(192), direct_boot=boot)
    made = defined(driver, guest, "größe <&> 'é', 東")
    driver.start(made.mark)
    until(says(driver, made, "BOOTED größe <&> 'é', 東"), 120.0)
    driver.shut_down(made.mark.instance)
    until(lambda: state(driver, made) is DomainState.SHUTOFF, 30.0)
