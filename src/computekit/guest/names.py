"""What an instance, or another thing with a name for people, may be called."""

from computekit.errors import Fault, InvalidInput

__all__ = ["MAX_NAME_LENGTH", "check_name"]

MAX_NAME_LENGTH = 255
"""Characters (Compute API, servers: `name`)."""


def check_name(name: str, path: str = "name") -> str:
    """Return `name` if a guest, a log and a terminal can all show it.

    That is 1 to 255 printable characters with no space at either end (Compute API, servers).
    Characters that mean something in XML or a shell are fine: they are escaped where they go.

    Args:
        name: the name.
        path: where it stands in the caller's input, for the faults.

    Raises:
        InvalidInput: with every rule that the name breaks.
    """
    faults: list[Fault] = []
    if not name:
        faults.append(Fault(path, "empty", "a name needs at least one character"))
    if len(name) > MAX_NAME_LENGTH:
        message = f"{len(name)} characters, at most {MAX_NAME_LENGTH} are possible"
        faults.append(Fault(path, "too_long", message))
    unprintable = sorted({character for character in name if not character.isprintable()})
    if unprintable:
        shown = ", ".join(f"U+{ord(character):04X}" for character in unprintable[:8])
        faults.append(Fault(path, "not_printable", f"take out what cannot be shown: {shown}"))
    if name != name.strip(" "):
        faults.append(Fault(path, "outer_space", "take out the spaces at its ends"))
    if faults:
        raise InvalidInput(tuple(faults))
    return name
