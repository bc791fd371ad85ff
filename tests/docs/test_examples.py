"""The examples in the pages run and print what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n(\n```text\n(?P<output>.*?)```)?", re.DOTALL)
# A reference shows fragments; all other pages show what can be typed in.
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("[!_r]*/*.md")))
    if EXAMPLE.search(page.read_text("utf-8"))
]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_the_examples_of_a_page_run_one_after_the_other(page: Path) -> None:
    code, wanted = "", ""
    for example in EXAMPLE.finditer(page.read_text("utf-8")):
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
    code = "".join(example["code"] for example in EXAMPLE.finditer(page.read_text("utf-8")))
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
