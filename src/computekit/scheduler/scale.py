"""The ranges that weights are scaled by, and what a change of them can do to a score.

The arithmetic is Nova's, number by number and in its order, whether rows are scored one by one or
all at once: hosts that are equal there are equal here.
"""

from collections.abc import Sequence

import attrs
import numpy as np

from computekit.scheduler.blocks import FloatArray

__all__ = ["Scale", "added"]

_ROUNDING = 1e-14


def added(parts: FloatArray) -> FloatArray:
    """Return the sums of parts, as (weigher, row), added one weigher after the other.

    What NumPy sums along an axis it may add pairwise, which rounds differently.
    """
    found = np.zeros(parts.shape[1])
    for part in parts:
        found += part
    return found


@attrs.frozen
class Scale:
    """The range of each weigher over the hosts that are in the running.

    Attributes:
        lows: the lower ends.
        widths: upper end less lower end; 0 where all are equal, and nobody gets anything.
    """

    lows: tuple[float, ...]
    widths: tuple[float, ...]

    @classmethod
    def nothing(cls, weighers: int) -> "Scale":
        """Return the scale of a host that has nobody to be compared with: nothing counts."""
        return cls((0.0,) * weighers, (0.0,) * weighers)

    @classmethod
    def of(cls, leasts: Sequence[float | None], raw: FloatArray) -> "Scale":
        """Return the scale of some rows, which are all that are in the running.

        Args:
            leasts: the lower end of each weigher; None: the least weight of the rows.
            raw: their weights, as (weigher, row).
        """
        if raw.shape[1] < 2:
            return cls.nothing(len(leasts))
        bottoms, tops = raw.min(axis=1).tolist(), raw.max(axis=1).tolist()
        lows = tuple(
            bottom if least is None else least
            for least, bottom in zip(leasts, bottoms, strict=True)
        )
        return cls(lows, tuple(top - low for top, low in zip(tops, lows, strict=True)))

    def parts(self, raw: FloatArray, counts: FloatArray) -> FloatArray:
        """Return what each weigher gives each row, as (weigher, row).

        Args:
            raw: the weights of the rows, likewise.
            counts: what they count for, likewise, or as (weigher, 1).
        """
        widths = np.array(self.widths)[:, np.newaxis]
        none = widths == 0
        if none.any():
            counts = np.where(none, 0.0, counts)
            widths[none] = 1.0
        found: FloatArray = raw - np.array(self.lows)[:, np.newaxis]
        found /= widths
        found *= counts
        return found

    def scores(self, raw: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the score of each row: what all weighers give it, added one after the other."""
        return added(self.parts(raw, counts))

    def score(self, weights: Sequence[float], counts: Sequence[float]) -> float:
        """Return the score of one row: what `scores` says, quicker for a few rows."""
        total = 0.0
        for weight, low, width, count in zip(weights, self.lows, self.widths, counts, strict=True):
            if width:
                total += (weight - low) / width * count
        return total

    def most_gained(
        self,
        before: "Scale",
        tops: Sequence[float],
        least_counts: Sequence[float],
        most_counts: Sequence[float],
    ) -> float:
        """Return a bound on how much higher a score is by this scale than by another.

        Args:
            before: the other scale.
            tops: the highest weight that a row in the running has; none is below `lows`.
            least_counts: the least that any row counts for, of each weigher.
            most_counts: the most.
        """
        bound = rounding = 0.0
        for low, width, was_low, was_width, top, least, most in zip(
            self.lows,
            self.widths,
            before.lows,
            before.widths,
            tops,
            least_counts,
            most_counts,
            strict=True,
        ):
            size = max(abs(least), abs(most))
            rounding += size
            if low == was_low and width == was_width:
                continue
            # What a weigher gives is a straight line over the weight: its ends are the extremes.
            was_bottom = (low - was_low) / was_width if was_width else 0.0
            was_top = (top - was_low) / was_width if was_width else 0.0
            now_top = 1.0 if width else 0.0
            gained = -was_bottom, now_top - was_top
            bound += max(gained[0] * least, gained[0] * most, gained[1] * least, gained[1] * most)
            rounding += size * (abs(was_bottom) + abs(was_top))
        return bound + rounding * _ROUNDING
