"""Nova's filters on what an image asks of the host that runs it."""

import operator
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, TypeAlias

import attrs
import numpy as np

from computekit.ids import HostName, ImageId
from computekit.model import FrozenMap
from computekit.placement import BoolArray, FleetIndex, Rows
from computekit.scheduler.blocks import FloatArray
from computekit.scheduler.changes import Adjustment, Drop
from computekit.scheduler.demands import Malformed, without_image_property
from computekit.scheduler.figure_predicates import AtLeast
from computekit.scheduler.overlays import among
from computekit.scheduler.predicates import Predicate
from computekit.scheduler.remembered import remembered
from computekit.scheduler.request import Request

__all__ = [
    "HostAmong",
    "ImagePropertiesFilter",
    "IsolatedHostsFilter",
    "OffersVersion",
    "RunsImage",
    "plain_word",
]

KIND_KEYS = ("hw_architecture", "img_hv_type", "hw_vm_mode")
_VERSION = "img_hv_requested_version"
_BITS = "hw_maxphysaddr_bits"

# Other spellings of one thing (Nova, architectures, hypervisor types, modes of virtual machines).
_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {"amd64": "x86_64", "x64": "x86_64", "i386": "i686", "hv": "hvm", "pv": "xen", "xapi": "xen"}
)
_Version: TypeAlias = tuple[int, ...]
_COMPARISONS: Mapping[str, Callable[[_Version, _Version], bool]] = MappingProxyType(
    {
        "<=": operator.le,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        ">": operator.gt,
    }
)


def plain_word(word: str) -> str:
    """Return the one spelling of an architecture, a hypervisor type or a mode."""
    return _SPELLINGS.get(word.lower(), word.lower())


@attrs.frozen
class RunsImage:
    """The host runs guests of a kind: one of its kinds has every word that is asked for.

    Attributes:
        words: architecture, hypervisor type, mode of the virtual machine: those that are asked.
        keys: of the image's properties that ask for them.
    """

    words: frozenset[str]
    keys: tuple[str, ...]
    rule: ClassVar[str] = "kind of guest"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return " ".join(sorted(self.words))

    def _holds(self, kinds: str | None) -> bool:
        return any(self.words <= frozenset(kind.split("/")) for kind in (kinds or "").split())

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        return fleet.labels["guests"].where(self, self._holds, rows)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return fleet.labels["guests"][row] or "not known"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"image properties {', '.join(self.keys)}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        for key in self.keys:
            request = without_image_property(request, key)
        return request


@attrs.frozen
class OffersVersion:
    """The version of the host's hypervisor is as asked; one that is not known passes.

    Attributes:
        text: `>=6.0,<9` ...
        bounds: each as (comparison, version).
    """

    text: str
    bounds: tuple[tuple[str, _Version], ...]
    rule: ClassVar[str] = "hypervisor version"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return self.text

    def _holds(self, number: float) -> bool:
        found = _parts(int(number))
        return not found or all(_compared(found, how, wanted) for how, wanted in self.bounds)

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        versions = fleet.figures.vector("hypervisor_version", rows)
        return where_number(versions, self._holds)

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        found = _parts(int(fleet.figures.of("hypervisor_version", row) or 0))
        return ".".join(map(str, found)) or "not known"

    @property
    def demand(self) -> str:
        """What is asked for."""
        return f"image property {_VERSION}"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return (Drop(self),)

    def without(self, request: Request) -> Request:
        """Return the request without it."""
        return without_image_property(request, _VERSION)


def where_number(numbers: FloatArray, test: Callable[[float], bool]) -> BoolArray:
    """Return where `test` holds; it runs once for each distinct number."""
    found, at = np.unique(numbers, return_inverse=True)
    passed: BoolArray = np.array([test(number) for number in found.tolist()], dtype=np.bool_)
    return passed[at.reshape(-1)]


def _parts(number: int) -> _Version:
    """Return the parts of a version that is one number, as hypervisors give it."""
    parts: list[int] = []
    while number:
        number, part = divmod(number, 1000)
        parts.insert(0, part)
    return tuple(parts)


def _compared(found: _Version, how: str, wanted: _Version) -> bool:
    length = max(len(found), len(wanted))
    padded = (version + (0,) * (length - len(version)) for version in (found, wanted))
    return _COMPARISONS[how](*padded)


def _parse_bounds(text: str) -> tuple[tuple[str, _Version], ...]:
    """Return the comparisons of a list with commas.

    Raises:
        ValueError: something else stands there.
    """
    found: list[tuple[str, _Version]] = []
    for part in text.split(","):
        how = next((sign for sign in _COMPARISONS if part.strip().startswith(sign)), None)
        if how is None:
            raise ValueError(f"{part.strip()[:40]!r} does not begin with a comparison")
        version = part.strip().removeprefix(how).strip()
        pieces = version.split(".")
        if not all(piece.isascii() and piece.isdigit() for piece in pieces):
            raise ValueError(f"{version[:40]!r} is no version")
        found.append((how, tuple(map(int, pieces))))
    return tuple(found)


@attrs.frozen
class ImagePropertiesFilter:
    """Asks a host whether it runs guests of the image's kind.

    Attributes:
        default_architecture: what an image that names none is for; "" for any.
    """

    default_architecture: str = ""
    name: ClassVar[str] = "ImagePropertiesFilter"
    on_rebuild: ClassVar[bool] = True

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        image = request.intent.image
        properties = FrozenMap[str, str]() if image is None else image.properties
        return _of_image(properties, self.default_architecture)


@remembered
def _of_image(properties: FrozenMap[str, str], architecture: str) -> tuple[Predicate, ...]:
    return tuple(_each_of_image(properties, architecture))


def _each_of_image(properties: FrozenMap[str, str], architecture: str) -> Iterator[Predicate]:
    asked = {key: properties[key] for key in KIND_KEYS if properties.get(key)}
    words = {plain_word(word) for word in asked.values()}
    if architecture and "hw_architecture" not in asked:
        words.add(architecture)
    if words:
        yield RunsImage(frozenset(words), tuple(asked))
    if text := properties.get(_VERSION):
        try:
            yield OffersVersion(text, _parse_bounds(text))
        except ValueError as error:
            yield Malformed("hypervisor version", text, str(error), "image property", _VERSION)
    if bits := properties.get(_BITS):
        try:
            yield AtLeast("maxphysaddr_bits", int(bits), if_known=True)
        except ValueError:
            why = "is no whole number"
            yield Malformed("maxphysaddr bits", bits, why, "image property", _BITS)


@attrs.frozen
class HostAmong:
    """The host is one of some, or none of them.

    Attributes:
        hosts: their names.
        wanted: whether it is to be one of them.
    """

    hosts: frozenset[HostName]
    wanted: bool
    rule: ClassVar[str] = "isolated hosts"
    standing: ClassVar[bool] = True

    @property
    def asked(self) -> str:
        return "an isolated host" if self.wanted else "a host that is not isolated"

    def passed(self, fleet: FleetIndex, rows: Rows, /) -> BoolArray:
        found = among(fleet, self.hosts, rows)
        return found if self.wanted else ~found

    def there(self, fleet: FleetIndex, row: int, /) -> str:
        return "isolated" if fleet.names[row] in self.hosts else "not isolated"

    def changes(self, _fleet: FleetIndex, _row: int, /) -> tuple[Adjustment, ...]:
        return ()


@attrs.frozen
class IsolatedHostsFilter:
    """Keeps some hosts for some images, and these images on those hosts.

    Attributes:
        isolated_images: that run on isolated hosts only.
        isolated_hosts: the hosts.
        restrict_isolated_hosts_to_isolated_images: whether no other image runs there.
    """

    isolated_images: frozenset[ImageId] = frozenset()
    isolated_hosts: frozenset[HostName] = frozenset()
    restrict_isolated_hosts_to_isolated_images: bool = True
    name: ClassVar[str] = "IsolatedHostsFilter"
    on_rebuild: ClassVar[bool] = True

    def predicates(self, request: Request, /) -> tuple[Predicate, ...]:
        image = request.intent.image
        if image is not None and image.id in self.isolated_images:
            return (HostAmong(self.isolated_hosts, wanted=True),)
        if self.restrict_isolated_hosts_to_isolated_images and self.isolated_hosts:
            return (HostAmong(self.isolated_hosts, wanted=False),)
        return ()
