"""What a host remembers of who may command it; outlives the domains and the agent."""

import contextlib
import json
from pathlib import Path

from computekit.agent.calls import Fence
from computekit.clock import Clock
from computekit.errors import FenceRejected
from computekit.files import storage_errors, write_whole
from computekit.ids import InstanceId
from computekit.units import Seconds

__all__ = ["Fences"]


class Fences:
    """The highest fence seen for each instance, one small file each, written before the effect.

    Not safe for two threads on the same instance; the agent serialises those.

    Args:
        directory: made if it is not there.
        clock: tells what is old.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        with storage_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
        self._seen: dict[InstanceId, tuple[int, int, int]] = {}
        for file in directory.iterdir():
            if file.suffix == ".json":
                epoch, number, lease = json.loads(file.read_text())
                self._seen[InstanceId(file.stem)] = (int(epoch), int(number), int(lease))

    def admit(self, fence: Fence) -> None:
        """Let the bearer of `fence` pass, and from now on nobody who comes before it.

        Raises:
            FenceRejected: a later one was seen.
        """
        seen = self._seen.get(fence.instance)
        if seen is not None and fence.order < seen:
            raise FenceRejected(
                f"instance {fence.instance}",
                f"(epoch, operation, lease) {fence.order} came after {seen}",
            )
        self.raise_to(fence)

    def raise_to(self, fence: Fence) -> None:
        """From now on let nobody pass who comes before `fence`."""
        seen = self._seen.get(fence.instance)
        if seen is not None and seen >= fence.order:
            return
        file = self._file(fence.instance)
        with storage_errors(file):
            write_whole(file, json.dumps(fence.order))
        self._seen[fence.instance] = fence.order

    def unused(self, keep: frozenset[InstanceId], older_than_s: Seconds) -> tuple[InstanceId, ...]:
        """Return instances that are not in `keep` and were not named for `older_than_s`."""
        seen = tuple(self._seen)
        return tuple(i for i in seen if i not in keep and self._is_old(i, older_than_s))

    def forget(self, instance: InstanceId, older_than_s: Seconds) -> None:
        """Forget an instance, unless it was named since.

        Safe when no message lives as long as `older_than_s`.
        """
        if self._is_old(instance, older_than_s):
            self._file(instance).unlink(missing_ok=True)
            del self._seen[instance]

    def _is_old(self, instance: InstanceId, older_than_s: Seconds) -> bool:
        if instance not in self._seen:
            return False
        with contextlib.suppress(FileNotFoundError):
            return self._file(instance).stat().st_mtime < self._clock.wall_s() - older_than_s
        return True

    def _file(self, instance: InstanceId) -> Path:
        return self._directory / f"{instance}.json"
