"""The values of `resources`, `required`, `member_of` and `in_tree` in query strings."""

import re

import attrs

from computekit.http.placement.body import bad_request
from computekit.http.placement.query import INVALID
from computekit.http.placement.uuids import canonical_uuid
from computekit.ids import AggregateId, ProviderId
from computekit.model import FrozenMap, ResourceClass, Resources, Trait

__all__ = [
    "Aggregates",
    "Traits",
    "parse_aggregates",
    "parse_resources",
    "parse_traits",
    "parse_tree",
]

_INTEGER = re.compile(r"\s*[+-]?\d+\s*\Z")
_ANY_OF = "in:HW_CPU_X86_VMX,CUSTOM_MAGIC"


@attrs.frozen
class Traits:
    """What traits parameters ask.

    Attributes:
        required: of each set, one.
        forbidden: none of these.
    """

    required: frozenset[frozenset[Trait]] = frozenset()
    forbidden: frozenset[Trait] = frozenset()

    @property
    def conflict(self) -> tuple[Trait, ...]:
        """The traits of the sets that cannot be met, by name."""
        hopeless = [one_of for one_of in self.required if one_of <= self.forbidden]
        return tuple(sorted(frozenset().union(*hopeless)))


@attrs.frozen
class Aggregates:
    """What `member_of` parameters ask.

    Attributes:
        required: of each set, one.
        forbidden: none of these.
    """

    required: frozenset[frozenset[AggregateId]] = frozenset()
    forbidden: frozenset[AggregateId] = frozenset()


def parse_resources(text: str) -> Resources:
    """Return amounts by class; more than can ever be there becomes just that.

    Raises:
        Refused: it is not of the form `VCPU:2,MEMORY_MB:1024`.
    """
    found: dict[ResourceClass, int] = {}
    for part in text.split(",") if text else ("empty string",):
        name, colon, amount = part.partition(":")
        if not colon or ":" in amount:
            raise bad_request(
                "Badly formed resources parameter. Expected resources query string parameter in "
                f"form: ?resources=VCPU:2,MEMORY_MB:1024. Got: {part}."
            )
        if _INTEGER.match(amount) is None or len(amount) > 1000:
            raise bad_request(
                f"Requested resource {name} expected positive integer amount. Got: {amount}."
            )
        if (number := int(amount)) < 1:
            raise bad_request(f"Requested resource {name} requires amount >= 1. Got: {number}.")
        found[ResourceClass(name)] = number
    return FrozenMap(found)


def parse_traits(values: tuple[str, ...], *, forbidden: bool, any_of: bool) -> Traits:
    """Return what the values of one parameter ask together.

    Args:
        values: each `A,!B` or `in:A,B`.
        forbidden: whether `!` is known.
        any_of: whether `in:` is known.

    Raises:
        Refused: one of them is not of that form.
    """
    required: set[frozenset[Trait]] = set()
    unwanted: set[Trait] = set()
    for value in values:
        if value.startswith("in:"):
            required.add(_any_of(value, known=any_of))
            continue
        form = "HW_CPU_X86_VMX,!CUSTOM_MAGIC" if forbidden else "HW_CPU_X86_VMX,CUSTOM_MAGIC"
        names = [name.strip() for name in value.split(",")]
        if not forbidden and any(name.startswith("!") for name in names):
            raise _bad_traits(f"Expected 'required' parameter value of the form: {form}.", value)
        if not all(name.lstrip("!") for name in names):
            raise _empty_trait(form, value)
        for name in names:
            trait = Trait(name.lstrip("!"))
            if name.startswith("!"):
                unwanted.add(trait)
            else:
                required.add(frozenset((trait,)))
    return Traits(frozenset(required), frozenset(unwanted))


def _any_of(value: str, *, known: bool) -> frozenset[Trait]:
    if not known:
        raise _bad_traits(f"The format '{_ANY_OF}' only supported since microversion 1.39.", value)
    if "!" in value:
        raise _bad_traits(f"The format '{_ANY_OF}' does not support forbidden traits.", value)
    names = [name.strip() for name in value.removeprefix("in:").split(",")]
    if not all(names):
        raise _empty_trait(_ANY_OF, value)
    return frozenset(Trait(name) for name in names)


def _bad_traits(why: str, value: str) -> Exception:
    return bad_request(f"{INVALID}: {why} Got: {value}")


def _empty_trait(form: str, value: str) -> Exception:
    return bad_request(
        f"{INVALID}: Expected 'required' parameter value of the form: {form}. "
        f"Got an empty trait in: {value}"
    )


def parse_aggregates(values: tuple[str, ...], *, repeated: bool, forbidden: bool) -> Aggregates:
    """Return what the values of one parameter ask together.

    Args:
        values: each `A`, `in:A,B`, `!A` or `!in:A,B`.
        repeated: whether there may be several values.
        forbidden: whether `!` is known.

    Raises:
        Refused: one of them is not of that form.
    """
    if len(values) > 1 and not repeated:
        raise bad_request("Multiple member_of parameters are not supported")
    required: set[frozenset[AggregateId]] = set()
    unwanted: set[AggregateId] = set()
    for value in values:
        if value.startswith("!") and not forbidden:
            raise bad_request(
                "Forbidden member_of parameters are not supported in the specified microversion"
            )
        ids = _aggregates(value, value.removeprefix("!"))
        if value.startswith("!"):
            unwanted |= ids
        else:
            required.add(ids)
    return Aggregates(frozenset(required), frozenset(unwanted))


def _aggregates(value: str, named: str) -> frozenset[AggregateId]:
    if named.startswith("in:"):
        texts = named.removeprefix("in:").split(",")
    elif "," in named:
        raise bad_request(
            "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword "
            f"using the valid microversion. Got: {value}"
        )
    else:
        texts = [named]
    found: set[AggregateId] = set()
    for text in texts:
        uuid = canonical_uuid(text)
        if uuid is None:
            raise bad_request(
                f"{INVALID}: Expected 'member_of' parameter to contain valid UUID(s). Got: {text}"
            )
        found.add(AggregateId(uuid))
    return frozenset(found)


def parse_tree(text: str) -> ProviderId:
    """Return the provider whose tree is meant.

    Raises:
        Refused: it is not a UUID.
    """
    uuid = canonical_uuid(text)
    if uuid is None:
        raise bad_request(
            f"{INVALID}: Expected 'in_tree' parameter to be a format of uuid. Got: {text}"
        )
    return ProviderId(uuid)
