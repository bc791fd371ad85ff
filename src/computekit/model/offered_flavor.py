"""A flavor that instances can be made with: its size, and who may use it."""

import attrs

from computekit.ids import ProjectId
from computekit.model.flavor import Flavor
from computekit.units import Seconds

__all__ = ["OfferedFlavor"]


@attrs.frozen
class OfferedFlavor:
    """A flavor in the catalogue (Compute API, flavors).

    Instances keep the flavor itself as it was when they were made.

    Attributes:
        flavor: what an instance gets.
        created_s: wall clock, seconds since the Unix epoch.
        description: for people.
        public: whether every project may use it.
        projects: that may use one that is not public.
    """

    flavor: Flavor
    created_s: Seconds
    description: str | None = None
    public: bool = True
    projects: frozenset[ProjectId] = frozenset()

    def is_for(self, project: ProjectId | None) -> bool:
        """Return whether a project may use it."""
        return self.public or project in self.projects
