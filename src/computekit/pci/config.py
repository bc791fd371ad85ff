"""A host's PCI configuration in a file."""

import tomllib
from collections.abc import Iterator, Mapping

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.model import FrozenMap
from computekit.pci.affinity_set import AffinitySet, parse_affinity_sets
from computekit.pci.alias import Alias, parse_aliases
from computekit.pci.entry import Entry, JsonObject, near, parse_json
from computekit.pci.spec import DeviceSpec, parse_device_specs

__all__ = ["PciConfig", "parse_pci_config"]

_KNOWN = (
    *("device_spec", "alias", "affinity_set", "report_in_placement", "allow_iommu_split"),
    *("num_pcie_ports", "vgpu_types"),
)


@attrs.frozen
class PciConfig:
    """What guests may get of a host, and under which names.

    Attributes:
        specs: in the order of the file.
        aliases: by name.
        allow_iommu_split: whether groups may share IOMMU groups with devices that the host uses.
        guest_ports: for how many devices a guest has ports; None: not said.
        in_placement: whether the host reports its devices to Placement.
        affinity_sets: what must lie together when it is asked for together.
        vgpu_types: names of types of virtual GPUs by number, for those that no VF lists now.
    """

    specs: tuple[DeviceSpec, ...] = ()
    aliases: FrozenMap[str, Alias] = FrozenMap()
    allow_iommu_split: bool = False
    guest_ports: int | None = None
    in_placement: bool = True
    affinity_sets: tuple[AffinitySet, ...] = ()
    vgpu_types: FrozenMap[int, str] = FrozenMap()


def parse_pci_config(text: str, *, syntax: str) -> PciConfig:
    """Return the configuration that a file holds.

    Keys: `device_spec` and `alias`, lists of Nova's forms: JSON in a string, or the file's own
    objects; `report_in_placement` (true unless said), `allow_iommu_split` (false),
    `affinity_set`, a list too, `num_pcie_ports`, and `vgpu_types`, names by
    number.

    Args:
        text: of the file.
        syntax: `toml` or `json`.

    Raises:
        InvalidInput: with every fault, its code and its place.
    """
    faults: list[Fault] = []
    try:
        whole: object = tomllib.loads(text) if syntax == "toml" else parse_json(text)
    except RecursionError:
        message = f"the file is no {syntax.upper()}: it is nested too deeply"
        raise InvalidInput((Fault("", "C01", message),)) from None
    except ValueError as error:
        raise InvalidInput(
            (Fault("", "C01", f"the file is no {syntax.upper()}: {error}"),)
        ) from error
    if not isinstance(whole, dict):
        message = "the file holds no object with device_spec and alias"
        raise InvalidInput((Fault("", "C01", message),))
    entry = _Whole({str(key): value for key, value in whole.items()}, faults)
    if isinstance(whole, JsonObject):
        faults.extend(Fault(key, "C02", "the key stands here twice") for key in whole.twice)
    for key in entry.values:
        if key not in _KNOWN:
            entry.fault(key, "C03", f"no such key{near(key, _KNOWN)}")
    in_placement = entry.flag("report_in_placement") is not False
    specs = parse_device_specs(entry.listed("device_spec"), faults, in_placement=in_placement)
    aliases = parse_aliases(entry.listed("alias"), faults, in_placement=in_placement)
    config = PciConfig(
        specs=specs,
        aliases=aliases,
        allow_iommu_split=entry.flag("allow_iommu_split") is True,
        guest_ports=entry.number("num_pcie_ports", 0, 1_000),
        in_placement=in_placement,
        affinity_sets=parse_affinity_sets(entry.listed("affinity_set"), aliases, faults),
        vgpu_types=_vgpu_types(entry),
    )
    if faults:
        raise InvalidInput(tuple(faults))
    return config


def _vgpu_types(entry: Entry) -> FrozenMap[int, str]:
    value = entry.values.get("vgpu_types", {})
    if not isinstance(value, dict):
        entry.fault("vgpu_types", "C07", "names by number are wanted")
        return FrozenMap()
    found: dict[int, str] = {}
    for number, name in value.items():
        if not (isinstance(number, str) and number.isascii() and number.isdecimal()):
            entry.fault(f"vgpu_types.{number}", "C07", "the number of a type is wanted")
        elif not isinstance(name, str) or not name.strip():
            entry.fault(f"vgpu_types.{number}", "C07", "the name of a type is wanted")
        else:
            found[int(number[:9])] = name
    return FrozenMap(found)


class _Whole(Entry):
    """The outermost object, whose keys are paths by themselves."""

    def __init__(self, values: Mapping[str, object], faults: list[Fault]) -> None:
        super().__init__("", values, faults, "C")

    def fault(self, key: str, code: str, message: str) -> None:
        self._faults.append(Fault(key, code, message))

    def listed(self, key: str) -> Iterator[object]:
        """Return each occurrence of an option that may occur several times."""
        value = self.values.get(key, [])
        if isinstance(value, list):
            yield from value
        else:
            yield value
