"""Whoever has accelerators: what there is, making one ready, what to attach, taking it back."""

from typing import Protocol

import attrs

from computekit.clock import Deadline
from computekit.errors import Fault, InvalidInput, NotFound, StateConflict
from computekit.ids import InstanceId, ProviderId
from computekit.model import FrozenMap, ResourceClass, Trait
from computekit.pci.address import PciAddress

__all__ = [
    "Accelerator",
    "AcceleratorBinding",
    "AttachHandle",
    "DeviceProvider",
    "DryHandle",
    "MdevHandle",
    "MemoryDeviceProvider",
    "PciHandle",
    "parse_attach_handle",
]


@attrs.frozen
class Accelerator:
    """Something that a provider can give.

    Attributes:
        id: of it, unique for its device provider.
        provider: in Placement.
        resource_class: that it is one of.
        traits: of the provider.
    """

    id: str
    provider: ProviderId
    resource_class: ResourceClass
    traits: frozenset[Trait] = frozenset()


@attrs.frozen
class PciHandle:
    """A PCI device to attach.

    Attributes:
        address: in the host.
        physical_network: that it is on; None: none.
    """

    address: PciAddress
    physical_network: str | None = None


@attrs.frozen
class MdevHandle:
    """A mediated device to attach. The compute host creates it, and removes what it has created.

    Attributes:
        uuid: of it.
        parent: to create it on.
        type: of it.
    """

    uuid: str
    parent: PciAddress
    type: str


@attrs.frozen
class DryHandle:
    """Nothing to attach: for trying everything else.

    Attributes:
        kind: how Cyborg calls it.
    """

    kind: str = "TEST_PCI"


AttachHandle = PciHandle | MdevHandle | DryHandle


@attrs.frozen
class AcceleratorBinding:
    """An accelerator for an instance.

    Attributes:
        id: of the binding; the same again means the same.
        instance: that gets it.
        accelerator: which.
        options: what only the accelerator's own driver understands.
    """

    id: str
    instance: InstanceId
    accelerator: str
    options: FrozenMap[str, str] = FrozenMap()


class DeviceProvider(Protocol):
    """A source of accelerators on one host. Every call may be repeated."""

    def discover(self) -> tuple[Accelerator, ...]:
        """Return what there is, by id."""
        ...

    def prepare(self, binding: AcceleratorBinding, deadline: Deadline) -> AttachHandle:
        """Make an accelerator ready for an instance; return what to attach.

        Raises:
            NotFound: there is no such accelerator.
            StateConflict: another binding has it.
            HostError: it cannot be made ready; it is nobody's then.
            DeadlineExceeded: it takes too long; call again, or release.
        """
        ...

    def handle(self, binding: AcceleratorBinding) -> AttachHandle | None:
        """Return what to attach; None: it is not ready for this binding."""
        ...

    def release(self, binding: AcceleratorBinding, deadline: Deadline) -> None:
        """Take an accelerator back; nothing happens if it is not this binding's.

        Raises:
            HostError: it cannot be taken back now.
            DeadlineExceeded: it takes too long; call again.
        """
        ...


class MemoryDeviceProvider:
    """Accelerators that are not there.

    Args:
        accelerators: what there is, each with what to attach.
    """

    def __init__(self, accelerators: dict[Accelerator, AttachHandle]) -> None:
        self._all = {it.id: it for it in accelerators}
        self._handles = {it.id: handle for it, handle in accelerators.items()}
        self._bound: dict[str, AcceleratorBinding] = {}

    def discover(self) -> tuple[Accelerator, ...]:
        """Return what there is, by id."""
        return tuple(self._all[id_] for id_ in sorted(self._all))

    def prepare(self, binding: AcceleratorBinding, deadline: Deadline) -> AttachHandle:
        """Make an accelerator ready for an instance; return what to attach."""
        deadline.check(f"preparing {binding.accelerator}")
        if binding.accelerator not in self._all:
            raise NotFound("accelerator", binding.accelerator)
        other = self._bound.setdefault(binding.accelerator, binding)
        if other.id != binding.id:
            subject = f"accelerator {binding.accelerator}"
            raise StateConflict(subject, f"bound by {other.id}", "it free")
        return self._handles[binding.accelerator]

    def handle(self, binding: AcceleratorBinding) -> AttachHandle | None:
        """Return what to attach; None: it is not ready for this binding."""
        bound = self._bound.get(binding.accelerator)
        if bound is None or bound.id != binding.id:
            return None
        return self._handles[binding.accelerator]

    def release(self, binding: AcceleratorBinding, deadline: Deadline) -> None:
        """Take an accelerator back."""
        deadline.check(f"releasing {binding.accelerator}")
        bound = self._bound.get(binding.accelerator)
        if bound is not None and bound.id == binding.id:
            del self._bound[binding.accelerator]


_PARTS = ("domain", "bus", "device", "function")


def parse_attach_handle(kind: str, info: FrozenMap[str, str], path: str) -> AttachHandle:
    """Return what to attach, in Cyborg's words.

    Args:
        kind: `PCI`, `MDEV` or `TEST_...`.
        info: numbers in hexadecimal; of mediated devices `asked_type` and `attach_handle_uuid` too.
        path: where it stands.

    Raises:
        InvalidInput: V06. An unknown kind is one: a guest without what it asked for must not start.
    """
    if kind.startswith("TEST_"):
        return DryHandle(kind)
    if kind not in {"PCI", "MDEV"}:
        raise InvalidInput((Fault(path, "V06", f"nobody knows how to attach {kind[:40]!r}"),))
    try:
        address = PciAddress(*(int(info[part], 16) for part in _PARTS))
        if PciAddress.parse(str(address)) != address:
            raise ValueError(str(address))
        if kind == "PCI":
            return PciHandle(address, info.get("physical_network"))
        return MdevHandle(info["attach_handle_uuid"], address, info["asked_type"])
    except (KeyError, ValueError) as error:
        fault = Fault(path, "V06", f"the handle of kind {kind} is malformed: {error}")
        raise InvalidInput((fault,)) from error
