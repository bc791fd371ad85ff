"""How much of a resource class a provider has, and in which amounts it is given."""

import attrs

__all__ = ["MAX_AMOUNT", "Inventory"]

MAX_AMOUNT = 2**31 - 1


@attrs.frozen
class Inventory:
    """One resource class of one provider (semantics: Placement API, inventories).

    Attributes:
        total: all there is, at least 1.
        reserved: not to be given out; `0 <= reserved <= total`, or more where a small ratio still
            rounds the capacity to 0, or after a reshape (Placement API).
        min_unit: smallest amount of one allocation.
        max_unit: largest amount of one allocation.
        step_size: an allocation is a multiple of this.
        allocation_ratio: over-commitment; capacity is `(total - reserved) * allocation_ratio`.
    """

    total: int
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = MAX_AMOUNT
    step_size: int = 1
    allocation_ratio: float = 1.0

    @property
    def capacity(self) -> int:
        """The whole amount that can be allocated; below 0 if more is reserved than there is."""
        return int((self.total - self.reserved) * self.allocation_ratio)

    def broken_rule(self, amount: int) -> str | None:
        """Return the unit rule that `amount` breaks, or None if it breaks none."""
        if amount < self.min_unit:
            return f"min_unit is {self.min_unit}"
        if amount > self.max_unit:
            return f"max_unit is {self.max_unit}"
        if amount % self.step_size:
            return f"step_size is {self.step_size}"
        return None
