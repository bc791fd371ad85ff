"""The recorded sysfs with what a driver of virtual GPUs adds to it."""

from pathlib import Path

TYPES = {1: "NVIDIA H200X-1-18C", 2: "NVIDIA H200X-3-71C", 3: "NVIDIA H200X-141C"}
CREATABLE = "ID    : vGPU Name\n" + "".join(
    f"{number} : {name}\n" for number, name in TYPES.items()
)


def add_vgpu(root: Path, vf: str, current: int = 0, *, creatable: str = CREATABLE) -> None:
    """Let a VF say what it is and could become."""
    home = root / "bus/pci/devices" / vf / "nvidia"
    home.mkdir()
    (home / "current_vgpu_type").write_text(f"{current}\n", "utf-8")
    (home / "creatable_vgpu_types").write_text(creatable, "utf-8")
    (home / "gpu_instance_id").write_text("4294967295\n" if current == 3 else "7\n", "utf-8")


def add_mdev_type(root: Path, device: str, type_id: str, available: int) -> None:
    """Let a device offer a type of mediated devices."""
    home = root / "bus/pci/devices" / device / "mdev_supported_types" / type_id
    home.mkdir(parents=True)
    (home / "name").write_text("GRID T4-1Q\n", "utf-8")
    (home / "available_instances").write_text(f"{available}\n", "utf-8")
    (home / "device_api").write_text("vfio-pci\n", "utf-8")
