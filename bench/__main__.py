"""The one command: `python -m bench [NAME...] [--json] [--seconds S]`.

Each module beside or below this one that has `measure(seconds)` is a bench; NAME is the module's:
`decision`, `scheduler.kernel` ...
"""

import argparse
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module

import attrs

import bench
from bench.measure import Measure

Bench = Callable[[float], Iterator[Measure]]


def benches() -> dict[str, Bench]:
    """Return every bench by name."""
    found: dict[str, Bench] = {}
    for module in pkgutil.walk_packages(bench.__path__, "bench."):
        if "._" not in module.name:
            measure = getattr(import_module(module.name), "measure", None)
            if callable(measure):
                found[module.name.removeprefix("bench.")] = measure
    return found


def main(arguments: list[str]) -> int:
    """Run the benches that are named, or all, and print their figures."""
    known = benches()
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(sorted(known)))
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure (default: 2)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - known.keys():
        parser.error(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(known)}")

    results: dict[str, list[dict[str, object]]] = {}
    for name in options.names or sorted(known):
        for figure in known[name](options.seconds):
            results.setdefault(name, []).append(attrs.asdict(figure))
            if not options.json:
                notes = "".join(f"  {key}={value:.4g}" for key, value in figure.notes.items())
                print(f"{name}: {figure.name}: {figure.value:.4g} {figure.unit}{notes}", flush=True)
    if options.json:
        machine = {
            "python": platform.python_version(),
            "cpus": os.cpu_count(),
            "system": platform.platform(),
        }
        print(json.dumps({"machine": machine, "benches": results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
