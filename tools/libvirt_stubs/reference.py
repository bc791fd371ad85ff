"""The generated part of the reference page: what the stub says, and which of it is checked."""

from collections.abc import Iterable, Mapping

from tools.libvirt_stubs.derive import Signature

__all__ = ["BEGIN", "END", "insert", "section"]

BEGIN = "<!-- made by tools/generate_libvirt_stubs.py: begin -->"
END = "<!-- made by tools/generate_libvirt_stubs.py: end -->"


def section(versions: str, signatures: Mapping[str, Signature], checked: frozenset[str]) -> str:
    """Return the list of checked and unchecked methods; `checked` are those that are called."""
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
        "| method | the binding says | it is | checked |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{key}` | `{signature.claimed_return}` | `{_cell(signature.returns)}` "
            f"| {'yes' if key in checked else 'no'} |"
            for key, signature in sorted(false.items())
        ),
        "",
        "### Corrected and not checked",
        "",
        "No call of these is made against a real libvirt, because the test driver has none or the",
        "call needs a second party. Their types come from libvirt's description of its structures.",
        "",
        *_names(sorted(corrected - checked)),
        "",
        "### Checked",
        "",
        *_names(sorted(checked)),
    ]
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
