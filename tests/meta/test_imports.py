"""Importing is free of effects, and cheap."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROBE = Path(__file__).with_name("import_probe.py")


def probe(*packages: Path) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, str(PROBE), *map(str, packages)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def test_every_module_can_be_imported_alone_and_without_effects() -> None:
    found = probe(ROOT / "src/computekit", ROOT / "daemons/computekit_daemons")

    assert "computekit.model.flavor" in found
    assert "computekit_daemons" in found
    assert {name: offences for name, offences in found.items() if offences} == {}


EFFECTS = [
    "open('/dev/null').close()",
    "open('/dev/null', 'w').close()",
    "import pathlib; pathlib.Path('/dev/null').read_text()",
    "import os; os.listdir('/')",
    "import os; os.environ.get('HOME')",
    "import os; os.getenv('HOME')",
    "import os; dict(os.environ)",
    "import socket; socket.socket().close()",
    "import subprocess; subprocess.run(['/bin/true'])",
    "import threading; threading.Thread(target=print).start()",
    "import logging; logging.basicConfig()",
    "import logging; logging.getLogger('x').setLevel('INFO')",
    "import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
    "import atexit; atexit.register(print)",
    "import sqlite3; sqlite3.connect(':memory:').close()",
    "import time; time.sleep(0)",
    "import importlib.metadata; importlib.metadata.version('attrs')",
    "raise ImportError('no')",
]


@pytest.fixture(scope="module")
def guilty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the probe says of a package for each effect."""
    packages = []
    for number, line in enumerate(EFFECTS):
        package = tmp_path_factory.mktemp("effect") / f"guilty{number}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "act.py").write_text(f"{line}\n")
        (package / "by.py").write_text(f"import guilty{number}.act\n")
        packages.append(package)
    return probe(*packages)


@pytest.mark.parametrize("line", EFFECTS)
def test_the_probe_sees_an_effect(guilty: dict[str, list[str]], line: str) -> None:
    package = f"guilty{EFFECTS.index(line)}"

    assert guilty[package] == []
    assert guilty[f"{package}.act"] != []
    assert guilty[f"{package}.by"] != []


def test_the_probe_leaves_innocents_alone(tmp_path: Path) -> None:
    package = tmp_path / "innocent"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "act.py").write_text(
        "import asyncio, logging, threading, uuid, attrs\n"
        "log = logging.getLogger(__name__)\n"
        "lock = threading.Lock()\n"
        "@attrs.frozen\n"
        "class Value:\n"
        "    number: int = 1\n"
    )

    assert probe(package) == {"innocent": [], "innocent.act": []}


def test_the_package_alone_loads_no_room_and_no_third_party() -> None:
    loaded = run_python("import sys, computekit; print(*sorted(sys.modules))").split()

    assert [name for name in loaded if name.startswith("computekit")] == ["computekit"]
    foreign = {"alembic", "attrs", "click", "falcon", "libvirt", "nats", "numpy", "rich"}
    assert not {*foreign, "sqlalchemy"} & set(loaded)


def test_the_headline_names_are_there_on_demand() -> None:
    code = (
        "import computekit\n"
        "assert set(computekit.__all__) <= set(dir(computekit))\n"
        "print(*[getattr(computekit, name) for name in computekit.__all__])\n"
    )
    assert run_python(code)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    import computekit

    with pytest.raises(AttributeError, match="no attribute 'manager'"):
        _ = computekit.manager  # type: ignore[attr-defined]  # that is the point


@pytest.mark.parametrize("room", ["guest", "placement", "scheduler", "journal", "compute"])
def test_a_room_loads_neither_what_only_others_need_nor_what_it_needs_seldom(room: str) -> None:
    loaded = set(run_python(f"import sys, computekit.{room}; print(*sys.modules)").split())

    adapters = {"store", "transport", "http", "client", "cli", "testing"}
    assert not {f"computekit.{other}" for other in adapters} & loaded
    assert "computekit.virt.libvirt" not in loaded
    others = {"alembic", "asyncio", "click", "falcon", "httpx2", "hypothesis", "libvirt", "nats"}
    assert not {*others, "os_traits", "pytest", "rich", "sqlalchemy", "sqlite3"} & loaded


@pytest.mark.parametrize(("module", "bound"), [("computekit", 0.3), ("computekit.scheduler", 4)])
def test_an_import_costs_a_bounded_multiple_of_its_value_libraries(
    module: str, bound: float
) -> None:
    """CPU time of an import against that of attrs, cattrs and numpy, the least of five.

    The package alone costs so little because it loads no library at all; the scheduler is the
    largest part that people import by itself.
    """
    timed = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"
    values: list[float] = []
    ours: list[float] = []
    for _ in range(5):
        values.append(float(run_python(timed.format("attrs, cattrs, numpy"))))
        ours.append(float(run_python(timed.format(module))))

    assert min(ours) <= bound * min(values)
