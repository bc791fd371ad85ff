"""Logs of a daemon: one line an event, on standard error."""

import logging
import sys

import structlog

__all__ = ["log_to_stderr"]


def log_to_stderr(*, verbose: bool) -> None:
    """Send what the library logs to standard error: coloured on a terminal, else as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    end: structlog.typing.Processor
    if sys.stderr.isatty():
        end = structlog.dev.ConsoleRenderer()
    else:
        shared.append(structlog.processors.format_exc_info)
        end = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, end],
        )
    )
    root = logging.getLogger("computekit")
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("computekit_daemons").handlers = [handler]
    logging.getLogger("computekit_daemons").setLevel(root.level)
