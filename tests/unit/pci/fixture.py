"""The recorded sysfs, unpacked where a test may change it."""

import tarfile
from pathlib import Path

ARCHIVE = Path(__file__).resolve().parents[2] / "data/pci/qemu72-nvme-sriov-2pf-8vf-numa-sysfs.tgz"


def unpack(home: Path) -> Path:
    """Unpack below `home`; return the root of the sysfs."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # newer Pythons insist
        archive.extractall(home)
    return home / "sys"
