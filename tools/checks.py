"""Run everything that must pass: one line a stage, every skip with its reason, one verdict.

tools/checks.py                    all stages, whatever fails
tools/checks.py types real         only these
tools/checks.py tests -- -k fit    one stage in the foreground, with further arguments
"""

import argparse
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PYTEST = ("pytest", "-q", "--no-header", "--tb=short", "-rs", "--continue-on-collection-errors")


@dataclass(frozen=True)
class Stage:
    name: str
    what: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    passed: bool
    output: str


STAGES = (
    Stage("lint", "ruff: rules", ("ruff", "check")),
    Stage("format", "ruff: layout", ("ruff", "format", "--check")),
    Stage("types", "mypy: strict over all", ("mypy",)),
    Stage(
        "public",
        "pyright: every public name is fully typed",
        ("pyright", "--ignoreexternal", "--verifytypes", "computekit"),
    ),
    Stage("layers", "import-linter: nothing imports upward", ("lint-imports",)),
    Stage(
        "docs",
        "sphinx: builds without a warning",
        ("sphinx-build", "-qW", "--keep-going", "docs", "docs/_build/html"),
    ),
    Stage(
        "tests",
        "pytest: all that needs only Python",
        # A module, or a class, stays in one process and in its order, and so keeps its fixtures.
        (*PYTEST, "-n", "auto", "--dist", "loadscope", "tests", "--ignore=tests/real"),
    ),
    Stage("real", "pytest: this machine's libvirt, QEMU, databases", (*PYTEST, "tests/real")),
)


def main(arguments: Sequence[str]) -> int:
    ours, theirs = _split(arguments)
    parser = argparse.ArgumentParser(prog="./dev test", description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="all, if none is named")
    parser.add_argument("--list", action="store_true", help="name the stages")
    parser.add_argument("--deadline", type=float, default=840, metavar="SECONDS")
    asked = parser.parse_args(ours)
    if unknown := set(asked.stages) - {stage.name for stage in STAGES}:
        parser.error(f"no stage {', '.join(sorted(unknown))}")
    chosen = [stage for stage in STAGES if not asked.stages or stage.name in asked.stages]

    if asked.list:
        for stage in STAGES:
            print(f"{stage.name:8}{stage.what}")
        return 0
    if len(chosen) == 1:
        return subprocess.call([*chosen[0].command, *theirs], cwd=ROOT, env=_environment())
    if theirs:
        parser.error("arguments after -- go to one stage alone")
    return run_all(chosen, asked.deadline)


def _split(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    if "--" not in arguments:
        return arguments, ()
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def run_all(stages: Sequence[Stage], deadline_s: float) -> int:
    print(", ".join(_versions()))
    started = time.monotonic()
    failed: list[str] = []
    skips: list[tuple[int, str]] = []
    for stage in stages:
        print(f"{stage.name:8}{stage.what:56}", end="", flush=True)
        begun = time.monotonic()
        outcome = _run(stage, deadline_s - (begun - started))
        closing = _closing_line(outcome.output) if stage.command[0] == "pytest" else ""
        word = "ok" if outcome.passed else "FAILED"
        print(f"{time.monotonic() - begun:6.1f} s  {word}  {closing}".rstrip(), flush=True)
        skips += _skips(outcome.output)
        if not outcome.passed:
            failed.append(stage.name)
            print(outcome.output.rstrip(), end="\n\n", flush=True)

    print(f"\n{sum(count for count, _ in skips)} skipped{':' if skips else ''}")
    for count, reason in skips:
        print(f"    {count} x {reason}")
    verdict = f"FAILED: {', '.join(failed)}" if failed else "everything passed"
    print(f"{verdict}, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def _run(stage: Stage, budget_s: float) -> Outcome:
    """Run a stage in a session of its own, so that nothing of it outlives its deadline."""
    if budget_s <= 0:
        return Outcome(passed=False, output="no time was left for this stage")
    # What a shell starts in the background ignores interrupts, and would hand that on.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        stage.command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=budget_s)
            return Outcome(process.returncode == 0, output)
        except subprocess.TimeoutExpired:
            return Outcome(passed=False, output=f"{_stop(process)}\nstopped after {budget_s:.0f} s")
        except BaseException:
            _stop(process)
            raise


def _stop(process: subprocess.Popen[str]) -> str:
    """End a stage and return what it said: an interrupt first, for what pytest has to take down."""
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return output


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Let SIGTERM take the way of Ctrl-C."""
    raise KeyboardInterrupt


def _environment() -> dict[str, str]:
    """Return the environment with the tools beside this interpreter first on PATH."""
    beside = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(beside.parent),
        "COLUMNS": "100",
    }


def _skips(output: str) -> list[tuple[int, str]]:
    found = re.findall(r"^SKIPPED \[(\d+)\] (.*)$", output, flags=re.MULTILINE)
    return [(int(count), reason) for count, reason in found]


def _closing_line(output: str) -> str:
    lines = [line for line in output.splitlines() if re.search(r" in [\d.]+s\b", line)]
    return lines[-1].strip("= ") if lines else ""


def _versions() -> list[str]:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    found = [system, f"Python {platform.python_version()}", f"{os.cpu_count()} CPUs"]
    for program in ("libvirtd", "qemu-system-x86_64"):
        path = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        if path is None:
            found.append(f"no {program}")
            continue
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        version = re.search(r"\d+(\.\d+)+", said.stdout)
        found.append(f"{program} {version.group() if version else 'of unknown version'}")
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted")
