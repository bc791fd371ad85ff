"""NUMA nodes, pinning and pages that flavor and image ask for, or every fault of what they ask.

Source of the rules: Nova's `hw:numa_*`, `hw:cpu_*`, `hw:emulator_threads_policy` and
`hw:mem_page_size`, and their twins `hw_*` of images.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import TypeVar

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.guest.cpu_set import parse_cpu_set
from computekit.guest.keys import property_path, quoted, spec_path
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
E = TypeVar("E", bound=Enum)

_SIZE = re.compile(r"([0-9]{1,9})\s*([KMGT]?)(?:i?B)?\Z")
_SHIFT = {"": 0, "K": 0, "M": 10, "G": 20, "T": 30}
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_RESOURCE = re.compile(r"resources\d*:(VCPU|PCPU)\Z")
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
    reader = _Reader(flavor, image)
    cpus = _cpus(reader)
    page_size = _page_size(reader)
    count = reader.flavor_or_image("numa_nodes", _positive)
    if not (count or page_size is not None or cpus.pinned):
        reader.raise_faults()
        return None
    nodes = _nodes(reader, cpus.pinned, count or 1)
    reader.raise_faults()
    return GuestTopology(nodes, page_size, cpus.threads, cpus.emulator, cpus.realtime)


class _Reader:
    """Reads keys of both sources and collects what is wrong with them."""

    def __init__(self, flavor: Flavor, image: Image) -> None:
        self.flavor = flavor
        self.image = image
        self.vcpus = frozenset(range(flavor.vcpus))
        self.faults: list[Fault] = []

    def raise_faults(self) -> None:
        if self.faults:
            raise InvalidInput(tuple(self.faults))

    def fault(self, path: str, code: str, message: str) -> None:
        self.faults.append(Fault(path, code, message))

    def of_flavor(self, name: str, parse: Callable[[str], T]) -> T | None:
        key = f"hw:{name}"
        return self._read(self.flavor.extra_specs, key, spec_path(key), parse)

    def of_image(self, name: str, parse: Callable[[str], T]) -> T | None:
        key = f"hw_{name}"
        return self._read(self.image.properties, key, property_path(key), parse)

    def flavor_or_image(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Return what the flavor says, else the image; both are a fault: NUMA is the flavor's."""
        of_flavor, of_image = self.of_flavor(name, parse), self.of_image(name, parse)
        if of_flavor is not None and of_image is not None:
            self.fault(
                property_path(f"hw_{name}"),
                "conflict",
                f"the flavor says hw:{name} already; an image may not say it again",
            )
        return of_image if of_flavor is None else of_flavor

    def _read(
        self, source: Mapping[str, str], key: str, path: str, parse: Callable[[str], T]
    ) -> T | None:
        text = source.get(key)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.fault(path, "invalid_value", str(error))
            return None


def _one_of(kind: type[E]) -> Callable[[str], E]:
    words = ", ".join(str(member.value) for member in kind)

    def parse(text: str) -> E:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{quoted(text)} is not one of {words}") from None

    return parse


def _positive(text: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or not 0 < int(text) < 65_536:
        raise ValueError(f"{quoted(text)} is not a number from 1")
    return int(text)


def _page(text: str) -> PageSize | Kib:
    if text in {size.value for size in PageSize}:
        return PageSize(text)
    found = _SIZE.match(text.strip())
    if found is None or not int(found[1]):
        raise ValueError(f"{quoted(text)} is not small, large, any, KiB, or a size like 2MB or 1GB")
    return Kib(int(found[1]) << _SHIFT[found[2]])


def _page_size(reader: _Reader) -> PageSize | Kib | None:
    of_flavor = reader.of_flavor("mem_page_size", _page)
    of_image = reader.of_image("mem_page_size", _page)
    if of_image is None:
        return of_flavor
    if of_flavor not in {PageSize.LARGE, PageSize.ANY}:
        path, message = property_path("hw_mem_page_size"), "only within large or any of the flavor"
        reader.fault(path, "conflict", message)
    return of_image


def _cpus(reader: _Reader) -> _Cpus:
    policy = _explicit(reader, _policy(reader))
    threads = _threads(reader)
    emulator = reader.of_flavor("emulator_threads_policy", _one_of(_EmulatorWord))
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


def _policy(reader: _Reader) -> _CpuPolicy | None:
    of_flavor = reader.of_flavor("cpu_policy", _one_of(_CpuPolicy))
    of_image = reader.of_image("cpu_policy", _one_of(_CpuPolicy))
    if of_flavor is None or of_image is None:
        return of_image if of_flavor is None else of_flavor
    # The flavor is the operator's word: an image may ask for less than it, never for more.
    rank = [_CpuPolicy.SHARED, _CpuPolicy.MIXED, _CpuPolicy.DEDICATED]
    if rank.index(of_image) > rank.index(of_flavor):
        message = f"{of_image.value}, but hw:cpu_policy of the flavor is {of_flavor.value}"
        reader.fault(property_path("hw_cpu_policy"), "conflict", message)
    return of_flavor


def _explicit(reader: _Reader, policy: _CpuPolicy | None) -> _CpuPolicy | None:
    """Return the policy, also where the flavor asks for a class of CPUs itself."""
    asked = {found[1] for key in reader.flavor.extra_specs if (found := _RESOURCE.match(key))}
    path = spec_path("resources:PCPU" if "PCPU" in asked else "resources:VCPU")
    if asked and policy is not None:
        reader.fault(path, "conflict", "not together with a CPU policy")
    if len(asked) > 1:
        reader.fault(path, "conflict", "not together with resources:VCPU")
    if "PCPU" in asked:
        return _CpuPolicy.DEDICATED
    return _CpuPolicy.SHARED if asked else policy


def _check_count(reader: _Reader, emulator: _EmulatorWord | None) -> None:
    for key, text in reader.flavor.extra_specs.items():
        found = _RESOURCE.match(key)
        if found is None or found[1] != "PCPU":
            continue
        needed = reader.flavor.vcpus + (emulator is _EmulatorWord.ISOLATE)
        if text.strip() != str(needed):
            message = f"{quoted(text)}, but the guest's CPUs need {needed}"
            reader.fault(spec_path(key), "conflict", message)


def _threads(reader: _Reader) -> ThreadPolicy | None:
    parse = _one_of(ThreadPolicy)
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


def _mask(reader: _Reader) -> Callable[[str], frozenset[int]]:
    def parse(text: str) -> frozenset[int]:
        found = parse_cpu_set(text, within=reader.vcpus)
        if not found or not found < reader.vcpus:
            last = len(reader.vcpus) - 1
            raise ValueError(f"{quoted(text)} is not some, but not all, of the vCPUs 0 to {last}")
        return found

    return parse


def _realtime(reader: _Reader, emulator: _EmulatorWord | None) -> frozenset[int]:
    wanted = reader.of_flavor("cpu_realtime", _truth) or reader.of_image("cpu_realtime", _truth)
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


def _truth(text: str) -> bool:
    return text.strip().lower() in _TRUE


def _nodes(reader: _Reader, pinned: frozenset[int], count: int) -> tuple[GuestNode, ...]:
    cpus = [_numbered(reader, "numa_cpus", n, parse_cpu_set) for n in range(count)]
    memory = [_numbered(reader, "numa_mem", n, _positive) for n in range(count)]
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


def _even(reader: _Reader, pinned: frozenset[int], count: int) -> tuple[GuestNode, ...]:
    each, left = divmod(reader.flavor.vcpus, count)
    memory_mib, rest = divmod(reader.flavor.memory_mib, count)
    if left or rest:
        what = f"{reader.flavor.vcpus} vCPUs and {reader.flavor.memory_mib} MiB"
        message = f"{what} cannot be shared out evenly over {count} nodes"
        reader.fault(spec_path("hw:numa_nodes"), "conflict", message)
    parts = (frozenset(range(n * each, (n + 1) * each)) for n in range(count))
    return tuple(GuestNode(Mib(memory_mib), part & pinned, part - pinned) for part in parts)


def _numbered(reader: _Reader, name: str, number: int, parse: Callable[[str], T]) -> T | None:
    return reader.flavor_or_image(f"{name}.{number}", parse)


def _check_numbers(reader: _Reader, count: int) -> None:
    """Refuse parts of nodes that there are not."""
    for source, mark, path_of in (
        (reader.flavor.extra_specs, "hw:", spec_path),
        (reader.image.properties, "hw_", property_path),
    ):
        for key in source:
            name, _, number = key.removeprefix(mark).partition(".")
            known = number.isascii() and number.isdigit() and int(number) < count
            if key.startswith(mark) and name in {"numa_cpus", "numa_mem"} and not known:
                reader.fault(path_of(key), "conflict", f"there are the nodes 0 to {count - 1}")
