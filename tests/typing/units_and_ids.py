"""Quantities and ids do not mix. Checked by mypy, never run: an ignore that is not needed fails."""

from typing import assert_type

from computekit.ids import HostName, InstanceId, ProviderId
from computekit.units import Gib, Mib, gib_to_mib, mib_to_bytes


def a_conversion_has_the_unit_in_its_type(disk_gib: Gib, memory_mib: Mib) -> None:
    assert_type(gib_to_mib(disk_gib), Mib)
    gib_to_mib(memory_mib)  # type: ignore[arg-type]  # MiB are no GiB
    mib_to_bytes(2048)  # type: ignore[arg-type]  # a number alone is no quantity


def an_id_is_of_one_kind(instance: InstanceId, host: HostName) -> None:
    provider: ProviderId = instance  # type: ignore[assignment]  # an instance is no provider
    other: InstanceId = host  # type: ignore[assignment]  # a host is no instance
    del provider, other
