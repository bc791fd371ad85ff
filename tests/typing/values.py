"""Values are frozen, collections are immutable. Checked by mypy, never run."""

from typing import assert_type

import attrs

import computekit
from computekit.errors import ComputekitError, Fault, InvalidInput
from computekit.model import Flavor, FrozenMap
from computekit.units import Mib
from computekit.work import Store, Tx


def a_value_does_not_change(flavor: Flavor) -> None:
    flavor.memory_mib = Mib(1)  # type: ignore[misc]  # make another one
    assert_type(attrs.evolve(flavor, memory_mib=Mib(1)), Flavor)


def a_map_does_not_change(extra_specs: FrozenMap[str, str]) -> None:
    extra_specs["hw:cpu_policy"] = "dedicated"  # type: ignore[index]  # it has no __setitem__
    assert_type(extra_specs["hw:cpu_policy"], str)


def the_headline_names_keep_their_types() -> None:
    assert_type(computekit.ComputekitError, type[ComputekitError])
    computekit.no_such_name  # type: ignore[attr-defined]  # noqa: B018  # not every name is there


def a_write_returns_what_its_function_returned(store: Store) -> None:
    def count(tx: Tx) -> int:
        tx.changed("host", "a")
        return 1

    assert_type(store.write(count), int)


def faults_are_a_tuple() -> None:
    InvalidInput((Fault("flavor.name", "empty", "a name is needed"),))
    InvalidInput([])  # type: ignore[arg-type]  # a list could change
