"""Let Nova's own report client work against computekit's daemon, and against genuine Placement.

    python -m tests.parity.report_client

Nova 34 runs in an environment of its own (`nox -s peers`). What it is told, and what the server
holds after each step, must be the same on both; the exit status is 1 if anything differs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.parity import peers, servers

PEER = Path(__file__).with_name("report_client_peer.py")
TIMEOUT_S = 180


def steps(url: str) -> list[dict[str, object]]:
    """Return what each step left on a server."""
    home = peers.made("nova")
    assert home is not None, peers.missing("nova")
    done = subprocess.run(
        [home / "bin" / "python", PEER, url],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    if done.returncode:
        raise AssertionError(f"{done.stdout}\n{done.stderr}"[-6000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def main() -> int:
    for name in ("nova", "placement"):
        peers.make(name)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        with servers.ours(home / "ours") as ours:
            mine = steps(ours.url)
        with servers.genuine(home / "genuine") as genuine:
            theirs = steps(genuine.url)
    differing = 0
    for step, other in zip(mine, theirs, strict=True):
        same = step == other
        differing += not same
        print(f"{'same  ' if same else 'DIFFER'}  {step['step']}")
        if not same:
            print(f"  ours:    {json.dumps(step)}\n  genuine: {json.dumps(other)}")
    print(f"{len(mine)} steps, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
