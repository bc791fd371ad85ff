"""What is generated and committed is what the generator makes."""

import re
from pathlib import Path

from computekit import errors
from computekit.errors import ComputekitError
from tools import generate_reference

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_of_errors_is_fresh() -> None:
    page = (DOCS / "reference/errors.md").read_text("utf-8")
    assert page == generate_reference.errors_page(), "run `nox -s docs`"


def test_the_document_of_the_placement_api_is_fresh() -> None:
    document = (DOCS / "reference/placement-openapi.json").read_text("utf-8")
    assert document == generate_reference.placement_openapi(), "run `nox -s docs`"


def test_the_documents_of_the_services_beside_compute_are_fresh() -> None:
    for name, text in generate_reference.stand_in_openapis():
        document = (DOCS / f"reference/{name}-openapi.json").read_text("utf-8")
        assert document == text, "run `nox -s docs`"


def kinds() -> list[type[ComputekitError]]:
    found = (getattr(errors, name) for name in errors.__all__)
    return [it for it in found if isinstance(it, type) and issubclass(it, ComputekitError)]


def test_the_page_of_errors_has_every_error() -> None:
    page = generate_reference.errors_page()
    for kind in kinds():
        assert f"## {kind.__name__}\n" in page
        assert f"- code: `{kind.code}`\n" in page


def test_every_error_has_a_code_of_its_own_and_a_docstring() -> None:
    codes = [kind.code for kind in kinds()]

    assert len(set(codes)) == len(codes)
    assert [kind.__name__ for kind in kinds() if not kind.__doc__] == []


def test_the_tree_at_the_top_of_the_errors_is_the_tree() -> None:
    assert errors.__doc__ is not None
    depths: list[type[ComputekitError]] = []
    drawn = {}
    for line in errors.__doc__.splitlines():
        match = re.match(r"    (?P<indent>[| ]*)(\|- )?(?P<name>[A-Z]\w+)\b", line)
        if match is None:
            continue
        depth = 0 if match[2] is None else len(match["indent"]) // 3 + 1
        kind: type[ComputekitError] = getattr(errors, match["name"])
        del depths[depth:]
        if depths:
            drawn[kind] = depths[-1]
        depths.append(kind)

    parents = {kind: kind.__mro__[1] for kind in kinds() if kind is not ComputekitError}
    assert drawn == parents
