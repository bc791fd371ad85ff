"""What consumers hold, on a server."""

from collections.abc import Mapping, Sequence

import attrs

from computekit.client.api import accepted, segment, settled, with_id
from computekit.client.claims import claim_body, claim_error, inventories_body
from computekit.client.connection import Answer, Json
from computekit.client.providers import RemoteProviders
from computekit.client.refusals import CONCURRENT, refusal_of
from computekit.client.wire import WireConsumer, WireHolders, WireUsages, read
from computekit.errors import GenerationConflict, InUse, NotFound, Unsupported
from computekit.ids import ConsumerId, ProjectId, ProviderId, UserId
from computekit.model import Allocation, Consumer, FrozenMap, ResourceClass
from computekit.placement import Reshaped, Usage
from computekit.units import Seconds

__all__ = ["RemoteConsumers"]

TYPED = "1.39"
UNTYPED = "1.37"
"""The last version whose claims do not say the consumer's type, so that the stored one stays."""

UNKNOWN_TYPE = "unknown"


class RemoteConsumers(RemoteProviders):
    """The part of `PlacementService` that is about consumers."""

    def allocation(self, consumer: ConsumerId) -> Allocation | None:
        answer = self.get(f"/allocations/{segment(consumer)}")
        found = read(answer, WireConsumer)
        if not found.allocations:
            return None
        kind = found.consumer_type
        return Allocation(
            Consumer(
                consumer,
                ProjectId(found.project_id),
                UserId(found.user_id),
                None if kind == UNKNOWN_TYPE else kind,
                found.consumer_generation,
                answer.modified_s,
            ),
            FrozenMap(
                {
                    ProviderId(provider): FrozenMap(
                        {ResourceClass(name): n for name, n in held.resources.items()}
                    )
                    for provider, held in found.allocations.items()
                }
            ),
        )

    def allocations(self, provider: ProviderId) -> tuple[Allocation, ...]:
        """Return what consumers hold of `provider`, by consumer id; only that part of each.

        Who they are is asked of each consumer alone: the API does not tell it with the list.
        """
        found: list[Allocation] = []
        for consumer in self.holders(provider):
            whole = self.allocation(consumer)
            if whole is not None and provider in whole.resources:
                part = FrozenMap({provider: whole.resources[provider]})
                found.append(attrs.evolve(whole, resources=part))
        return tuple(found)

    def holders(self, provider: ProviderId) -> tuple[ConsumerId, ...]:
        """Return the consumers that hold something of `provider`, in order; one call.

        Raises:
            NotFound: there is no such provider.
        """
        path = f"/resource_providers/{segment(provider)}/allocations"
        answer = self.ask("GET", path, again=True)
        if answer.status >= 400:
            raise with_id(refusal_of(answer), "provider", provider)
        return tuple(sorted(map(ConsumerId, read(answer, WireHolders).allocations)))

    def claim_without_counters(self, allocations: Sequence[Allocation]) -> tuple[Allocation, ...]:
        """Do what `PlacementService.claim` says, for claims that any server knows."""
        granted = tuple(_granted(self._with_stored_type(one)) for one in allocations)
        wanted = self._without_nothing(allocations)
        if wanted:
            self._send_until_settled(wanted)
        return granted

    def _send_until_settled(self, wanted: tuple[Allocation, ...]) -> None:
        wanted, typed = self._typed(wanted)
        hidden: frozenset[ConsumerId] = frozenset()

        def send() -> bool:
            nonlocal hidden
            answer = self._send_claim(wanted, typed=typed, hidden=hidden)
            if answer.status == 409 and refusal_of(answer).code == CONCURRENT:
                hidden = self._hidden(wanted)
                if hidden:
                    answer = self._send_claim(wanted, typed=typed, hidden=hidden)
            if answer.status >= 400:
                raise claim_error(refusal_of(answer), wanted, self.provider)
            return True

        settled(send, lambda: True if all(map(self.has, wanted)) else None)

    def release(self, consumer: ConsumerId) -> None:
        answer = self.ask("DELETE", f"/allocations/{segment(consumer)}", again=True)
        if answer.status != 404:
            accepted(answer)

    def usages(self, project: ProjectId, user: UserId | None = None) -> Mapping[str | None, Usage]:
        query = [("project_id", str(project))]
        if user is not None:
            query.append(("user_id", user))
        found: dict[str | None, Usage] = {}
        for kind, amounts in read(self.get("/usages", query), WireUsages).usages.items():
            held = {ResourceClass(n): a for n, a in amounts.items() if n != "consumer_count"}
            consumers = amounts.get("consumer_count", 0)
            found[None if kind == UNKNOWN_TYPE else kind] = Usage(consumers, FrozenMap(held))
        return found

    def reshape(
        self, inventories: Mapping[ProviderId, Reshaped], allocations: Sequence[Allocation]
    ) -> None:
        wanted, typed = self._typed(self._without_nothing(allocations))
        body: Json = {
            "inventories": {
                provider: {
                    "resource_provider_generation": reshaped.generation,
                    "inventories": inventories_body(reshaped.inventories),
                }
                for provider, reshaped in inventories.items()
            },
            "allocations": {a.consumer.id: claim_body(a, typed=typed) for a in wanted},
        }
        classes = {name for reshaped in inventories.values() for name in reshaped.inventories}

        def once() -> Answer:
            return self.ask("POST", "/reshaper", body=body, version=TYPED if typed else UNTYPED)

        def send() -> bool:
            answer = self.naming(once, classes)
            if answer.status < 400:
                return True
            refusal = refusal_of(answer)
            if refusal.own is not None:
                raise refusal.own
            if found := refusal.says(r"[Rr]esource provider ([\w-]+) in inventories not found"):
                raise NotFound("provider", found[1])
            if found := refusal.says(r"for provider ([\w-]+): actual: (\d+), given: (\d+)"):
                raise GenerationConflict("provider", found[1], int(found[3]), int(found[2]))
            if refusal.code.endswith("inventory.inuse"):
                raise InUse("inventory", ", ".join(sorted(classes)), "an allocation")
            raise claim_error(refusal, wanted, self.provider)

        def probe() -> bool | None:
            for provider, reshaped in inventories.items():
                now = self.provider(provider).provider
                if now.inventories != reshaped.inventories or now.generation <= reshaped.generation:
                    return None
            return True if all(map(self.has, wanted)) else None

        settled(send, probe)

    def has(self, wanted: Allocation) -> bool:
        """Whether the consumer holds this, as the next write after the one that was seen."""
        found = self.allocation(wanted.consumer.id)
        if found is None:
            return not wanted.resources
        later = found.consumer.generation == wanted.consumer.generation + 1
        return later and found.resources == wanted.resources

    # ---- what the API does not say in one word

    def _send_claim(
        self, wanted: Sequence[Allocation], *, typed: bool, hidden: frozenset[ConsumerId]
    ) -> Answer:
        version = TYPED if typed else UNTYPED
        bodies: dict[str, Json] = {
            a.consumer.id: claim_body(a, typed=typed, hidden=a.consumer.id in hidden)
            for a in wanted
        }
        if len(wanted) > 1:
            return self.ask("POST", "/allocations", body=bodies, version=version)
        ((consumer, body),) = bodies.items()
        return self.ask("PUT", f"/allocations/{segment(consumer)}", body=body, version=version)

    def _without_nothing(self, allocations: Sequence[Allocation]) -> tuple[Allocation, ...]:
        """Leave out consumers that are new and are to hold nothing.

        Genuine Placement keeps such a consumer, where nobody sees it, and refuses the next one
        that would make it.
        """
        kept: list[Allocation] = []
        for wanted in allocations:
            if wanted.resources or wanted.consumer.generation:
                kept.append(wanted)
                continue
            found = self.allocation(wanted.consumer.id)
            if found is not None:
                actual = found.consumer.generation
                raise GenerationConflict("consumer", wanted.consumer.id, 0, actual)
        return tuple(kept)

    def _hidden(self, wanted: Sequence[Allocation]) -> frozenset[ConsumerId]:
        """Return those said to be new that hold nothing, and yet are refused as not new.

        Genuine Placement keeps a consumer whose first claim was refused, where nobody sees it.
        """
        new = (a.consumer.id for a in wanted if not a.consumer.generation)
        return frozenset(one for one in new if self.allocation(one) is None)

    def _with_stored_type(self, wanted: Allocation) -> Allocation:
        """Return a claim with the type that its consumer has, if it does not say one itself."""
        if wanted.consumer.type is not None or not wanted.consumer.generation:
            return wanted
        stored = self.allocation(wanted.consumer.id)
        kind = None if stored is None else stored.consumer.type
        return attrs.evolve(wanted, consumer=attrs.evolve(wanted.consumer, type=kind))

    def _typed(self, wanted: Sequence[Allocation]) -> tuple[tuple[Allocation, ...], bool]:
        """Return claims that all say their type, or whether none does and what is stored stays."""
        if all(a.consumer.type is None for a in wanted):
            return tuple(wanted), False
        known: list[Allocation] = []
        for claim in wanted:
            kind = claim.consumer.type
            if kind is None:
                stored = self.allocation(claim.consumer.id)
                kind = None if stored is None else stored.consumer.type
            if kind is None:
                raise Unsupported(
                    "claiming for consumers of known and of unknown types at once",
                    "the Placement API has no word for an unknown type; claim one by one",
                )
            known.append(attrs.evolve(claim, consumer=attrs.evolve(claim.consumer, type=kind)))
        return tuple(known), True


def _granted(wanted: Allocation) -> Allocation:
    """Return what a consumer holds after a claim that was granted."""
    generation = wanted.consumer.generation + 1 if wanted.resources else 0
    consumer = attrs.evolve(wanted.consumer, generation=generation, updated_s=Seconds(0.0))
    return attrs.evolve(wanted, consumer=consumer)
