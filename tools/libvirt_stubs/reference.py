"""The generated part of the reference page: what the stub says, and which of it is checked."""

from collections.abc import Iterable, Mapping

from tools.libvirt_stubs.derive import Signature

__all__ = ["BEGIN", "END", "insert", "section"]

BEGIN = "<!-- made by tools/generate_libvirt_stubs.py: begin -->"
END = "<!-- made by tools/generate_libvirt_stubs.py: end -->"


def section(
    versions: str, signatures: Mapping[str, Signature], called: Mapping[str, frozenset[str]]
) -> str:
    """Return the list of checked and unchecked methods; `called` are the checked, by what calls."""
    checked = frozenset[str]().union(*called.values())
    derived = {key for key, signature in signatures.items() if not signature.corrected}
    corrected = {key for key, signature in signatures.items() if signature.corrected}
    false = {key: signature for key, signature in signatures.items() if _is_false(signature)}
    lines = [
        f"Made from {versions}.",
        "",
        "| | all | checked by a real call |",
        "| --- | --- | --- |",
        f"| functions and methods | {len(signatures)} | {len(checked)} |",
        f"| typed by the C prototype | {len(derived)} | {len(checked & derived)} |",
        f"| corrected by hand | {len(corrected)} | {len(checked & corrected)} |",
        f"| result annotated falsely by the binding | {len(false)} | {len(checked & set(false))} |",
        "",
        "### Results that the binding annotates falsely",
        "",
        "| method | the binding says | it is | checked with |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{key}` | `{signature.claimed_return}` | `{_cell(signature.returns)}` "
            f"| {', '.join(driver for driver, keys in called.items() if key in keys)} |"
            for key, signature in sorted(false.items())
        ),
        "",
        "### Corrected and not checked",
        "",
        "Nothing calls these in a test: they need a second host, a guest that answers, a device or",
        "a daemon. Their types come from libvirt's description of its structures.",
        "",
        *_names(sorted(corrected - checked)),
    ]
    for driver, keys in called.items():
        lines += ["", f"### Checked with {driver}", "", *_names(sorted(keys))]
    return "\n".join(lines)


def insert(page: str, generated: str) -> str:
    """Return `page` with `generated` between its two marks.

    Raises:
        ValueError: the page does not have the marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the generated part")
    return f"{before}{BEGIN}\n\n{generated}\n\n{END}{after}"


def _is_false(signature: Signature) -> bool:
    claimed = signature.claimed_return
    return claimed is not None and not signature.overloads and claimed != signature.returns


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _names(keys: Iterable[str]) -> Iterable[str]:
    by_owner: dict[str, list[str]] = {}
    for key in keys:
        owner, _, name = key.rpartition(".")
        by_owner.setdefault(owner or "module", []).append(name)
    for owner, names in sorted(by_owner.items()):
        yield f"- `{owner}`: {', '.join(f'`{name}`' for name in names)}"
