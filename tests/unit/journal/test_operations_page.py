"""What the page on operations shows is so."""

import re
from pathlib import Path
from typing import cast

import pytest

from computekit.testing import operation_laws as laws
from computekit.testing.operation_world import OperationCase

BROKEN = {
    "check_late_executor": "paint run late, after the operation was cancel",
    "check_late_run": "paint hung until",
}
PAGE = Path(__file__).parents[3] / "docs/explanation/operations.md"


@pytest.fixture(scope="module")
def case() -> OperationCase:
    shown: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), shown)
    return cast(OperationCase, shown["wall_world"])


@pytest.mark.parametrize("law", [name for name in laws.__all__ if name.startswith("check_")])
def test_the_law_that_the_page_says_is_broken(case: OperationCase, law: str) -> None:
    if law in BROKEN:
        with pytest.raises(AssertionError, match=BROKEN[law]):
            getattr(laws, law)(case)
    else:
        getattr(laws, law)(case)
