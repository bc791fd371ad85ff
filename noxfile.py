"""Every developer verb. Quick ones use the environment that `./dev setup` made."""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "arch", "tests"]


def _checks(session: nox.Session, *stages: str) -> None:
    arguments = ("--", *session.posargs) if session.posargs else ()
    session.run(".venv/bin/python", "tools/checks.py", *stages, *arguments, external=True)


def _python(session: nox.Session, *arguments: str) -> None:
    session.run(".venv/bin/python", *arguments, *session.posargs, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Rules and layout."""
    _checks(session, "lint", "format")


@nox.session
def fix(session: nox.Session) -> None:
    """Repair rules and layout where that is safe."""
    session.run(".venv/bin/ruff", "check", "--fix", *session.posargs, external=True)
    session.run(".venv/bin/ruff", "format", *session.posargs, external=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy over everything, pyright over the public names."""
    _checks(session, "types", "public")


@nox.session
def arch(session: nox.Session) -> None:
    """Nothing imports upward."""
    _checks(session, "layers")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests that need only Python; `-- -k fit` goes to pytest."""
    _checks(session, "tests")


@nox.session
def soak(session: nox.Session) -> None:
    """The property tests with twenty times the examples, new ones each time: minutes."""
    _python(session, "-m", "pytest", "-q", "tests/property", "--hypothesis-profile=soak")


@nox.session
def real(session: nox.Session) -> None:
    """The tests against this machine's libvirt, QEMU and databases."""
    _checks(session, "real")


@nox.session
def docs(session: nox.Session) -> None:
    """Write the generated pages, then build all into docs/_build/html."""
    session.run(".venv/bin/python", "tools/generate_reference.py", external=True)
    _checks(session, "docs")


@nox.session
def names(session: nox.Session) -> None:
    """Write the snapshot of the public names; look at its diff before you commit it."""
    session.run(".venv/bin/python", "tests/meta/public_names.py", external=True)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build both distributions into dist/."""
    for source in (".", "daemons"):
        session.run(".venv/bin/python", "-m", "build", "--outdir", "dist", source, external=True)


@nox.session
def stubs(session: nox.Session) -> None:
    """Tell whether the libvirt stubs are what the generator makes of the installed API."""
    check = (".venv/bin/python", "tools/generate_libvirt_stubs.py", "--check")
    session.run(*check, external=True, success_codes=[0, 77])  # 77: another libvirt, says so


@nox.session
def kills(session: nox.Session) -> None:
    """kill -9 the all-in-one at every step: `-- --runs 60 --seed S`."""
    _python(session, "-m", "tests.real.kills")


@nox.session
def peers(session: nox.Session) -> None:
    """Make the environments of the peers, once, below COMPUTEKIT_PEERS or ~/.cache."""
    _python(session, "-m", "tests.parity.peers")


@nox.session
def clients(session: nox.Session) -> None:
    """The stock OpenStack client against the all-in-one: `-- --auth password --hosts 2`."""
    _python(session, "-m", "tests.parity.clients")


@nox.session
def compute_schemas(session: nox.Session) -> None:
    """Our answers of the Compute API against the response schemas of Nova 34."""
    _python(session, "-m", "tests.parity.compute_schemas")


@nox.session
def report_client(session: nox.Session) -> None:
    """Nova's own report client against our daemon and genuine Placement, compared step by step."""
    _python(session, "-m", "tests.parity.report_client")


@nox.session
def fresh_reads(session: nox.Session) -> None:
    """Write through one HTTP worker, read through another: `-- --database postgresql`."""
    _python(session, "-m", "tests.real.fresh_reads")


@nox.session
def placement_load(session: nox.Session) -> None:
    """Speed of our daemon against genuine Placement, in turns: `-- --only nested --rounds 3`."""
    _python(session, "-m", "tests.parity.load")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Ask the placement daemon everything and more: `-- --examples 200 --database postgresql`."""
    _python(session, "-m", "tests.real.fuzz_placement")


@nox.session
def fuzz_compute(session: nox.Session) -> None:
    """Ask the Compute API of an all-in-one everything and more: `-- --examples 50`."""
    _python(session, "-m", "tests.real.fuzz_compute")


@nox.session
def gabbits(session: nox.Session) -> None:
    """Placement's own gabbi tests against our daemon: `-- granular reshaper`, or all."""
    _python(session, "-m", "tests.parity.gabbits")


@nox.session
def differential(session: nox.Session) -> None:
    """Our daemon against genuine Placement on generated cases: `-- --seeds 10`."""
    _python(session, "-m", "tests.parity.differential")


@nox.session
def crowd(session: nox.Session) -> None:
    """Let 64 processes claim on 2 hosts, kill half of them, and look at the books."""
    _python(session, "-m", "tests.real.crowd")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; prints JSON."""
    _python(session, "-m", "bench")


@nox.session
def fresh(session: nox.Session) -> None:
    """Both commands in a clean copy inside a fresh root of the distribution (as root)."""
    _python(session, "tools/fresh_clone.py")


@nox.session
def nova_rules(session: nox.Session) -> None:
    """Compare NUMA fitting, flavors, conditions, filters, weighers and PCI with Nova's own."""
    names = ("conditions", "topology", "resource_requests", "numa", "rules", "weighers", "pci")
    for name in (*names, "pci_numa", "pci_alias"):
        _python(session, "-m", f"tests.parity.{name}")
