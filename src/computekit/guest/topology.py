"""NUMA nodes, pinning and pages that flavor and image ask for, or every fault of what they ask.

Source of the rules: Nova's `hw:numa_*`, `hw:cpu_*`, `hw:emulator_threads_policy` and
`hw:mem_page_size`, and their twins `hw_*` of images.
"""

import re
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TypeVar

import attrs

from computekit.guest.cpu_set import parse_cpu_set
from computekit.guest.keys import property_path, quoted, spec_path
from computekit.guest.reading import SpecReader, one_of, positive, truth
from computekit.model import Flavor, Image
from computekit.topology import (
    EmulatorThreads,
    GuestNode,
    GuestTopology,
    PageSize,
    ThreadPolicy,
)
from computekit.units import Kib, Mib

__all__ = ["topology_of"]

T = TypeVar("T")

_SIZE = re.compile(r"([0-9]{1,9})\s*([KMGT]?)(?:i?B)?\Z")
_SHIFT = {"": 0, "K": 0, "M": 10, "G": 20, "T": 30}
_RESOURCE = re.compile(r"resources[A-Za-z0-9_-]{0,64}:(VCPU|PCPU)\Z")
_AMOUNT = re.compile(r"[0-9]{1,10}\Z")
_MOST_NODES = 128  # QEMU, MAX_NODES
_HYPERTHREADING = "HW_CPU_HYPERTHREADING"


class _CpuPolicy(Enum):
    SHARED = "shared"
    DEDICATED = "dedicated"
    MIXED = "mixed"


@attrs.frozen
class _Cpus:
    """How the vCPUs of the guest are run."""

    policy: _CpuPolicy | None
    threads: ThreadPolicy | None
    emulator: EmulatorThreads
    pinned: frozenset[int]
    realtime: frozenset[int]


def topology_of(flavor: Flavor, image: Image) -> GuestTopology | None:
    """Return the topology that flavor and image ask for, None if they ask for none.

    There is one as soon as NUMA nodes, a page size, or dedicated CPUs are asked for.

    Raises:
        InvalidInput: with every fault of both.
    """
    reader = SpecReader(flavor, image)
    cpus = _cpus(reader)
    page_size = _page_size(reader)
    count = reader.flavor_or_image("numa_nodes", _count)
    if not (count or page_size is not None or cpus.pinned):
        reader.raise_faults()
        return None
    nodes = _nodes(reader, cpus.pinned, count or 1)
    reader.raise_faults()
    return GuestTopology(nodes, page_size, cpus.threads, cpus.emulator, cpus.realtime)


def _count(text: str) -> int:
    found = positive(text)
    if found > _MOST_NODES:
        raise ValueError(f"{found} is more than {_MOST_NODES}, the most NUMA nodes of one guest")
    return found


def _page(text: str) -> PageSize | Kib:
    if text in {size.value for size in PageSize}:
        return PageSize(text)
    found = _SIZE.match(text.strip())
    if found is None or not int(found[1]):
        raise ValueError(f"{quoted(text)} is not small, large, any, KiB, or a size like 2MB or 1GB")
    return Kib(int(found[1]) << _SHIFT[found[2]])


def _page_size(reader: SpecReader) -> PageSize | Kib | None:
    of_flavor = reader.of_flavor("mem_page_size", _page)
    of_image = reader.of_image("mem_page_size", _page)
    if of_image is None:
        return of_flavor
    if of_flavor not in {PageSize.LARGE, PageSize.ANY}:
        path, message = property_path("hw_mem_page_size"), "only within large or any of the flavor"
        reader.fault(path, "conflict", message)
    return of_image


def _cpus(reader: SpecReader) -> _Cpus:
    policy = _explicit(reader, _policy(reader))
    threads = _threads(reader)
    emulator = reader.of_flavor("emulator_threads_policy", one_of(_EmulatorWord))
    mask = reader.of_flavor("cpu_dedicated_mask", _mask(reader))
    realtime = _realtime(reader, emulator)
    specs = {name: spec_path(f"hw:{name}") for name in ("cpu_policy", "cpu_thread_policy")}
    pinned: frozenset[int] = frozenset()
    if policy is _CpuPolicy.MIXED:
        if (mask is None) == (not realtime):
            message = "mixed needs either hw:cpu_dedicated_mask or a real-time mask"
            reader.fault(specs["cpu_policy"], "conflict", message)
        pinned = mask or realtime
        if pinned == reader.vcpus:
            message = "leaves no vCPU that floats: dedicated says that"
            reader.fault(specs["cpu_policy"], "conflict", message)
    elif mask is not None:
        path = spec_path("hw:cpu_dedicated_mask")
        reader.fault(path, "conflict", "goes with the CPU policy mixed only")
    if policy is _CpuPolicy.DEDICATED:
        pinned = reader.vcpus
    elif policy is not _CpuPolicy.MIXED:
        for given, path in (
            (threads, specs["cpu_thread_policy"]),
            (emulator is _EmulatorWord.ISOLATE, spec_path("hw:emulator_threads_policy")),
            (realtime, spec_path("hw:cpu_realtime")),
        ):
            if given:
                reader.fault(path, "conflict", "goes with dedicated or mixed CPUs only")
    _check_count(reader, emulator)
    where = EmulatorThreads.FLOAT if emulator is None else EmulatorThreads(emulator.value)
    return _Cpus(policy, threads, where, pinned, realtime)


class _EmulatorWord(Enum):
    SHARE = "share"
    ISOLATE = "isolate"


def _policy(reader: SpecReader) -> _CpuPolicy | None:
    of_flavor = reader.of_flavor("cpu_policy", one_of(_CpuPolicy))
    of_image = reader.of_image("cpu_policy", one_of(_CpuPolicy))
    if of_flavor is None or of_image is None:
        return of_image if of_flavor is None else of_flavor
    # The flavor is the operator's word: an image may ask for less than it, never for more.
    rank = [_CpuPolicy.SHARED, _CpuPolicy.MIXED, _CpuPolicy.DEDICATED]
    if rank.index(of_image) > rank.index(of_flavor):
        message = f"{of_image.value}, but hw:cpu_policy of the flavor is {of_flavor.value}"
        reader.fault(property_path("hw_cpu_policy"), "conflict", message)
    return of_flavor


def _explicit(reader: SpecReader, policy: _CpuPolicy | None) -> _CpuPolicy | None:
    """Return the policy, also where the flavor asks for a class of CPUs itself."""
    asked = {
        found[1]
        for key, text in reader.flavor.extra_specs.items()
        if (found := _RESOURCE.match(key)) is not None and text.strip().strip("0")
    }
    path = spec_path("resources:PCPU" if "PCPU" in asked else "resources:VCPU")
    if asked and policy is not None:
        reader.fault(path, "conflict", "not together with a CPU policy")
    if len(asked) > 1:
        reader.fault(path, "conflict", "not together with resources:VCPU")
    if "PCPU" in asked:
        return _CpuPolicy.DEDICATED
    return _CpuPolicy.SHARED if asked else policy


def _check_count(reader: SpecReader, emulator: _EmulatorWord | None) -> None:
    """Refuse another number of dedicated CPUs than the guest needs, over all groups together."""
    asked = {
        key: text.strip()
        for key, text in reader.flavor.extra_specs.items()
        if (found := _RESOURCE.match(key)) is not None and found[1] == "PCPU"
    }
    asked = {key: text for key, text in asked.items() if text.strip("0")}
    if not asked or not all(_AMOUNT.match(text) for text in asked.values()):
        return
    needed = reader.flavor.vcpus + (emulator is _EmulatorWord.ISOLATE)
    total = sum(map(int, asked.values()))
    if total != needed:
        message = f"{total} in all, but the guest's CPUs need {needed}"
        for key in sorted(asked):
            reader.fault(spec_path(key), "conflict", message)


def _threads(reader: SpecReader) -> ThreadPolicy | None:
    parse = one_of(ThreadPolicy)
    of_flavor = reader.of_flavor("cpu_thread_policy", parse)
    of_image = reader.of_image("cpu_thread_policy", parse)
    path = property_path("hw_cpu_thread_policy")
    if of_image is not None and of_flavor not in {None, ThreadPolicy.PREFER, of_image}:
        reader.fault(path, "conflict", "is not that of the flavor")
    policy = of_flavor if of_flavor not in {None, ThreadPolicy.PREFER} else of_image or of_flavor
    word = reader.flavor.extra_specs.get(f"trait:{_HYPERTHREADING}")
    if word is None and f"trait:{_HYPERTHREADING}" in reader.image.properties:
        word = "required"
    if word is None:
        return policy
    if policy is not None:
        message = "not together with a CPU thread policy"
        reader.fault(spec_path(f"trait:{_HYPERTHREADING}"), "conflict", message)
    return ThreadPolicy.ISOLATE if word == "forbidden" else ThreadPolicy.REQUIRE


def _mask(reader: SpecReader) -> Callable[[str], frozenset[int]]:
    def parse(text: str) -> frozenset[int]:
        found = parse_cpu_set(text, within=reader.vcpus)
        if not found or not found < reader.vcpus:
            last = len(reader.vcpus) - 1
            raise ValueError(f"{quoted(text)} is not some, but not all, of the vCPUs 0 to {last}")
        return found

    return parse


def _realtime(reader: SpecReader, emulator: _EmulatorWord | None) -> frozenset[int]:
    wanted = reader.of_flavor("cpu_realtime", truth) or reader.of_image("cpu_realtime", truth)
    if not wanted:
        return frozenset()
    whole = partial(_realtime_mask, vcpus=reader.vcpus)
    mask = reader.of_flavor("cpu_realtime_mask", whole)
    if mask is None:
        mask = reader.of_image("cpu_realtime_mask", whole)
    found = reader.vcpus if mask is None else mask
    if found == reader.vcpus and emulator is None:
        message = "leaves no vCPU for the emulator: hw:emulator_threads_policy must say where to"
        reader.fault(spec_path("hw:cpu_realtime"), "conflict", message)
    return found


def _realtime_mask(text: str, vcpus: frozenset[int]) -> frozenset[int]:
    found = parse_cpu_set(text, within=vcpus)
    if not found or not found <= vcpus:
        raise ValueError(f"{quoted(text)} is not some of the vCPUs 0 to {len(vcpus) - 1}")
    return found


def _nodes(reader: SpecReader, pinned: frozenset[int], count: int) -> tuple[GuestNode, ...]:
    cpus = [_numbered(reader, "numa_cpus", n, parse_cpu_set) for n in range(count)]
    memory = [_numbered(reader, "numa_mem", n, positive) for n in range(count)]
    path = spec_path("hw:numa_nodes")
    _check_numbers(reader, count)
    if all(part is None for part in (*cpus, *memory)):
        return _even(reader, pinned, count)
    if any(part is None for part in (*cpus, *memory)):
        message = "hw:numa_cpus.N and hw:numa_mem.N are for each of the nodes, or for none"
        reader.fault(path, "conflict", message)
        return ()
    known = [part for part in cpus if part is not None]
    everything = frozenset[int]().union(*known)
    if everything != reader.vcpus or sum(map(len, known)) != len(everything):
        last = len(reader.vcpus) - 1
        reader.fault(path, "conflict", f"each of the vCPUs 0 to {last} must be in just one node")
    sizes = [Mib(part) for part in memory if part is not None]
    if sum(sizes) != reader.flavor.memory_mib:
        message = f"the nodes have {sum(sizes)} MiB, the flavor {reader.flavor.memory_mib}"
        reader.fault(path, "conflict", message)
    return tuple(
        GuestNode(size, part & pinned, part - pinned)
        for size, part in zip(sizes, known, strict=True)
    )


def _even(reader: SpecReader, pinned: frozenset[int], count: int) -> tuple[GuestNode, ...]:
    each, left = divmod(reader.flavor.vcpus, count)
    memory_mib, rest = divmod(reader.flavor.memory_mib, count)
    if left or rest:
        what = f"{reader.flavor.vcpus} vCPUs and {reader.flavor.memory_mib} MiB"
        message = f"{what} cannot be shared out evenly over {count} nodes"
        reader.fault(spec_path("hw:numa_nodes"), "conflict", message)
    parts = (frozenset(range(n * each, (n + 1) * each)) for n in range(count))
    return tuple(GuestNode(Mib(memory_mib), part & pinned, part - pinned) for part in parts)


def _numbered(reader: SpecReader, name: str, number: int, parse: Callable[[str], T]) -> T | None:
    return reader.flavor_or_image(f"{name}.{number}", parse)


def _check_numbers(reader: SpecReader, count: int) -> None:
    """Refuse parts of nodes that there are not."""
    for source, mark, path_of in (
        (reader.flavor.extra_specs, "hw:", spec_path),
        (reader.image.properties, "hw_", property_path),
    ):
        for key in source:
            name, _, number = key.removeprefix(mark).partition(".")
            known = number in {str(each) for each in range(count)}
            if key.startswith(mark) and name in {"numa_cpus", "numa_mem"} and not known:
                reader.fault(path_of(key), "conflict", f"there are the nodes 0 to {count - 1}")
