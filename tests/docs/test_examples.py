"""The examples in the pages run and print what the page says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.percent import as_markdown, as_notebook, cells_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n(\n```text\n(?P<output>.*?)```)?", re.DOTALL)
SCRIPTS = sorted((ROOT / "docs").glob("[!_r]*/*.py"))


def text_of(page: Path) -> str:
    text = page.read_text("utf-8")
    return as_markdown(text) if page in SCRIPTS else text


# A reference shows fragments; all other pages show what can be typed in.
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("[!_r]*/*.md")), *SCRIPTS)
    if EXAMPLE.search(text_of(page))
]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_the_examples_of_a_page_run_one_after_the_other(page: Path) -> None:
    code, wanted = "", ""
    for example in EXAMPLE.finditer(text_of(page)):
        code += example["code"]
        wanted += example["output"] or ""
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())
    assert printed == wanted


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_the_examples_of_a_page_are_typed(page: Path, tmp_path: Path) -> None:
    code = "".join(example["code"] for example in EXAMPLE.finditer(text_of(page)))
    file = tmp_path / "example.py"
    file.write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=relative)
def test_a_script_opens_as_a_notebook_with_what_it_prints(script: Path) -> None:
    text = script.read_text("utf-8")
    book = json.loads(as_notebook(text))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert ["".join(cell["source"]) + "\n" for cell in code] == [
        cell.text for cell in cells_of(text) if cell.code
    ]
    assert all(cell["outputs"] for cell in code)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    assert not any("```text" in "".join(cell["source"]) for cell in book["cells"])
