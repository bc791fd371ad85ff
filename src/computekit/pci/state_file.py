"""What a host remembers of its devices, as text."""

import json
from enum import Enum

import attrs
import cattrs
from cattrs.preconf.json import JsonConverter, make_converter

from computekit.errors import Fault, InvalidInput
from computekit.pci.address import PciAddress
from computekit.pci.provider_layout import PciAllocation
from computekit.pci.state import PciState

__all__ = ["PciMemory", "parse_pci_memory", "render_pci_memory"]

_VERSION = 1


@attrs.frozen
class PciMemory:
    """What a file with the memory of a host holds.

    Attributes:
        state: the units and who holds them.
        allocations: what Placement says about that, if anybody asked.
        version: of the form of the file.
    """

    state: PciState = attrs.field(factory=PciState)
    allocations: tuple[PciAllocation, ...] = ()
    version: int = _VERSION


def _make() -> JsonConverter:
    converter = make_converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(PciAddress, str)
    converter.register_structure_hook(PciAddress, _address)
    return converter


def _address(value: object, _kind: type) -> PciAddress:
    if not isinstance(value, str):
        raise ValueError("a PCI address is a string")
    return PciAddress.parse(value)


_CONVERTER = _make()


def render_pci_memory(memory: PciMemory) -> dict[str, object]:
    """Return it as what JSON can say; sets are sorted."""
    plain = _sorted(_CONVERTER.unstructure(memory))
    assert isinstance(plain, dict)  # a value with attributes
    return {str(key): value for key, value in plain.items()}


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [_sorted(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value


def parse_pci_memory(text: str) -> PciMemory:
    """Return the memory that a file holds; what `computekit pci plan --json` prints will do too.

    Raises:
        InvalidInput: with every fault; code P01 is no JSON, P02 is something in a wrong place.
    """
    try:
        whole: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput((Fault("", "P01", f"the file is no JSON: {error}"),)) from error
    if isinstance(whole, dict) and "memory" in whole:
        whole = whole["memory"]
    if not isinstance(whole, dict):
        raise InvalidInput((Fault("", "P01", "the file holds no object"),))
    try:
        memory = _CONVERTER.structure(whole, PciMemory)
    except (cattrs.BaseValidationError, AttributeError, TypeError, ValueError) as error:
        said = cattrs.transform_error(error)
        raise InvalidInput(tuple(_fault(line) for line in said)) from error
    if memory.version != _VERSION:
        message = f"the file has the form {memory.version}, and this is written for {_VERSION}"
        raise InvalidInput((Fault("version", "P02", message),))
    return memory


def _fault(line: str) -> Fault:
    message, _at, path = line.rpartition(" @ ")
    return Fault(path.removeprefix("$").removeprefix("."), "P02", message or path)
