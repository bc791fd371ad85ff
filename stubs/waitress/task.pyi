from typing import Protocol

class _Logger(Protocol):
    def warning(self, _text: str, *_values: object) -> None: ...

class ThreadedTaskDispatcher:
    queue_logger: _Logger
    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool: ...
