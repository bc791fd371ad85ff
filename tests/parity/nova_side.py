"""Asking a script that runs under Nova's own Python; shared by the comparisons with Nova."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.parity import peers

__all__ = ["arguments", "ask", "report"]


def arguments(description: str | None) -> argparse.Namespace:
    """Read the command line: `peer`, `cases`, `seed`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", help="Python with nova 34; without it that of `nox -s peers`")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    found = parser.parse_args()
    if found.peer is None:
        home = peers.made("nova")
        if home is None:
            parser.exit(77, f"skipped: {peers.missing('nova')}\n")
        found.peer = str(home / "bin" / "python")
    return found


def ask(peer: str, script: str, cases: Iterable[str]) -> list[object]:
    """Give a script one case a line, and return its answers."""
    done = subprocess.run(
        [peer, "-W", "ignore", str(Path(__file__).with_name(script))],
        input="".join(f"{case}\n" for case in cases),
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script} failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def report(result: dict[str, object], wrong: list[str]) -> int:
    """Print what was found; return the exit status."""
    for text in wrong[:8]:
        print(text, file=sys.stderr)
    print(json.dumps({**result, "differ": len(wrong)}))
    return int(bool(wrong))
