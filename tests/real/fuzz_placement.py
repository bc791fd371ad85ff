"""Ask a daemon everything that its own document allows, and much that it does not.

    python -m tests.real.fuzz_placement --examples 50 --database postgresql

schemathesis makes the requests, right and wrong ones, and chains of them. No answer may be a
server's error. To a right request, every answer has a status, a media type and a shape that the
document names; a wrong one may speak an older version.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real.fresh_reads import database
from tests.real.placement_daemon import running

SHAPES = "status_code_conformance,content_type_conformance,response_schema_conformance"
RUNS = (("all", "not_a_server_error"), ("positive", f"not_a_server_error,{SHAPES}"))


def fuzz(url: str, examples: int, seed: int) -> int:
    """Run schemathesis against a server; return how many of its runs have failed."""
    program = Path(sys.executable).with_name("schemathesis")
    failed = 0
    for mode, checks in RUNS:
        command = (
            *(str(program), "run", f"{url}/openapi.json", "--url", url, "--no-color"),
            *("--header", "X-Auth-Token: admin", "--mode", mode, "--checks", checks),
            *("--phases", "coverage,fuzzing,stateful", "--continue-on-failure"),
            *("--max-examples", str(examples), "--seed", str(seed), "--warnings", "off"),
        )
        with tempfile.TemporaryDirectory() as directory:  # it leaves its findings where it runs
            failed += subprocess.run(command, check=False, cwd=directory).returncode != 0
    return failed


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=50, help="of each operation and phase")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with database(asked.database) as url, running(url) as daemon:
        return fuzz(daemon.url, asked.examples, asked.seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
