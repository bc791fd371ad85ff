"""Hostile bytes: an image is taken or refused, and nothing else ever happens."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computekit.errors import ImageRefused
from computekit.images import DISK_FORMATS, ImageFacts, inspect_image
from tests.property.effort import examples
from tests.unit.images.headers import CLUSTER, Qcow2, extension

GOOD = (
    Qcow2(after_header=extension(0x6803F857, bytes(48))).content(),
    Qcow2(version=2).content(),
    Qcow2(incompatible=1 << 3, header_length=112, after_header=b"\1" + bytes(7)).content(),
)
LONGEST_HEADER = 200

which = st.integers(min_value=0, max_value=len(GOOD) - 1)
starts = st.sampled_from(
    [b"QFI\xfb\0\0\0\3", b"KDMV", b"# Disk DescriptorFile\n", b"version=1\n", b"conectix", b""]
)
words = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.integers(min_value=0, max_value=2**32 - 1).map(lambda value: value.to_bytes(4, "big")),
    st.sampled_from([b"\xff" * 8, b"\0" * 8, (5 * CLUSTER).to_bytes(8, "big"), b"DATA"]),
)
patches = st.lists(
    st.tuples(
        st.one_of(
            st.integers(min_value=0, max_value=LONGEST_HEADER),
            st.sampled_from([3 * CLUSTER, 4 * CLUSTER]),
        ),
        words,
    ),
    min_size=1,
    max_size=4,
)


def outcome(content: bytes, disk_format: str) -> ImageFacts | ImageRefused:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "image")
        path.write_bytes(content)
        try:
            return inspect_image(path, disk_format, "mine")
        except ImageRefused as error:
            return error


def patched(content: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    file = bytearray(content)
    for offset, part in changes:
        file[offset : offset + len(part)] = part
    return bytes(file)


@given(starts, st.binary(max_size=1500), st.sampled_from(DISK_FORMATS))
def test_any_bytes(start: bytes, rest: bytes, disk_format: str) -> None:
    found = outcome(start + rest, disk_format)
    assert isinstance(found, ImageFacts) or found.message.isprintable()


@given(which, patches, st.integers(min_value=0, max_value=6 * CLUSTER))
def test_a_patched_and_cut_qcow2(which: int, changes: list[tuple[int, bytes]], length: int) -> None:
    whole = patched(GOOD[which], changes)
    for content in (whole, whole[:length]):
        found = outcome(content, "qcow2")
        assert isinstance(found, ImageFacts) or found.message.isprintable()


@pytest.mark.real
@settings(max_examples=examples(60))
@given(which, patches)
def test_qemu_finds_no_other_file_in_what_is_taken(
    which: int, changes: list[tuple[int, bytes]]
) -> None:
    program = shutil.which("qemu-img")
    if program is None:
        pytest.skip("qemu-img is not installed (package qemu-utils)")
    content = patched(GOOD[which], changes)
    if isinstance(outcome(content, "qcow2"), ImageRefused):
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "image")
        path.write_bytes(content)
        done = subprocess.run(
            (program, "info", "--output=json", "-f", "qcow2", str(path)),
            check=False,
            capture_output=True,
            timeout=30,
        )
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert "backing-filename" not in info
    assert "data-file" not in info.get("format-specific", {}).get("data", {})
    assert not info.get("encrypted", False)
