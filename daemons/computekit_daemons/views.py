"""What the commands print of instances, operations and images."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Never

from computekit.display import Table, Tree
from computekit.errors import NoValidHost, RetriesExhausted
from computekit.ids import InstanceId
from computekit.journal import Direction, Operation, OperationKind, OperationState, Result
from computekit.model import (
    DISK_GB,
    MEMORY_MB,
    VCPU,
    Image,
    Instance,
    ResourceClass,
    decode_error,
)
from computekit.placement import ProviderUse, tree_view
from computekit.scheduler import Host, facts_view
from computekit.units import bytes_to_mib_exact

__all__ = [
    "host_text",
    "hosts_table",
    "images_table",
    "instance_table",
    "instances_table",
    "operation_page",
    "operations_table",
]


def hosts_table(rows: tuple[Host, ...], uses: tuple[ProviderUse, ...]) -> Table:
    """Return one line for each host, with what is used of what it gives."""
    return Table(
        ("host", "state", "zone", "hypervisor", "VCPU", "MEMORY_MB", "DISK_GB"),
        tuple(
            (
                row.name,
                _host_state(row),
                row.zone or "-",
                f"{row.facts.hypervisor} ({row.facts.virt_type})",
                *(_used(row, uses, name) for name in (VCPU, MEMORY_MB, DISK_GB)),
            )
            for row in rows
        ),
        numbers=frozenset({VCPU, MEMORY_MB, DISK_GB}),
    )


def host_text(row: Host, uses: tuple[ProviderUse, ...]) -> str:
    """Return what a host has, and its provider tree, as text."""
    of_host = tuple(use for use in uses if use.root == row.provider)
    return f"{facts_view(row.facts).text()}\n\n{tree_view(of_host).text()}"


def _host_state(row: Host) -> str:
    state = "up" if row.up else "down"
    return state if row.disabled is None else f"{state}, disabled: {row.disabled}"


def _used(row: Host, uses: tuple[ProviderUse, ...], name: ResourceClass) -> str:
    of_host = [use for use in uses if use.root == row.provider]
    used = sum(use.used.get(name, 0) for use in of_host)
    given = sum(
        use.provider.inventories[name].capacity
        for use in of_host
        if name in use.provider.inventories
    )
    return f"{used} of {given}"


def instances_table(rows: tuple[Instance, ...], doing: Mapping[InstanceId, str]) -> Table:
    """Return one line for each instance; `doing` says what is under way."""
    return Table(
        ("name", "state", "host", "vcpus", "memory MiB", "disk GiB", "image", "id"),
        tuple(
            (
                row.name,
                doing.get(row.id) or row.state.value,
                row.host or "-",
                str(row.flavor.vcpus),
                str(row.flavor.memory_mib),
                str(row.flavor.disk_gib),
                row.image.name,
                row.id,
            )
            for row in rows
        ),
        numbers=frozenset({"vcpus", "memory MiB", "disk GiB"}),
    )


def instance_table(row: Instance, doing: str | None) -> Table:
    """Return everything about one instance, a line each."""
    flavor = row.flavor
    size = f"{flavor.vcpus} vCPU, {flavor.memory_mib} MiB, {flavor.disk_gib} GiB disk"
    return Table(
        ("field", "value"),
        (
            ("name", row.name),
            ("id", row.id),
            ("state", row.state.value),
            ("under way", doing or "-"),
            ("host", row.host or "-"),
            ("zone", row.zone or "-"),
            ("flavor", f"{flavor.name} ({size})"),
            ("image", f"{row.image.name} ({row.image.id})"),
            ("created", _time(row.created_s)),
        ),
    )


def operations_table(rows: tuple[Operation, ...], names: Mapping[str, str]) -> Table:
    """Return one line for each operation; `names` has the names of instances by id."""
    return Table(
        ("operation", "kind", "instance", "state", "began", "took s", "error"),
        tuple(
            (
                row.id[:8],
                row.kind,
                names.get(row.subject.rpartition(":")[2], row.subject),
                row.state.value,
                _time(row.created_s),
                "-" if row.ended_s is None else f"{row.ended_s - row.created_s:.1f}",
                "" if row.error is None else decode_error(row.error).message,
            )
            for row in rows
        ),
        numbers=frozenset({"took s"}),
    )


def operation_page(
    row: Operation, kind: OperationKind[Never] | None, results: tuple[Result, ...]
) -> str:
    """Return an operation with its steps, and the explanation of a refusal, as text."""
    done = {result.step for result in results if result.n == 0 and result.value is not None}
    steps: list[Tree] = []
    for position, step in enumerate(() if kind is None else kind.steps):
        here = row.state is OperationState.LIVE and position == row.position
        undoing = row.direction is Direction.UNDO
        now = ("undoing" if undoing else "running") if here else ""
        state = now or ("done" if step.name in done else "-")
        about = (f"run {row.attempt + 1}", row.doing) if here else ()
        steps.append(Tree(f"{step.name}: {state}", tuple(note for note in about if note)))
    notes = [f"subject {row.subject}, submitted {_time(row.created_s)}"]
    if row.cancel is not None:
        notes.append(f"cancelled: {row.cancel}")
    text = Tree(f"{row.kind} {row.id}: {row.state.value}", tuple(notes), tuple(steps)).text()
    for encoded in (row.error, row.undo_error):
        if encoded is not None:
            error = decode_error(encoded)
            text += f"\n\n{error.message} [{error.code}]"
            if isinstance(error, (NoValidHost, RetriesExhausted)) and error.explanation:
                text += f"\n\n{error.explanation}"
    return text


def images_table(rows: tuple[Image, ...]) -> Table:
    """Return one line for each image."""
    return Table(
        ("name", "format", "size MiB", "virtual MiB", "id"),
        tuple(
            (
                row.name,
                row.disk_format,
                f"{bytes_to_mib_exact(row.size_bytes):.1f}",
                f"{bytes_to_mib_exact(row.virtual_size_bytes):.1f}",
                row.id,
            )
            for row in rows
        ),
        numbers=frozenset({"size MiB", "virtual MiB"}),
    )


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
