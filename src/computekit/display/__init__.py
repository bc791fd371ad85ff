"""Tables, trees and bars as text, HTML and SVG; knows nothing of what it shows."""

from computekit.display.bars import Bar, Bars
from computekit.display.page import Drawing, Page, Text
from computekit.display.table import Table
from computekit.display.tree import Tree

__all__ = ["Bar", "Bars", "Drawing", "Page", "Table", "Text", "Tree"]
