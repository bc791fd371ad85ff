"""How many examples a property is worth: a multiple of what the profile gives to each."""

from hypothesis import settings

USUAL = 100


def examples(count: int) -> int:
    """Return `count` in a test run, and as much more in a soak as its profile has more."""
    return count * settings().max_examples // USUAL
