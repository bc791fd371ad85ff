"""Counts of requests for Prometheus, of one process or of all workers together."""

import os
import tempfile
from pathlib import Path

from computekit.http import Answer, Seen

__all__ = ["Metrics", "shared_metrics"]

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client looks here, when it is imported, for where processes share their counts."""
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


def shared_metrics() -> tempfile.TemporaryDirectory[str]:
    """Let this process and those that it starts count together, as long as the result lives.

    To be called before the first `Metrics` is made.
    """
    directory = tempfile.TemporaryDirectory(prefix="computekit-metrics-")
    os.environ[SHARED] = directory.name
    return directory


class Metrics:
    """Counts requests by operation and status."""

    def __init__(self) -> None:
        # Imported when it has been decided whether processes count together: then it looks.
        from prometheus_client import CollectorRegistry, Histogram, ProcessCollector

        self._registry = CollectorRegistry()
        self._shared = os.environ.get(SHARED)
        self._durations = Histogram(
            "computekit_placement_request_seconds",
            "Time from the first look at a request to its answer.",
            ("operation", "method", "status"),
            registry=self._registry,
            buckets=BUCKETS,
        )
        if self._shared is None:
            ProcessCollector(registry=self._registry)
        self._known: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, seen: Seen) -> None:
        """Count a request; methods that no operation has are counted as one."""
        method = seen.method if seen.operation != "-" else "-"
        key = (seen.operation, method, seen.status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._durations.labels(*key)
        found.observe(seen.duration_s)

    def page(self) -> Answer:
        """Return what Prometheus scrapes."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._registry
        if self._shared is not None and Path(self._shared).is_dir():
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=self._shared)  # type: ignore[no-untyped-call]  # untyped there
        return Answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
