"""What becomes of a host's devices, drawn."""

from collections.abc import Iterable

from computekit.display import Page, Table, Text, Tree
from computekit.model import Provider, ProviderTree
from computekit.pci.device import DiscoveryNote
from computekit.pci.finding import Finding
from computekit.pci.state import KeptUnit, PciState

__all__ = ["findings_text", "provider_drawing", "units_table"]


def provider_drawing(tree: ProviderTree) -> Tree:
    """Return the providers with what each has."""
    return Tree(
        tree.root.name,
        _notes(tree.root),
        tuple(Tree(it.name, _notes(it)) for it in tree.children(tree.root.id)),
    )


def _notes(provider: Provider) -> tuple[str, ...]:
    lines = [
        f"{name}: {it.total}" + (f", {it.reserved} reserved" if it.reserved else "")
        for name, it in sorted(provider.inventories.items())
    ]
    if provider.traits:
        lines.append(" ".join(sorted(provider.traits)))
    return tuple(lines)


def units_table(state: PciState) -> Table:
    """Return a row for each unit: how it stands and whose it is."""
    rows = tuple(
        (
            kept.unit.key,
            kept.standing.value,
            "-" if kept.holding is None else kept.holding.consumer,
            _members(kept),
            "yes" if state.is_dirty(kept.unit) else "-",
        )
        for kept in state.units
    )
    return Table(("unit", "stands", "held by", "devices", "dirty"), rows, title="Units")


def _members(kept: KeptUnit) -> str:
    missing = frozenset(kept.unit.missing)
    return " ".join(
        f"{address} (missing)" if address in missing else str(address)
        for address in sorted(kept.unit.addresses)
    )


def findings_text(findings: Iterable[Finding], notes: Iterable[DiscoveryNote]) -> Page:
    """Return a line for each finding and note; no part if there are none."""
    lines = [f"{it.severity.value} {it.code} {it.path}: {it.message}" for it in findings]
    lines.extend(f"note {it.code.value} {it.entry}: {it.message}" for it in notes)
    return Page((Text(tuple(lines)),) if lines else ())
