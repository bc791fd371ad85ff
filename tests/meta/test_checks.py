"""The runner of the checks says what happened, and lets nothing outlive its deadline."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import checks


def stage(name: str, code: str) -> checks.Stage:
    return checks.Stage(name, name, ("python", "-c", code))


def test_all_stages_run_although_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    stages = (stage("one", "raise SystemExit('broken')"), stage("two", "print('fine')"))

    assert checks.run_all(stages, 30) == 1

    said = capsys.readouterr().out
    assert "broken" in said
    assert "fine" not in said, "what passes needs one line only"
    assert "FAILED: one" in said


def test_skips_are_counted_and_each_reason_is_printed_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(3))\n"
        "def test_a(n):\n"
        "    pytest.skip('no such hardware here')\n"
        "def test_b():\n"
        "    pass\n"
    )
    quiet = (*checks.PYTEST, "-c/dev/null", "-pno:cacheprovider", str(tmp_path))

    assert checks.run_all((checks.Stage("tests", "tests", quiet),), 60) == 0

    said = capsys.readouterr().out
    assert "1 passed, 3 skipped" in said
    assert "3 skipped:" in said
    assert said.count("no such hardware here") == 1
    assert "everything passed" in said


def test_a_stage_is_stopped_at_the_deadline_and_the_next_gets_no_time(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mark = tmp_path / "interrupted"
    slow = stage(
        "slow",
        "import pathlib, time\n"
        "try:\n"
        "    time.sleep(60)\n"
        f"finally:\n    pathlib.Path({str(mark)!r}).touch()\n",
    )
    begun = time.monotonic()

    assert checks.run_all((slow, stage("next", "pass")), 1) == 1

    assert time.monotonic() - begun < 20
    assert mark.exists(), "an interrupt lets a stage clean up"
    said = capsys.readouterr().out
    assert "stopped after 1 s" in said
    assert "FAILED: slow, next" in said


def test_a_stage_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        checks.main(["no-such-stage"])
    assert "no stage no-such-stage" in capsys.readouterr().err


def test_a_runner_that_is_ended_ends_its_stage(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    slow = f"import os, pathlib, time; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))"
    runner = (
        "import signal\n"
        "from tools import checks\n"
        "signal.signal(signal.SIGTERM, checks.interrupt)\n"
        f"slow = checks.Stage('slow', 'slow', ('python', '-c', {slow + '; time.sleep(60)'!r}))\n"
        "checks.run_all((slow,), 60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", runner],
        cwd=checks.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 20
        while not (pid_file.exists() and pid_file.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.terminate()
        assert process.wait(timeout=20) != 0

    assert not Path("/proc", pid_file.read_text()).exists()
