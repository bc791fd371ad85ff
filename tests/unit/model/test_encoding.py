from collections.abc import Callable

import attrs
import cattrs
import pytest

from computekit import errors
from computekit.ids import ConsumerId, ImageId, ProjectId, ProviderId, UserId
from computekit.model import (
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Image,
    RequestGroup,
    Resources,
    Trait,
    decode,
    decode_error,
    encode,
    encode_error,
)
from computekit.units import Bytes


def test_values_come_back_as_they_went() -> None:
    image = Image(
        ImageId("a"), "b", "raw", Bytes(1), Bytes(2), "x", properties=FrozenMap({"kernel_id": "k"})
    )
    allocation = Allocation(
        Consumer(ConsumerId("c"), ProjectId("p"), UserId("u")),
        FrozenMap({ProviderId("p1"): Resources({VCPU: 1})}),
    )
    group = RequestGroup(required=frozenset({frozenset({Trait("A"), Trait("B")})}))
    assert decode(encode(image), Image) == image
    assert decode(encode(allocation), Allocation) == allocation
    assert decode(encode(group), RequestGroup) == group


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(cattrs.BaseValidationError):
        decode('{"suffix":"","surprise":1}', RequestGroup)


def _make(kind: Callable[..., errors.ComputekitError], *values: object) -> errors.ComputekitError:
    return kind(*values)


def _instances() -> list[errors.ComputekitError]:
    found: list[errors.ComputekitError] = []
    for kind in errors.error_types().values():
        if kind is errors.InvalidInput:
            found.append(errors.InvalidInput((errors.Fault("a.b", "c", "d"),)))
            continue
        samples = {int: 3, float: 2.5, int | None: None}
        fields = attrs.fields(kind) if attrs.has(kind) else ()
        values = [samples.get(field.type, "word") for field in fields]
        found.append(_make(kind, *values))
    return found


@pytest.mark.parametrize("error", _instances(), ids=lambda error: error.code)
def test_every_error_survives_the_wire(error: errors.ComputekitError) -> None:
    again = decode_error(encode_error(error))
    assert type(again) is type(error)
    assert again.message == error.message
    assert str(again) == error.message


def test_an_unknown_error_keeps_its_words() -> None:
    again = decode_error('{"code":"from.the.future","message":"too new","fields":{"x":1}}')
    assert isinstance(again, errors.RemoteError)
    assert again.message == "too new (from.the.future)"


def test_codes_are_unique() -> None:
    def classes(kind: type[errors.ComputekitError]) -> list[type[errors.ComputekitError]]:
        return [kind, *(c for sub in kind.__subclasses__() for c in classes(sub))]

    assert len(errors.error_types()) == len(classes(errors.ComputekitError))
