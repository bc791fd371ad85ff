"""What a host remembers of its devices: the units it gives away, and who holds which."""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cached_property

import attrs

from computekit.ids import ConsumerId
from computekit.model import FrozenMap
from computekit.pci.unit import DeviceId, DeviceUnit, UnitKey

__all__ = ["HoldingStage", "KeptUnit", "PciState", "UnitHolding", "UnitStanding"]


class HoldingStage(Enum):
    """How far somebody is with a unit."""

    CLAIMED = "claimed"
    """It is theirs; no guest has it yet."""

    ALLOCATED = "allocated"
    """A guest has it."""


class UnitStanding(Enum):
    """What becomes of a unit, held or not."""

    OFFERED = "offered"
    """It is given away, and once it is given back again."""

    RETIRING = "retiring"
    """The configuration no longer makes it so: it is given away no more."""

    DEGRADED = "degraded"
    """A member is missing: nobody gets it, nor what is left of it."""

    WITHHELD = "withheld"
    """Somebody holds something else of the same devices."""


@attrs.frozen
class UnitHolding:
    """Whose a unit is.

    Attributes:
        consumer: an instance, or a migration.
        request: which of the things that it asked for.
        stage: how far it is.
    """

    consumer: ConsumerId
    request: str = ""
    stage: HoldingStage = HoldingStage.CLAIMED


@attrs.frozen
class KeptUnit:
    """A unit as it stands.

    Attributes:
        unit: the devices and how they are counted. While it is held, the members and the class are
            those that it was taken with.
        standing: what becomes of it.
        holding: whose it is; None: nobody's.
    """

    unit: DeviceUnit
    standing: UnitStanding = UnitStanding.OFFERED
    holding: UnitHolding | None = None

    @property
    def counted(self) -> bool:
        """Whether it is in an inventory: what is held always is."""
        return self.holding is not None or self.standing is UnitStanding.OFFERED


def _by_key(units: Iterable[KeptUnit]) -> tuple[KeptUnit, ...]:
    return tuple(sorted(units, key=lambda kept: kept.unit.key))


@attrs.frozen(slots=False)  # the lookups are kept
class PciState:
    """The units of a host at one moment; every change is a new value.

    Attributes:
        units: by key.
        dirty: devices for one use that have been used and not been wiped since.
    """

    units: tuple[KeptUnit, ...] = attrs.field(default=(), converter=_by_key)
    dirty: frozenset[DeviceId] = frozenset()

    @cached_property
    def by_key(self) -> FrozenMap[UnitKey, KeptUnit]:
        """Each unit by its key."""
        return FrozenMap({kept.unit.key: kept for kept in self.units})

    @cached_property
    def held(self) -> tuple[KeptUnit, ...]:
        """Those that are somebody's."""
        return tuple(kept for kept in self.units if kept.holding is not None)

    @cached_property
    def free(self) -> tuple[KeptUnit, ...]:
        """Those that somebody can have."""
        return tuple(
            kept
            for kept in self.units
            if kept.holding is None
            and kept.standing is UnitStanding.OFFERED
            and not self.is_dirty(kept.unit)
        )

    def held_by(self, consumer: ConsumerId) -> tuple[KeptUnit, ...]:
        """Return what a consumer holds."""
        return tuple(
            kept for kept in self.held if kept.holding and kept.holding.consumer == consumer
        )

    def is_dirty(self, unit: DeviceUnit) -> bool:
        """Return whether a member of a unit must be wiped first."""
        return bool(self.dirty) and any(member.id in self.dirty for member in unit.members)

    def replacing(self, changed: Mapping[UnitKey, KeptUnit]) -> "PciState":
        """Return a state in which these units are like that."""
        units = tuple(changed.get(kept.unit.key, kept) for kept in self.units)
        return attrs.evolve(self, units=units)
