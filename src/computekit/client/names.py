"""Resource classes and traits of a server."""

from collections.abc import Callable, Iterable

from computekit.client.api import PlacementApi, accepted, segment, settled, with_id
from computekit.client.connection import Answer
from computekit.client.queries import contradicts_itself, with_known_names
from computekit.client.refusals import refusal_of
from computekit.client.wire import WireClasses, WireTraits, read
from computekit.errors import InUse
from computekit.model import PlacementRequest, ResourceClass, Trait, is_custom_name

__all__ = ["RemoteNames"]

UNKNOWN_NAME = r"No such (resource class|trait)"


class RemoteNames(PlacementApi):
    """The part of `PlacementService` that is about names."""

    def resource_classes(self) -> tuple[ResourceClass, ...]:
        found = read(self.get("/resource_classes"), WireClasses).resource_classes
        return tuple(ResourceClass(one.name) for one in found)

    def create_resource_class(self, name: ResourceClass) -> bool:
        return self._create(f"/resource_classes/{segment(name)}")

    def delete_resource_class(self, name: ResourceClass) -> None:
        settled(
            lambda: self._forget("resource_classes", "resource_class", name, "an inventory"),
            lambda: None if name in self.resource_classes() else True,
        )

    def traits(self, prefix: str = "", *, associated: bool | None = None) -> tuple[Trait, ...]:
        query = [("name", f"startswith:{prefix}")] if prefix else []
        if associated is not None:
            query.append(("associated", str(associated).lower()))
        return tuple(map(Trait, read(self.get("/traits", query), WireTraits).traits))

    def create_trait(self, name: Trait) -> bool:
        return self._create(f"/traits/{segment(name)}")

    def delete_trait(self, name: Trait) -> None:
        settled(
            lambda: self._forget("traits", "trait", name, "a provider"),
            lambda: None if name in self.traits(name) else True,
        )

    def _create(self, path: str) -> bool:
        return accepted(self.ask("PUT", path, again=True)).status == 201

    def _forget(self, where: str, kind: str, name: str, by: str) -> bool:
        answer = self.ask("DELETE", f"/{where}/{segment(name)}")
        if answer.status >= 400:
            refusal = refusal_of(answer)
            if refusal.status == 409 and refusal.own is None:
                raise InUse(kind, name, by)
            raise with_id(refusal, kind, name)
        return True

    def naming(
        self,
        send: Callable[[], Answer],
        classes: Iterable[ResourceClass] = (),
        traits: Iterable[Trait] = (),
    ) -> Answer:
        """Return the answer to a write, after making the custom names known that it lacks.

        The API refuses a write with an unknown name, where `PlacementService` makes it known.
        """
        answer = send()
        if not _lacks_name(answer):
            return answer
        for one in sorted(classes):
            if is_custom_name(one):
                self.create_resource_class(one)
        for trait in sorted(traits):
            if is_custom_name(trait):
                self.create_trait(trait)
        return send()

    def search(
        self,
        path: str,
        request: PlacementRequest,
        query: Callable[[PlacementRequest], list[tuple[str, str]]],
    ) -> Answer | None:
        """Return the answer to a search, or None if no provider can have what it asks for."""
        answer = self.answerable(
            request, lambda known: self.ask("GET", path, query(known), again=True)
        )
        return None if answer is None else accepted(answer)

    def answerable(
        self, request: PlacementRequest, send: Callable[[PlacementRequest], Answer]
    ) -> Answer | None:
        """Return what a server says to a request, or None if no provider can serve it.

        The API refuses a request with an unknown name, where `PlacementService` finds nothing.
        """
        if contradicts_itself(request):
            return None
        answer = send(request)
        if not _lacks_name(answer):
            return answer
        known = with_known_names(
            request, frozenset(self.resource_classes()), frozenset(self.traits())
        )
        return None if known is None else send(known)


def _lacks_name(answer: Answer) -> bool:
    return answer.status == 400 and refusal_of(answer).says(UNKNOWN_NAME) is not None
