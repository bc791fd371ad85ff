"""What the laws of `PlacementService` are tried on: a service that may hold other things."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import attrs
import pytest

from computekit.errors import ComputekitError
from computekit.ids import AggregateId, ConsumerId, ProjectId, ProviderId, UserId, new_uuid
from computekit.model import (
    Allocation,
    Consumer,
    FrozenMap,
    Inventory,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
    Resources,
    Trait,
)
from computekit.placement import Candidate, CandidatePage, PlacementService

__all__ = ["SHARING", "ServiceBench", "ServiceSuite", "group"]

P = ParamSpec("P")
E = TypeVar("E", bound=ComputekitError)

SHARING = Trait("MISC_SHARES_VIA_AGGREGATE")


@attrs.frozen
class ServiceBench:
    """A service, and names that nobody else uses there.

    Attributes:
        service: may be shared with other tests, and hold what they left.
        source: where ids come from.
        home: an aggregate of the test's own, so that its searches find only what it made.
    """

    service: PlacementService
    source: random.Random
    home: AggregateId

    def uuid(self) -> str:
        """Return an id that is new."""
        return new_uuid(self.source)

    def custom(self) -> str:
        """Return a custom name that is new."""
        return f"CUSTOM_{self.source.getrandbits(64):X}"

    def provider(
        self,
        inventories: Mapping[ResourceClass, Inventory | int] | None = None,
        *,
        traits: tuple[Trait, ...] = (),
        aggregates: tuple[AggregateId, ...] = (),
        parent: ProviderId | None = None,
    ) -> ProviderId:
        """Return a new provider with these parts; a root without aggregates is at home."""
        provider = ProviderId(self.uuid())
        self.service.create_provider(provider, f"p-{provider}", parent)
        if inventories:
            whole = {
                name: Inventory(given) if isinstance(given, int) else given
                for name, given in inventories.items()
            }
            self.service.set_inventories(provider, self.generation(provider), FrozenMap(whole))
        if traits:
            self.service.set_traits(provider, self.generation(provider), frozenset(traits))
        groups = frozenset(aggregates or ((self.home,) if parent is None else ()))
        if groups:
            self.service.set_aggregates(provider, self.generation(provider), groups)
        return provider

    def generation(self, provider: ProviderId) -> int:
        """Return the generation of a provider."""
        return self.service.provider(provider).provider.generation

    def used(self, provider: ProviderId) -> Mapping[ResourceClass, int]:
        """Return what is used of a provider."""
        return self.service.provider(provider).used

    def allocation(
        self,
        wants: Mapping[ProviderId, Mapping[ResourceClass, int]],
        consumer: ConsumerId | None = None,
        *,
        generation: int = 0,
        kind: str | None = "INSTANCE",
        project: str = "project",
        user: str = "user",
    ) -> Allocation:
        """Return what a consumer, a new one by default, is to hold."""
        who = consumer or ConsumerId(self.uuid())
        return Allocation(
            Consumer(who, ProjectId(project), UserId(user), kind, generation),
            FrozenMap({provider: FrozenMap(amounts) for provider, amounts in wants.items()}),
        )

    def held(self, consumer: ConsumerId) -> Allocation:
        """Return what a consumer holds that is known."""
        found = self.service.allocation(consumer)
        assert found is not None
        return found

    def find(
        self,
        *groups: RequestGroup,
        limit: int | None = None,
        group_policy: Literal["none", "isolate"] | None = None,
        root_required: frozenset[Trait] = frozenset(),
        root_forbidden: frozenset[Trait] = frozenset(),
        same_subtree: tuple[frozenset[str], ...] = (),
    ) -> CandidatePage:
        """Return the candidates of a request whose unsuffixed group is at home.

        One that names aggregates or a tree itself is left as it is.
        """
        at_home = tuple(
            one
            if one.member_of or one.in_tree or one.suffix
            else attrs.evolve(one, member_of=frozenset({frozenset({self.home})}))
            for one in groups
        )
        request = PlacementRequest(
            at_home, group_policy, root_required, root_forbidden, same_subtree
        )
        return self.service.candidates(request, limit=limit)

    def refused(
        self, kind: type[E], fn: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> E:
        """Return the error of exactly this class that a call raises."""
        with pytest.raises(kind) as raised:
            fn(*args, **kwargs)
        assert type(raised.value) is kind
        return raised.value


def group(
    resources: Mapping[ResourceClass, int],
    suffix: str = "",
    *,
    required: tuple[Trait, ...] = (),
    forbidden: tuple[Trait, ...] = (),
    any_of: tuple[Trait, ...] = (),
    in_tree: ProviderId | None = None,
) -> RequestGroup:
    """Return a group of a request; `any_of` is one set of which one trait is enough."""
    sets = [frozenset({trait}) for trait in required]
    if any_of:
        sets.append(frozenset(any_of))
    return RequestGroup(
        suffix, Resources(resources), frozenset(sets), frozenset(forbidden), in_tree=in_tree
    )


def shown(candidates: tuple[Candidate, ...]) -> list[Mapping[ProviderId, Resources]]:
    """Return what candidates would take, in an order of its own: which comes first is no law."""
    return sorted(
        (c.allocation for c in candidates),
        key=lambda a: sorted((p, sorted(r.items())) for p, r in a.items()),
    )


class ServiceSuite(ABC):
    """Subclass it as `Test...` and give it `open`, a class method."""

    @classmethod
    @abstractmethod
    def open(cls, directory: Path) -> AbstractContextManager[PlacementService]:
        """Return a service for all tests of the class; it may keep files in `directory`."""

    @pytest.fixture(scope="class")
    @classmethod
    def service(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlacementService]:
        with cls.open(tmp_path_factory.mktemp(cls.__name__)) as service:
            yield service

    @pytest.fixture
    def bench(self, service: PlacementService, request: pytest.FixtureRequest) -> ServiceBench:
        source = random.Random(request.node.nodeid)
        return ServiceBench(service, source, AggregateId(new_uuid(source)))
