"""Which dedicated CPUs of a host node a guest node's pinned vCPUs get."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import attrs

from computekit.model import FrozenMap
from computekit.topology.guest import ThreadPolicy
from computekit.topology.host import HostNode

__all__ = ["Pins", "pack"]

Core = tuple[int, ...]


@attrs.frozen
class Pins:
    """CPUs for one guest node.

    Attributes:
        cpus: the host's CPU of each pinned vCPU.
        emulator: CPUs for the hypervisor's own threads.
    """

    cpus: FrozenMap[int, int] = FrozenMap()
    emulator: frozenset[int] = frozenset()


def pack(
    node: HostNode, vcpus: frozenset[int], policy: ThreadPolicy | None, emulator: int = 0
) -> Pins | None:
    """Return CPUs for `vcpus` and `emulator` more, or None if the policy cannot be kept.

    `isolate` wants cores of one thread: on others, somebody else could get the next thread, and
    the promise would be broken; `require` takes at least two threads of each core; otherwise as
    many threads of a core together as can be had (Nova: `hw:cpu_thread_policy`). CPUs are taken
    in ascending order, so the result is the same for the same input.
    """
    cores = node.free_cores
    threads = node.threads
    if policy is ThreadPolicy.ISOLATE and threads > 1:
        return None
    for together in range(threads, 0, -1):
        if policy is ThreadPolicy.REQUIRE and together < 2:
            return None
        usable = [core[:together] for core in cores if len(core) >= together]
        if together * len(usable) >= len(vcpus):
            taken = list(islice((cpu for core in usable for cpu in core), len(vcpus)))
            found = _pins(vcpus, taken, _others(cores, taken), emulator)
            if found is not None:
                return found
    # No number of threads is there on enough cores: any free CPUs then, core by core.
    taken = list(islice((cpu for core in cores for cpu in core), len(vcpus)))
    return _pins(vcpus, taken, _others(cores, taken), emulator)


def _others(cores: Sequence[Core], taken: Iterable[int]) -> Iterator[int]:
    used = frozenset(taken)
    return (cpu for core in cores for cpu in core if cpu not in used)


def _pins(
    vcpus: frozenset[int], taken: Sequence[int], left: Iterable[int], emulator: int
) -> Pins | None:
    extra = frozenset(islice(left, emulator))
    if len(taken) < len(vcpus) or len(extra) < emulator:
        return None
    return Pins(FrozenMap(dict(zip(sorted(vcpus), taken, strict=True))), extra)
