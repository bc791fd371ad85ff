"""What `import computekit` costs beside importing what every part of it needs."""

import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator

from bench.measure import Measure

RUNS = 5
BASIS = "import attrs, cattrs, numpy"
IMPORTS = {
    "computekit": "import computekit",
    "computekit.scheduler": "import computekit.scheduler",
    "computekit.store": "import computekit.store",
}


def measure(seconds: float) -> Iterator[Measure]:
    """Give the median CPU time of each import, and its ratio to the basis in the same run."""
    del seconds  # an import takes what it takes
    taken: dict[str, list[float]] = {code: [] for code in (BASIS, *IMPORTS.values())}
    for _ in range(RUNS):
        for code, figures in taken.items():
            figures.append(_cpu_s(code))
    basis_s = statistics.median(taken[BASIS])
    yield Measure(BASIS, basis_s * 1e3, "ms CPU")
    for name, code in IMPORTS.items():
        cost_s = statistics.median(taken[code])
        yield Measure(f"import {name}", cost_s * 1e3, "ms CPU", {"ratio": cost_s / basis_s})


def _cpu_s(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
