def loop(
    timeout: float = 30.0,
    use_poll: bool = False,
    map: dict[int, object] | None = None,
    count: int | None = None,
) -> None: ...
def close_all(map: dict[int, object] | None = None, ignore_all: bool = False) -> None: ...
