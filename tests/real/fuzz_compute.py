"""Ask the Compute API of an all-in-one everything that its own document allows, and much else.

    python -m tests.real.fuzz_compute --examples 20

As `fuzz_placement`: no answer may be a server's error, but for 501, which says what is not there.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.parity.clients import allinone
from tests.real.fuzz_placement import fuzz


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=20, help="of each operation and phase")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as directory,
        allinone(Path(directory) / "state", 2, "none") as clouds,
    ):
        said = json.loads(clouds.read_text())["clouds"]["computekit"]
        url = said["compute_endpoint_override"].removesuffix("/v2.1")
        return fuzz(url, asked.examples, asked.seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
