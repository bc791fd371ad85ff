"""Files that people write: JSON text to typed values with every fault, and the schema of both."""

from computekit.forms.constraints import Number, String, Unique, Whole
from computekit.forms.json_text import read_json
from computekit.forms.reading import read_form
from computekit.forms.schema import form_lines, json_schema

__all__ = [
    "Number",
    "String",
    "Unique",
    "Whole",
    "form_lines",
    "json_schema",
    "read_form",
    "read_json",
]
