"""One figure of a bench."""

import attrs


@attrs.frozen
class Measure:
    """One figure.

    Attributes:
        name: what was measured, unique in its bench: `sqlite, 8 threads, random providers`.
        value: the figure.
        unit: its unit: `claims/s`, `us` ...
        notes: figures beside it, by name and unit: `{"cpu_us_per_claim": 210.0}`.
    """

    name: str
    value: float
    unit: str
    notes: dict[str, float] = attrs.field(factory=dict)
