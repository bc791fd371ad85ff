"""Nova's side of the comparison of operators; run by the Python of an environment that has nova.

Reads one pair of value and condition a line as JSON, answers true, false or the name of a crash.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")

from nova.scheduler.filters import (  # type: ignore[import-not-found]  # noqa: E402  # only there
    extra_specs_ops,
)


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        value, text = json.loads(line)
        try:
            answer: bool | str = bool(extra_specs_ops.match(value, text))
        except Exception as error:  # noqa: BLE001  # a crash of the peer is an answer of its own
            answer = type(error).__name__
        print(json.dumps(answer), flush=True)


main()
