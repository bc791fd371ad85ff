"""Files that are what they say, and those that are not."""

import os
import struct
import subprocess
from pathlib import Path

import attrs
import pytest

from computekit.errors import ImageRefused, NotFound
from computekit.images import MAX_VIRTUAL_SIZE_BYTES, ImageFacts, inspect_image
from tests.unit.images.headers import CLUSTER, Qcow2, extension

MIB = 1024**2


def inspect(directory: Path, content: bytes, disk_format: str) -> ImageFacts:
    path = directory / "image"
    path.write_bytes(content)
    return inspect_image(path, disk_format, "mine")


def refusal(directory: Path, content: bytes, disk_format: str) -> str:
    with pytest.raises(ImageRefused) as caught:
        inspect(directory, content, disk_format)
    assert caught.value.image == "mine"
    assert caught.value.message.isprintable()
    return caught.value.reason


def sparse(directory: Path, start: bytes, length: int) -> Path:
    path = directory / "sparse"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(length)
    return path


class TestRaw:
    @pytest.mark.parametrize(
        "content",
        [
            bytes(4096),
            b"\xfa\x33\xc0".ljust(512, b"\x90"),
            bytes(0x8001) + b"CD001" + bytes(4096),
            b"# just a script\necho version=1\n".ljust(512, b"\0"),
        ],
        ids=["zeros", "boot sector", "iso", "text"],
    )
    def test_plain_data(self, tmp_path: Path, content: bytes) -> None:
        facts = inspect(tmp_path, content, "raw")
        assert facts.size_bytes == len(content)
        assert facts.virtual_size_bytes == -(-len(content) // 512) * 512

    @pytest.mark.parametrize(
        ("start", "name"),
        [
            (b"QFI\xfb", "qcow2"),
            (b"QED\0", "qed"),
            (b"KDMV", "vmdk"),
            (b"COWD", "vmdk"),
            (b"# Disk DescriptorFile\nversion=1\n", "vmdk"),
            (b"# a comment first\n \n\nversion=3\n", "vmdk"),
            (
                b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe",
                "vdi",
            ),
            (b"conectix", "vhd"),
            (b"vhdxfile", "vhdx"),
            (b"WithoutFreeSpace", "parallels"),
            (b"WithouFreSpacExt", "ploop"),
            (b"LUKS\xba\xbe\0\2", "luks"),
            (b"Bochs Virtual HD Image", "bochs"),
            (b"\x1f\x8b\x08\0", "gzip"),
            (b"\xfd7zXZ\0", "xz"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"BZh9", "bzip2"),
        ],
    )
    def test_disguised_as_raw(self, tmp_path: Path, start: bytes, name: str) -> None:
        assert name in refusal(tmp_path, start.ljust(8192, b"\0"), "raw")

    @pytest.mark.parametrize(("footer", "name"), [(b"conectix", "vhd"), (b"koly", "dmg")])
    def test_disguised_by_what_stands_at_the_end(
        self, tmp_path: Path, footer: bytes, name: str
    ) -> None:
        content = bytes(8192) + footer.ljust(512, b"\0")
        assert name in refusal(tmp_path, content, "raw")

    def test_a_vmdk_descriptor_is_told_with_the_files_that_it_would_read(
        self, tmp_path: Path
    ) -> None:
        text = b'# Disk DescriptorFile\nversion=1\nRW 20480 FLAT "/etc/shadow" 0\n'
        assert "'/etc/shadow'" in refusal(tmp_path, text, "raw")

    def test_a_vmdk_with_its_descriptor_inside_too(self, tmp_path: Path) -> None:
        head = b"KDMV" + bytes(24) + struct.pack("<QQ", 1, 1)
        text = b'version=1\nRDONLY 4 VMFS "../../secret\x1b[2J" 0\n'
        found = refusal(tmp_path, head.ljust(512, b"\0") + text, "raw")
        assert "../../secret" in found

    def test_a_descriptor_far_outside_the_file(self, tmp_path: Path) -> None:
        head = b"KDMV" + bytes(24) + struct.pack("<QQ", 2**64 - 1, 2**64 - 1)
        assert "vmdk" in refusal(tmp_path, head.ljust(512, b"\0"), "raw")

    def test_nothing(self, tmp_path: Path) -> None:
        assert "empty" in refusal(tmp_path, b"", "raw")

    def test_a_disk_beyond_any_host(self, tmp_path: Path) -> None:
        try:
            path = sparse(tmp_path, b"", MAX_VIRTUAL_SIZE_BYTES + 1)
        except OSError:
            pytest.skip("this file system has no files of 64 TiB")
        with pytest.raises(ImageRefused, match="is not within"):
            inspect_image(path, "raw", "mine")


class TestQcow2:
    @pytest.mark.parametrize(
        "good",
        [
            Qcow2(),
            Qcow2(version=2),
            Qcow2(incompatible=1 << 3, header_length=112, after_header=b"\1" + bytes(7)),
            Qcow2(incompatible=1 << 4),
            Qcow2(after_header=extension(0x6803F857, bytes(48))),
            Qcow2(after_header=extension(0x12345678, b"unknown, may be ignored")),
            Qcow2(l2=struct.pack(">QQ", 1 << 63 | CLUSTER, 1 << 62 | CLUSTER + 7)),
        ],
        ids=["v3", "v2", "zstd", "extended", "features", "unknown", "data"],
    )
    def test_right_ones(self, tmp_path: Path, good: Qcow2) -> None:
        facts = inspect(tmp_path, good.content(), "qcow2")
        assert facts == ImageFacts("qcow2", facts.size_bytes, facts.virtual_size_bytes)
        assert facts.size_bytes == 5 * CLUSTER
        assert facts.virtual_size_bytes == 10 * MIB

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (Qcow2(magic=b"QFI\0"), "declared as qcow2, but its content is not"),
            (Qcow2(magic=b"KDMV"), "declared as qcow2, but its content is vmdk"),
            (Qcow2(version=1), "version 1"),
            (Qcow2(version=4), "version 4"),
            (Qcow2(cluster_bits=8), "clusters"),
            (Qcow2(cluster_bits=22), "clusters"),
            (Qcow2(cluster_bits=2**32 - 1), "clusters"),
            (Qcow2(header_length=96), "header of 96 bytes"),
            (Qcow2(header_length=108), "header of 108 bytes"),
            (Qcow2(header_length=2 * CLUSTER), "header of"),
            (Qcow2(refcount_order=7), "reference counts"),
            (Qcow2(encryption=1), "encrypted"),
            (Qcow2(encryption=2), "encrypted"),
            (Qcow2(snapshots=1), "1 snapshots"),
            (Qcow2(snapshots_offset=CLUSTER), "0 snapshots"),
            (Qcow2(incompatible=1 << 0), "not closed"),
            (Qcow2(incompatible=1 << 1), "corrupt"),
            (Qcow2(incompatible=1 << 2), "another file"),
            (Qcow2(incompatible=1 << 5), "not known here (bits 0x20)"),
            (Qcow2(incompatible=1 << 63), "not known here"),
            (Qcow2(incompatible=1 << 3), "compression type"),
            (Qcow2(header_length=112, after_header=b"\1" + bytes(7)), "compression type 1"),
            (
                Qcow2(incompatible=1 << 3, header_length=112, after_header=b"\2" + bytes(7)),
                "compression type 2",
            ),
            (Qcow2(incompatible=1 << 4, cluster_bits=12), "too small"),
            (Qcow2(backing_length=4), "backing file"),
            (Qcow2(backing_offset=1), "backing file"),
            (Qcow2(after_header=extension(0x44415441, b"/dev/sda")), "data file '/dev/sda'"),
            (
                Qcow2(after_header=extension(7, b"x") + extension(0x44415441, b"/dev/sda")),
                "data file '/dev/sda'",
            ),
            (Qcow2(after_header=struct.pack(">II", 7, 2**32 - 1)), "does not fit"),
            (Qcow2(after_header=struct.pack(">II", 0, 2**32 - 1)), "does not fit"),
            (Qcow2(refcount_clusters=0), "reference counts"),
            (Qcow2(refcount_clusters=2**31), "reference counts"),
            (Qcow2(refcount_offset=0), "start of a cluster"),
            (Qcow2(refcount_offset=CLUSTER + 512), "start of a cluster"),
            (Qcow2(refcount_offset=2**62), "cut short"),
            (Qcow2(l1_entries=0), "L1 table of 0"),
            (Qcow2(l1_entries=2**32 - 1), "L1 table of"),
            (Qcow2(l1_entries=CLUSTER * 2), "cut short"),
            (Qcow2(l1_offset=3 * CLUSTER + 8), "start of a cluster"),
            (Qcow2(l1_offset=2**63), "cut short"),
            (Qcow2(l1=struct.pack(">Q", 4 * CLUSTER + 512)), "start of a cluster"),
            (Qcow2(l1=struct.pack(">Q", 5 * CLUSTER)), "cut short"),
            (Qcow2(l2=struct.pack(">Q", 5 * CLUSTER)), "cut short"),
            (Qcow2(l2=struct.pack(">Q", CLUSTER + 512)), "damaged"),
            (Qcow2(l2=struct.pack(">Q", 1 << 62 | 5 * CLUSTER)), "cut short"),
            (Qcow2(size_bytes=0), "disk of 0 bytes"),
            (Qcow2(size_bytes=2**64 - 1), "L1 table"),
            (Qcow2(size_bytes=1024**4), "L1 table"),
            (Qcow2(length=71), "cut short"),
            (Qcow2(length=100), "cut short"),
            (Qcow2(length=CLUSTER), "cut short"),
            (Qcow2(length=4 * CLUSTER), "cut short"),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_wrong_ones(self, tmp_path: Path, bad: Qcow2, reason: str) -> None:
        assert reason in refusal(tmp_path, bad.content(), "qcow2")

    def test_a_backing_file_is_named_and_cannot_write_to_a_terminal(self, tmp_path: Path) -> None:
        name = b"/etc/shadow\n\x1b[2J\xff"
        bad = Qcow2(backing_offset=104, backing_length=len(name), after_header=name)
        assert "'/etc/shadow\\n\\x1b[2J" in refusal(tmp_path, bad.content(), "qcow2")

    def test_a_disk_that_is_too_large(self, tmp_path: Path) -> None:
        size = MAX_VIRTUAL_SIZE_BYTES + 512
        bad = Qcow2(
            cluster_bits=21,
            size_bytes=size,
            l1_entries=-(-size // (2**21 // 8 * 2**21)),
            l1_offset=2 << 21,
            refcount_offset=1 << 21,
            l1=b"",
            length=3 << 21,
        )
        assert "is not within" in refusal(tmp_path, bad.content(), "qcow2")


class TestBootFiles:
    @pytest.mark.parametrize(
        "content",
        [
            bytes(0x1FE) + b"\x55\xaa\0\0HdrS" + bytes(64),
            b"\x7fELF\2\1\1".ljust(64, b"\0"),
            bytes(0x38) + b"ARM\x64" + bytes(64),
        ],
        ids=["bzImage", "ELF", "arm64"],
    )
    def test_kernels(self, tmp_path: Path, content: bytes) -> None:
        facts = inspect(tmp_path, content, "aki")
        assert facts == ImageFacts("aki", facts.size_bytes, facts.size_bytes)

    @pytest.mark.parametrize(
        "start",
        [b"070701", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x02\x21\x4c\x18"],
    )
    def test_ramdisks(self, tmp_path: Path, start: bytes) -> None:
        assert inspect(tmp_path, start.ljust(512, b"\0"), "ari").disk_format == "ari"

    @pytest.mark.parametrize("content", [b"x", bytes(4096), b"QFI\xfb".ljust(600, b"\0")])
    def test_what_is_neither(self, tmp_path: Path, content: bytes) -> None:
        assert "is no bzImage" in refusal(tmp_path, content, "aki")
        assert "is no cpio" in refusal(tmp_path, content, "ari")

    def test_too_large_for_a_ramdisk(self, tmp_path: Path) -> None:
        path = sparse(tmp_path, b"070701", 1024**3 + 1)
        with pytest.raises(ImageRefused, match="too many"):
            inspect_image(path, "ari", "mine")


class TestFiles:
    @pytest.mark.parametrize("disk_format", ["vmdk", "vhd", "iso", "", "RAW", "raw\n\x1b[2J"])
    def test_formats_that_are_not_taken(self, tmp_path: Path, disk_format: str) -> None:
        assert "qemu-img convert" in refusal(tmp_path, bytes(512), disk_format)

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "target").write_bytes(bytes(512))
        link = tmp_path / "link"
        link.symlink_to("target")
        with pytest.raises(ImageRefused, match="not a regular file"):
            inspect_image(link, "raw", "mine")

    def test_pipes_and_directories_are_no_images(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", tmp_path):
            with pytest.raises(ImageRefused, match="not a regular file"):
                inspect_image(path, "raw", "mine")

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            inspect_image(tmp_path / "none", "raw", "mine")


def qemu_img(*arguments: str) -> None:
    try:
        subprocess.run(("qemu-img", *arguments), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("qemu-img is not installed (package qemu-utils)")


@attrs.frozen
class _Sample:
    path: Path
    length: int


@pytest.fixture
def raw(tmp_path: Path) -> _Sample:
    content = b"boot" * 1000 + bytes(3 * MIB) + b"some data" * 100_000 + bytes(777)
    path = tmp_path / "raw"
    path.write_bytes(content)
    return _Sample(path, -(-len(content) // 512) * 512)


@pytest.mark.real
class TestOfQemuImg:
    @pytest.mark.parametrize(
        "options",
        [
            "",
            "-c",
            "-o compat=0.10",
            "-o cluster_size=512",
            "-o cluster_size=2M",
            "-c -o compression_type=zstd",
            "-o extended_l2=on",
            "-o preallocation=metadata",
            "-o preallocation=falloc",
            "-o lazy_refcounts=on",
            "-o refcount_bits=1",
            "-c -o compat=0.10,cluster_size=4k",
        ],
    )
    def test_what_it_converts_is_taken(self, tmp_path: Path, raw: _Sample, options: str) -> None:
        path = tmp_path / "made"
        qemu_img("convert", "-O", "qcow2", *options.split(), str(raw.path), str(path))
        facts = inspect_image(path, "qcow2", "mine")
        assert facts.size_bytes == path.stat().st_size
        assert facts.virtual_size_bytes == raw.length

    @pytest.mark.parametrize("size", ["512", "1G", "63T"])
    def test_what_it_creates_is_taken(self, tmp_path: Path, size: str) -> None:
        path = tmp_path / "made"
        qemu_img("create", "-f", "qcow2", str(path), size)
        assert inspect_image(path, "qcow2", "mine").virtual_size_bytes > 0

    @pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
    def test_what_is_cut_short_is_refused(self, tmp_path: Path, raw: _Sample, part: float) -> None:
        path = tmp_path / "made"
        qemu_img("convert", "-O", "qcow2", str(raw.path), str(path))
        os.truncate(path, int(path.stat().st_size * part))
        with pytest.raises(ImageRefused, match="cut short"):
            inspect_image(path, "qcow2", "mine")

    @pytest.mark.parametrize(
        "disk_format", ["vmdk", "vdi", "vpc", "vhdx", "qed", "qcow", "parallels"]
    )
    def test_other_formats_are_refused_as_raw(self, tmp_path: Path, disk_format: str) -> None:
        path = tmp_path / "made"
        qemu_img("create", "-f", disk_format, str(path), "10M")
        for declared in ("raw", "qcow2", disk_format):
            with pytest.raises(ImageRefused):
                inspect_image(path, declared, "mine")

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ("-b /etc/hostname -F raw", "backing file '/etc/hostname'"),
            ("-o data_file={}/data", "data file"),
        ],
    )
    def test_what_reaches_outside_is_refused(
        self, tmp_path: Path, options: str, reason: str
    ) -> None:
        path = tmp_path / "made"
        filled = options.format(tmp_path).split()
        qemu_img("create", *filled, "-f", "qcow2", str(path), "10M")
        with pytest.raises(ImageRefused, match=reason):
            inspect_image(path, "qcow2", "mine")

    def test_snapshots_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "made"
        qemu_img("create", "-f", "qcow2", str(path), "10M")
        qemu_img("snapshot", "-c", "one", str(path))
        with pytest.raises(ImageRefused, match="snapshots"):
            inspect_image(path, "qcow2", "mine")
