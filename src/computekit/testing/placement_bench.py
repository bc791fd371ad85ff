"""What the laws of placement are tried on: an empty implementation, a tree, a claim."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import attrs
import pytest

from computekit.clock import Clock
from computekit.errors import (
    ComputekitError,
)
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    Provider,
    ProviderTree,
    ResourceClass,
    Trait,
)
from computekit.placement import Claim, CounterClaim, PlacementWriter
from computekit.work import Store, Tx

__all__ = [
    "CHILD_CLASS",
    "PlacementBench",
    "PlacementSuite",
    "example_claim",
    "example_tree",
    "with_root",
]

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=ComputekitError)

CHILD_CLASS = ResourceClass("CUSTOM_FPGA")


@attrs.frozen
class PlacementBench:
    """An empty implementation, the store that it writes in and the clock that it looks at."""

    store: Store
    placement: PlacementWriter
    clock: Clock

    def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a port's method in a transaction of its own."""
        return self.store.write(lambda tx: fn(tx, *args, **kwargs))

    def put(self, tree: ProviderTree) -> ProviderTree:
        """Write a tree in a transaction of its own."""
        return self.write(self.placement.put_tree, tree)

    def claim(self, allocation: Allocation, *counters: CounterClaim) -> Allocation:
        """Claim in a transaction of its own."""
        (granted,) = self.write(self.placement.claim, (Claim(allocation, counters),))
        return granted

    def release(self, consumer: str) -> None:
        """Release in a transaction of its own."""
        self.write(self.placement.release, ConsumerId(consumer))

    def generation(self, provider: str) -> int:
        """Return the generation of a provider that is there."""
        row = self.placement.provider(ProviderId(provider))
        assert row is not None
        return row.generation

    def used(self, provider: str) -> Mapping[ResourceClass, int]:
        """Return what is used of a provider that is there."""
        (use,) = self.placement.uses(frozenset({ProviderId(provider)}))
        return use.used

    def refused(
        self,
        kind: type[E],
        fn: Callable[Concatenate[Tx, P], object],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> E:
        """Return the error that `fn` raises; it has written nothing, though it is committed."""
        head = self.store.head()
        before = self.placement.uses()

        def write(tx: Tx) -> E:
            with pytest.raises(kind) as raised:
                fn(tx, *args, **kwargs)
            return raised.value

        error = self.store.write(write)
        assert type(error) is kind
        assert self.store.head() == head
        assert self.placement.uses() == before
        return error

    def check(self) -> None:
        """Assert that what is used is what allocations hold."""
        for use in self.placement.uses():
            held: dict[ResourceClass, int] = {}
            for allocation in self.placement.allocations(use.provider.id):
                for name, amount in allocation.resources[use.provider.id].items():
                    held[name] = held.get(name, 0) + amount
            assert held == use.used, use.provider.id


def example_tree(name: str, *, vcpu: int = 8, children: int = 2) -> ProviderTree:
    """Return a host with memory and CPUs, and devices below it."""
    root = Provider(
        id=ProviderId(name),
        name=f"host {name}",
        inventories=FrozenMap(
            {
                VCPU: Inventory(total=vcpu),
                MEMORY_MB: Inventory(total=1000, reserved=100, allocation_ratio=1.5),
                DISK_GB: Inventory(total=100, min_unit=10, max_unit=50, step_size=10),
            }
        ),
        traits=frozenset({Trait("HW_CPU_X86_AVX2"), Trait("CUSTOM_GOLD")}),
        aggregates=frozenset({AggregateId("rack-1")}),
    )
    devices = (
        Provider(
            id=ProviderId(f"{name}-dev{n}"),
            name=f"device {n} of {name}",
            parent=root.id,
            inventories=FrozenMap({CHILD_CLASS: Inventory(total=1)}),
        )
        for n in range(children)
    )
    return ProviderTree((root, *devices))


def example_claim(
    consumer: str, wants: Mapping[str, Mapping[ResourceClass, int]], *, generation: int = 0
) -> Allocation:
    """Return an allocation by provider and class."""
    return Allocation(
        Consumer(ConsumerId(consumer), ProjectId("project"), UserId("user"), generation=generation),
        FrozenMap({ProviderId(p): FrozenMap(amounts) for p, amounts in wants.items()}),
    )


def with_root(tree: ProviderTree, root: Provider) -> ProviderTree:
    """Return the tree with another root of the same id."""
    return ProviderTree((root, *tree.providers[1:]))


class PlacementSuite(ABC):
    """Subclass it as `Test...` and give it `open`."""

    @abstractmethod
    def open(self, directory: Path) -> AbstractContextManager[PlacementBench]:
        """Return an empty bench; it may keep files in `directory`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[PlacementBench]:
        with self.open(tmp_path) as bench:
            yield bench
