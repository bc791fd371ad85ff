"""What sysfs says of virtual GPUs below one function (Linux, mediated devices; NVIDIA vGPU)."""

from pathlib import Path

from computekit.pci.vgpu import MdevType, VgpuFacts, VgpuInterface, parse_creatable_types

__all__ = ["read_vgpu"]

_TEXT_BYTES = 65_536


def read_vgpu(home: Path, *, virtual: bool) -> VgpuFacts | None:
    """Return what the entry `home` says; None: nothing.

    Before the VFs of a card are enabled, the two generations with VFs look alike: as nothing.

    Args:
        home: of the function in sysfs.
        virtual: whether it is a VF.

    Raises:
        OSError: something is there and cannot be read.
        ValueError: something is there and is no number where one is wanted.
    """
    vendor = home / "nvidia"
    if (vendor / "current_vgpu_type").is_file():
        instance = vendor / "gpu_instance_id"
        number = _text(instance) if instance.is_file() else ""
        return VgpuFacts(
            VgpuInterface.VENDOR,
            current=_number(_text(vendor / "current_vgpu_type")),
            creatable=parse_creatable_types(_text(vendor / "creatable_vgpu_types")),
            # A GPU that is shared in time says N/A, or the largest number there is.
            gpu_instance=int(number) if number.isdecimal() and int(number) < 0xFFFFFFFF else None,
        )
    types = home / "mdev_supported_types"
    if not types.is_dir():
        return None
    return VgpuFacts(
        VgpuInterface.MDEV_ON_VF if virtual else VgpuInterface.MDEV,
        mdev_types=tuple(_mdev_type(path) for path in sorted(types.iterdir())),
    )


def _mdev_type(path: Path) -> MdevType:
    name = path / "name"
    return MdevType(
        path.name,
        _text(name) if name.is_file() else "",
        _number(_text(path / "available_instances")),
        _text(path / "device_api"),
    )


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_TEXT_BYTES).decode("utf-8", "replace").strip()


def _number(text: str) -> int:
    number = int(text, 0)
    if number < 0:
        raise ValueError(f"{text[:20]!r} is below zero")
    return number
