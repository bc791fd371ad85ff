"""Compare the operators of extra specs with Nova's on generated cases.

    python -m tests.parity.conditions [--peer PYTHON] [--cases 10000] [--seed 1]

Where the peer crashes,
ours must refuse the condition when it is written, or say that the value is not as wanted.
"""

import json
import random
import sys

from computekit.scheduler import parse_condition
from tests.parity.nova_side import arguments, ask, report

OPERATORS = ["=", "==", "!=", ">=", "<=", "s==", "s!=", "s<", "s<=", "s>", "s>="]
OPERATORS += ["<in>", "<all-in>", "<or>", "", "<and>"]
WORDS = ["1", "2", "10", "2.0", "-3", "a", "ab", "abc", "x86_64", "avx2", "<or>", "", "1e1"]


def generated(source: random.Random) -> tuple[str | None, str]:
    """Return a value and a condition on it."""
    value = source.choice([*WORDS, "avx2 sse aes", None])
    parts = [source.choice(OPERATORS), *(source.choice(WORDS) for _ in range(source.randint(0, 3)))]
    return value, source.choice([" ", "  "]).join(parts)


def main() -> int:
    """Compare as the command line says."""
    given = arguments(__doc__)
    source = random.Random(given.seed)
    cases = [generated(source) for _ in range(given.cases)]
    answers = ask(given.peer, "conditions_peer.py", map(json.dumps, cases))
    crashes = yes = stricter = 0
    wrong: list[str] = []
    for (value, text), theirs in zip(cases, answers, strict=True):
        mine: bool | None
        try:
            mine = parse_condition(text).holds(value)
        except ValueError:
            mine = None
        crashes += isinstance(theirs, str)
        yes += theirs is True
        # A condition that can hold for nothing is refused when it is written.
        stricter += mine is None and theirs is False
        if (mine is True) is not (theirs is True):
            wrong.append(f"{value!r} {text!r}: peer {theirs}, ours {mine}")
    return report(
        {
            "cases": len(cases),
            "yes": yes,
            "crashes_of_the_peer": crashes,
            "refused_early": stricter,
        },
        wrong,
    )


if __name__ == "__main__":
    sys.exit(main())
