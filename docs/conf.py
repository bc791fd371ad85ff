"""How the documentation is built."""

import sys
from pathlib import Path

from docutils.nodes import document
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx

import computekit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.percent import as_markdown  # the line above finds it

project = "computekit"
author = "The computekit maintainers"
version = release = computekit.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build", "conf.py"]
html_theme = "furo"
html_title = f"computekit {release}"
myst_heading_anchors = 3


class ScriptParser(MystParser):
    """Reads tutorials that are scripts in cells."""

    supported: tuple[str, ...] = ("percent",)

    def parse(self, inputstring: str, document: document) -> None:
        """Read a script as the page that it is."""
        super().parse(as_markdown(inputstring), document)


def setup(app: Sphinx) -> None:
    """Let scripts be pages."""
    app.add_source_suffix(".py", "percent")
    app.add_source_parser(ScriptParser)
