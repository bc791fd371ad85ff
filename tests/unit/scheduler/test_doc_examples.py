"""The examples in the explanation of scheduling run, and say what the page says."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "scheduling.md"


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    first, _claiming, own_rule = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(first, names)
    assert capsys.readouterr().out.startswith("cmp2 ")
    exec(own_rule, names)
    exec("refused = Scheduler(fleet, policy).place(decision.request).explain()", names)
    exec("print(refused.host(HostName('cmp2')).failing[0].there)", names)
    assert capsys.readouterr().out == "no licence\n"
