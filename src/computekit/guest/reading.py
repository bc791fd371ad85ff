"""Reading keys of a flavor and an image, with everything that is wrong with them collected."""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar

from computekit.errors import Fault, InvalidInput
from computekit.guest.keys import property_path, quoted, spec_path
from computekit.model import MAX_AMOUNT, Flavor, Image

__all__ = ["SpecReader", "one_of", "positive", "truth"]

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

_MOST_VCPUS = 65_536
_NUMBER = re.compile(r"[0-9]{1,10}\Z")
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"", "0", "f", "false", "n", "no", "off"})


class SpecReader:
    """Reads keys of both sources and collects what is wrong with them.

    Attributes:
        flavor: one source.
        image: the other.
        vcpus: the guest's, by number.
        faults: of what was read so far.
    """

    def __init__(self, flavor: Flavor, image: Image) -> None:
        self.flavor: Flavor = flavor
        self.image: Image = image
        self.vcpus: frozenset[int] = frozenset(range(min(flavor.vcpus, _MOST_VCPUS)))
        self.faults: list[Fault] = []

    def raise_faults(self) -> None:
        """Raise InvalidInput with all faults, if there are any."""
        if self.faults:
            raise InvalidInput(tuple(self.faults))

    def fault(self, path: str, code: str, message: str) -> None:
        """Take note of one more fault."""
        self.faults.append(Fault(path, code, message))

    def of_flavor(self, name: str, parse: Callable[[str], T], scope: str = "hw") -> T | None:
        """Return what the extra spec `hw:name` says; None if it is not there, or wrong."""
        key = f"{scope}:{name}"
        return self._read(self.flavor.extra_specs, key, spec_path(key), parse)

    def of_image(self, name: str, parse: Callable[[str], T], scope: str = "hw") -> T | None:
        """Return what the property `hw_name` says; None if it is not there, or wrong."""
        key = f"{scope}_{name}"
        return self._read(self.image.properties, key, property_path(key), parse)

    def agreed(self, name: str, parse: Callable[[str], T], scope: str = "hw") -> T | None:
        """Return what flavor, image or both say; they may not say different things."""
        before = len(self.faults)
        of_flavor = self.of_flavor(name, parse, scope)
        of_image = self.of_image(name, parse, scope)
        if len(self.faults) > before:
            return None
        if of_flavor is not None and of_image is not None and of_flavor != of_image:
            key = f"{scope}:{name}"
            flavors = quoted(self.flavor.extra_specs[key])
            images = quoted(self.image.properties[f"{scope}_{name}"])
            message = (
                f"{flavors}, but {scope}_{name} of the image is {images}: "
                "let them agree or drop one"
            )
            self.fault(spec_path(key), "conflict", message)
        return of_image if of_flavor is None else of_flavor

    def flavor_or_image(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Return what the flavor says, else the image; both are a fault: NUMA is the flavor's."""
        of_flavor, of_image = self.of_flavor(name, parse), self.of_image(name, parse)
        if of_flavor is not None and of_image is not None:
            self.fault(
                property_path(f"hw_{name}"),
                "conflict",
                f"the flavor says hw:{name} already; an image may not say it again",
            )
        return of_image if of_flavor is None else of_flavor

    def _read(
        self, source: Mapping[str, str], key: str, path: str, parse: Callable[[str], T]
    ) -> T | None:
        text = source.get(key)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.fault(path, "invalid_value", str(error))
            return None


def one_of(kind: type[E]) -> Callable[[str], E]:
    """Return a parser of the values of an enumeration."""
    words = ", ".join(str(member.value) for member in kind)

    def parse(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{quoted(text)} is not one of {words}") from None

    return parse


def positive(text: str) -> int:
    """Parse a whole number from 1.

    Raises:
        ValueError: this is none, or none of 32 bits.
    """
    if _NUMBER.match(text.strip()) is None or not 0 < int(text) <= MAX_AMOUNT:
        raise ValueError(f"{quoted(text)} is not a number from 1")
    return int(text)


def truth(text: str) -> bool:
    """Parse yes or no, in the words that Nova takes.

    Raises:
        ValueError: this is neither.
    """
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{quoted(text)} is neither true nor false")
    return word in _TRUE
