"""Sets of what must lie together: `affinity_set` of a configuration, for devices of aliases."""

import re
from collections.abc import Iterable, Mapping, Sequence

import attrs

from computekit.errors import Fault
from computekit.pci.alias import Alias, AliasCount
from computekit.pci.entry import Entry, entries, near
from computekit.pci.locality import Affinity, AffinityKey
from computekit.pci.request import DeviceRequest

__all__ = ["AffinitySet", "affinities_of", "parse_affinity_sets"]

_KNOWN = ("requests", "match", "distinct")
_REQUEST = re.compile(r"(?P<name>.+):(?P<count>[0-9]{1,2})\Z")
_MOST = 64


@attrs.frozen
class AffinitySet:
    """So many devices of these aliases belong together, in every instance that asks for them.

    An instance that asks for eight GPUs and eight NICs gets eight pairs from a set of one each.

    Attributes:
        path: where it stands in its configuration.
        requests: how many of which alias a set has.
        match: what those of a set have in common; None: nothing in particular.
        distinct: what no two of them have in common; None: they may share everything.
    """

    path: str
    requests: tuple[AliasCount, ...]
    match: AffinityKey | None = None
    distinct: AffinityKey | None = None


def parse_affinity_sets(
    occurrences: Iterable[object], aliases: Mapping[str, Alias], faults: list[Fault]
) -> tuple[AffinitySet, ...]:
    """Return the sets; every fault goes to `faults`, with its place and code F01 to F05."""
    read = entries("affinity_set", occurrences, faults, code="F", lists=True)
    return tuple(_set(entry, aliases) for entry in read)


def _set(entry: Entry, aliases: Mapping[str, Alias]) -> AffinitySet:
    for key in entry.values:
        if key not in _KNOWN:
            entry.fault(key, "F04", f"no such key{near(key, _KNOWN)}")
    keys = {key.value: key for key in AffinityKey}
    match = entry.choice("match", keys, "F05")
    distinct = entry.choice("distinct", keys, "F05")
    if "match" not in entry and "distinct" not in entry:
        entry.fault("", "F05", "nothing is asked for: it needs match, distinct or both")
    return AffinitySet(entry.path, tuple(_requests(entry, aliases)), match, distinct)


def _requests(entry: Entry, aliases: Mapping[str, Alias]) -> Iterable[AliasCount]:
    listed = entry.values.get("requests")
    if not isinstance(listed, list) or not listed:
        entry.fault("requests", "F03", 'a list like ["gpu:1", "nic:1"] is wanted')
        return
    seen: set[str] = set()
    total = 0
    for at, item in enumerate(listed):
        found = _REQUEST.match(item) if isinstance(item, str) else None
        key = f"requests[{at}]"
        if found is None or not 1 <= int(found["count"]) <= _MOST:
            entry.fault(key, "F03", f"{str(item)[:40]!r} is not name:count, with 1 to {_MOST}")
        elif found["name"] not in aliases:
            name = found["name"]
            message = f"no alias is called {name[:40]!r}{near(name, aliases.keys())}"
            entry.fault(key, "F03", message)
        elif found["name"] in seen:
            entry.fault(key, "F03", f"{found['name'][:40]!r} stands here twice")
        else:
            seen.add(found["name"])
            total += int(found["count"])
            yield AliasCount(found["name"], int(found["count"]))
    if total == 1:
        entry.fault("requests", "F03", "one device is together with itself anyway")


def affinities_of(
    requests: Sequence[DeviceRequest], sets: Iterable[AffinitySet]
) -> tuple[Affinity, ...]:
    """Return what a request's wants must share: each set as often as all of it is asked for."""
    names: dict[str, list[str]] = {}
    for request in requests:
        own = [want.name for want in request.wants({})]
        names.setdefault(request.alias.name, []).extend(own)
    found: list[Affinity] = []
    for it in sets:
        if not it.requests:
            continue
        times = min(len(names.get(part.name, ())) // part.count for part in it.requests)
        for at in range(times):
            wants = tuple(
                name
                for part in it.requests
                for name in names[part.name][at * part.count : (at + 1) * part.count]
            )
            found.append(Affinity(wants, it.match, it.distinct))
    return tuple(found)
