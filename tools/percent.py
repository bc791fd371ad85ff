"""Scripts in cells (the percent format): as pages of the documentation, and as notebooks.

tools/percent.py docs/tutorials/NAME.py [NAME.ipynb]    write a notebook

A cell begins with `# %%`, one of words with `# %% [markdown]`. A fence of `text` at the beginning
of a cell of words is what the cell of code before it prints.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

__all__ = ["Cell", "as_markdown", "as_notebook", "cells_of"]

_MARK = re.compile(r"^# %%(?P<words> \[markdown\])?[^\n]*\n", re.MULTILINE)
_PRINTED = re.compile(r"```text\n(?P<text>.*?)```\n*", re.DOTALL)


@attrs.frozen
class Cell:
    """One cell.

    Attributes:
        code: whether it is code, or words in Markdown.
        text: of it.
    """

    code: bool
    text: str


def cells_of(script: str) -> Iterator[Cell]:
    """Return the cells of a script; what comes before the first is left out."""
    marks = list(_MARK.finditer(script))
    ends = [mark.start() for mark in marks[1:]] + [len(script)]
    for mark, end in zip(marks, ends, strict=True):
        text = script[mark.end() : end].strip("\n")
        if mark["words"]:
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.splitlines())
        yield Cell(not mark["words"], f"{text}\n")


def as_markdown(script: str) -> str:
    """Return a script as a page: code between fences."""
    parts = (f"```python\n{c.text}```\n" if c.code else c.text for c in cells_of(script))
    return "\n".join(parts)


def as_notebook(script: str) -> str:
    """Return a script as a Jupyter notebook (format 4.5), with what its cells print."""
    cells: list[dict[str, object]] = []
    outputs: list[object] = []
    for number, cell in enumerate(cells_of(script)):
        text = cell.text
        if not cell.code:
            printed = _PRINTED.match(text)
            if printed is not None:
                stream = {"output_type": "stream", "name": "stdout"}
                outputs.append({**stream, "text": printed["text"].splitlines(keepends=True)})
                text = text[printed.end() :]
            if not text.strip():
                continue
        found: dict[str, object] = {
            "id": f"cell-{number:02}",
            "cell_type": "code" if cell.code else "markdown",
            "metadata": {},
            "source": text.rstrip("\n").splitlines(keepends=True),
        }
        if cell.code:
            outputs = []
            found |= {"execution_count": None, "outputs": outputs}
        cells.append(found)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("script", type=Path)
    parser.add_argument("notebook", type=Path, nargs="?", help="default: beside the script")
    options = parser.parse_args(arguments)
    target = options.notebook or options.script.with_suffix(".ipynb")
    target.write_text(as_notebook(options.script.read_text("utf-8")), "utf-8")
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
