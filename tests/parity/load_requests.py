"""Requests of the speed comparison: written to a server, and timed."""

import http.client
import json
import random
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import attrs

from tests.parity.load_fleets import DEVICE, Fleet, Part, identity
from tests.parity.servers import cpu_s

__all__ = ["Figure", "Site", "ask", "fill", "write"]

HEADERS = {
    "X-Auth-Token": "admin",
    "OpenStack-API-Version": "placement 1.39",
    "Accept": "application/json",
}
TIMEOUT_S = 600


class Wire:
    """One connection that is kept; the standard library's client costs the least."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)

    def __call__(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = HEADERS if body is None else {**HEADERS, "Content-Type": "application/json"}
        try:
            self._connection.request(method, path, body, headers)
        except (ConnectionError, http.client.CannotSendRequest):  # an idle one was closed
            self._connection.close()
            self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@attrs.frozen
class Site:
    """A server and all processes that work for it.

    Attributes:
        name: `genuine` or `ours`.
        url: its root.
        pids: its first process, and its database's.
        clients: how many may write at once while a fleet is loaded.
    """

    name: str
    url: str
    pids: tuple[int, ...]
    clients: int


@attrs.frozen
class Figure:
    """What some requests cost.

    Attributes:
        requests: how many were answered as wanted.
        failed: how many were not.
        cpu_ms: CPU time of all processes of the server, for each request.
        p50_ms: median from the request to the last byte.
        per_s: requests per second.
        size_kb: of one answer.
        found: candidates in one answer.
    """

    requests: int
    failed: int
    cpu_ms: float
    p50_ms: float
    per_s: float
    size_kb: float = 0.0
    found: int = 0


def fill(site: Site, fleet: Fleet) -> float:
    """Write a fleet to an empty server; return CPU milliseconds for each call."""
    wire = Wire(site.url)
    parts = [part for tree in fleet.trees() for part in tree]
    if fleet.name == "wide":
        _must(wire("PUT", f"/resource_classes/{DEVICE}"))
    for trait in sorted({t for part in parts for t in part.traits if t.startswith("CUSTOM_")}):
        _must(wire("PUT", f"/traits/{trait}"))
    wire.close()
    before = cpu_s(site.pids)
    todo = iter(list(fleet.trees()))
    lock = threading.Lock()

    def work(_: int) -> int:
        mine, calls = Wire(site.url), 0
        while True:
            with lock:
                tree = next(todo, None)
            if tree is None:
                mine.close()
                return calls
            calls += sum(_put_part(mine, part) for part in tree)

    with ThreadPoolExecutor(site.clients) as pool:
        calls = sum(pool.map(work, range(site.clients)))
    return (cpu_s(site.pids) - before) * 1000 / calls


def _put_part(wire: Wire, part: Part) -> int:
    row: dict[str, object] = {"uuid": part.id, "name": part.name}
    if part.parent is not None:
        row["parent_provider_uuid"] = part.parent
    _must(wire("POST", "/resource_providers", json.dumps(row).encode()))
    at, calls = 0, 1
    for kind, value in (
        ("inventories", dict(part.inventories)),
        ("traits", list(part.traits)),
        ("aggregates", list(part.aggregates)),
    ):
        if value:
            body = {"resource_provider_generation": at, kind: value}
            path = f"/resource_providers/{part.id}/{kind}"
            _must(wire("PUT", path, json.dumps(body).encode()))
            at, calls = at + 1, calls + 1
    return calls


def _must(answer: tuple[int, bytes]) -> bytes:
    status, body = answer
    if status >= 300:
        raise AssertionError(f"{status}: {body[:500]!r}")
    return body


def ask(site: Site, path: str, requests: int) -> Figure:
    """Ask the same question again and again, one after the other."""
    wire = Wire(site.url)
    took: list[float] = []
    body = b"{}"
    before, started = cpu_s(site.pids), time.perf_counter()
    for _ in range(requests):
        begun = time.perf_counter()
        body = _must(wire("GET", path))
        took.append(time.perf_counter() - begun)
    elapsed = time.perf_counter() - started
    used = cpu_s(site.pids) - before
    wire.close()
    found = len(json.loads(body)["allocation_requests"])
    return _figure(took, 0, used, elapsed, len(body) / 1000, found)


def write(site: Site, fleet: Fleet, requests: int, clients: int, *, seed: int, one: bool) -> Figure:
    """Claim for new consumers, by several clients at once.

    Args:
        site: where.
        fleet: a flat one that is there.
        requests: how many in all.
        clients: how many at once.
        seed: of the choice of providers and consumers.
        one: whether all claim of one provider, else each of a random one.
    """
    todo = iter(list(_claims(fleet, requests, seed, one=one)))
    lock = threading.Lock()
    before, started = cpu_s(site.pids), time.perf_counter()

    def work(_: int) -> tuple[list[float], int]:
        wire, took, failed = Wire(site.url), list[float](), 0
        while True:
            with lock:
                claim = next(todo, None)
            if claim is None:
                wire.close()
                return took, failed
            begun = time.perf_counter()
            status, _body = wire("PUT", *claim)
            if status == 204:
                took.append(time.perf_counter() - begun)
            else:
                failed += 1

    with ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(work, range(clients)))
    elapsed = time.perf_counter() - started
    used = cpu_s(site.pids) - before
    took = [one_s for mine, _ in results for one_s in mine]
    return _figure(took, sum(failed for _, failed in results), used, elapsed)


def _claims(fleet: Fleet, requests: int, seed: int, *, one: bool) -> list[tuple[str, bytes]]:
    source = random.Random(seed)
    found: list[tuple[str, bytes]] = []
    for number in range(requests):
        host = identity("flat", 0 if one else source.randrange(fleet.hosts))
        amounts = {"MEMORY_MB": 1} if one else {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}
        body: Mapping[str, object] = {
            "allocations": {host: {"resources": amounts}},
            "project_id": identity("project", number % 7),
            "user_id": identity("user", number % 11),
            "consumer_generation": None,
            "consumer_type": "INSTANCE",
        }
        consumer = identity("consumer", seed, one, number)
        found.append((f"/allocations/{consumer}", json.dumps(body).encode()))
    return found


def _figure(
    took: Sequence[float],
    failed: int,
    used_s: float,
    elapsed_s: float,
    size_kb: float = 0.0,
    found: int = 0,
) -> Figure:
    count = len(took)
    return Figure(
        count,
        failed,
        used_s * 1000 / max(count + failed, 1),
        statistics.median(took) * 1000 if took else 0.0,
        count / elapsed_s,
        size_kb,
        found,
    )
