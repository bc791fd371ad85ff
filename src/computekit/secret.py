"""A value that must not be seen: its text is `***` wherever it is printed."""

__all__ = ["Secret"]


class Secret:
    """Holds secret bytes; `reveal()` is the only way to them.

    It refuses to be pickled, so that it cannot slip into a file or a message.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret cannot be pickled")
