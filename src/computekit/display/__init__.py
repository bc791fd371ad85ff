"""Tables, trees, bars and lines as text, HTML and SVG; knows nothing of what it shows."""

from computekit.display.bars import Bar, Bars
from computekit.display.funnel import Funnel, Stage
from computekit.display.lines import Line, Lines
from computekit.display.page import Drawing, Page, Text
from computekit.display.table import Table
from computekit.display.tree import Tree

__all__ = [
    "Bar",
    "Bars",
    "Drawing",
    "Funnel",
    "Line",
    "Lines",
    "Page",
    "Stage",
    "Table",
    "Text",
    "Tree",
]
