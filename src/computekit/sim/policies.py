"""The policies that replays know by name."""

from typing import Literal, TypeAlias

import attrs

__all__ = ["POLICIES", "NamedPolicy", "Replay", "policy_names"]

Replay: TypeAlias = Literal["fleet", "openb", "churn"]
"""What may be replayed: `computekit sim fleet`, `openb`, `churn` (and `moves`, which is of it)."""


@attrs.frozen
class NamedPolicy:
    """A policy by name.

    Attributes:
        name: after `--policy`.
        classes: what it is made of, in `computekit.scheduler.packing` but for `RamWeigher`.
        prefers: which host comes first.
        replays: where it may be asked for.
    """

    name: str
    classes: tuple[str, ...]
    prefers: str
    replays: frozenset[Replay]


_EVERY: frozenset[Replay] = frozenset({"fleet", "openb", "churn"})
_BARE: frozenset[Replay] = frozenset({"fleet", "churn"})
_DEVICES: frozenset[Replay] = frozenset({"openb"})

POLICIES = (
    NamedPolicy(
        "balanced",
        ("BalancedFit",),
        "the host with the least left in parts of its own size, of those about as full the one"
        " whose resources stay in proportion; the default for packing",
        _EVERY,
    ),
    NamedPolicy(
        "best-fit", ("BestFit",), "the host with the least left in parts of the largest", _EVERY
    ),
    NamedPolicy(
        "dot-product",
        ("DotProduct",),
        "the host with the smallest product of what is free and what is asked for",
        _EVERY,
    ),
    NamedPolicy(
        "fgd",
        ("GradientDescent",),
        "the host whose fragments grow least (Weng et al., USENIX ATC 2023); to compare with",
        _DEVICES,
    ),
    NamedPolicy("first-fit", ("FirstFit",), "the first host by name", _EVERY),
    NamedPolicy(
        "fragmentation",
        ("Fragmentation",),
        "the host that loses least of what its devices can still be used for; packs GPUs best",
        _DEVICES,
    ),
    NamedPolicy(
        "lifetime-known",
        ("LifetimeFit", "KnownLifetimes"),
        "the host that must stay up least longer, lifetimes being known; `LifetimeFit` takes any"
        " `LifetimePredictor`",
        frozenset({"churn"}),
    ),
    NamedPolicy("random", ("RandomFit",), "any host, by the seed", frozenset({"openb", "churn"})),
    NamedPolicy(
        "spread", ("RamWeigher",), "the host with the most free memory", frozenset({"fleet"})
    ),
    NamedPolicy("worst-fit", ("WorstFit",), "the host with the most left", _BARE),
)
"""In the order of their names."""


def policy_names(replay: Replay) -> tuple[str, ...]:
    """Return the names that one kind of replay takes."""
    return tuple(policy.name for policy in POLICIES if replay in policy.replays)
