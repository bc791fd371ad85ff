"""Compare the operators of extra specs with Nova's on generated cases.

    python -m tests.parity.conditions --peer PYTHON [--cases 10000] [--seed 1]

PYTHON is that of an environment with nova 34 (`nox -s peers` makes one). Where the peer crashes,
ours must refuse the condition when it is written, or say that the value is not as wanted.
"""

import argparse
import json
import random
import subprocess
import sys

from computekit.scheduler import parse_condition

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="Python of an environment with nova")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    source = random.Random(arguments.seed)
    cases = [generated(source) for _ in range(arguments.cases)]
    done = subprocess.run(
        [arguments.peer, "-W", "ignore", __file__.replace("conditions.py", "conditions_peer.py")],
        input="\n".join(map(json.dumps, cases)) + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    crashes = yes = stricter = 0
    wrong: list[str] = []
    for (value, text), line in zip(cases, done.stdout.splitlines(), strict=True):
        theirs = json.loads(line)
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
    for found in wrong[:8]:
        print(found, file=sys.stderr)
    result = {"cases": len(cases), "yes": yes, "crashes_of_the_peer": crashes}
    print(json.dumps({**result, "refused_early": stricter, "differ": len(wrong)}))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
