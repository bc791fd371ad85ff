"""Run Placement's own gabbi tests against computekit's daemon.

    python -m tests.parity.gabbits [--database URL] [--workers N] [NAME ...]

The tests come from the package of openstack-placement 16.0.0, in an environment of its own
(`nox -s peers`); each file gets a new, empty server. One test of the 1316 cannot be sent: its
`Content-Length` is no number, and the tests' own HTTP client refuses that. The exit status is 1 if
any other test fails.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click

from tests.parity import peers, servers

PEER = Path(__file__).with_name("gabbits_peer.py")
IN_MEMORY = "sqlite://"
UNSENDABLE = ("basic-http.yaml", "bad_content_length_not_int")


@attrs.frozen
class FileOutcome:
    """What came of one file.

    Attributes:
        file: its name.
        tests: how many it has.
        passed: how many of them passed.
        faults: what is wrong, a text for each test.
    """

    file: str
    tests: int
    passed: int
    faults: tuple[str, ...]

    @property
    def real_faults(self) -> tuple[str, ...]:
        """The faults of tests that can be sent."""
        file, test = UNSENDABLE
        return tuple(it for it in self.faults if self.file != file or test not in it)


def outcomes(
    home: Path, names: Sequence[str], database: str, arguments: Sequence[str] = ()
) -> Iterator[FileOutcome]:
    """Run the tests and tell what came of each file.

    Args:
        home: for the files of servers.
        names: of files, without their ending; all of them if it is empty.
        database: `--database` of the daemon; `{n}` in it becomes the number of the file.
        arguments: further ones of the daemon.
    """
    environment = peers.made("placement")
    assert environment is not None, peers.missing("placement")
    with (home / "peer.log").open("ab") as log:
        peer = subprocess.Popen(
            [environment / "bin" / "python", PEER, *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert peer.stdin is not None
    assert peer.stdout is not None
    try:
        for number, line in enumerate(peer.stdout):
            profile = json.loads(line)["start"]
            url = database.format(n=number)
            with servers.ours(home / str(number), url, "--profile", profile, *arguments) as ours:
                peer.stdin.write(f"{ours.url}\n")
                peer.stdin.flush()
                said = json.loads(peer.stdout.readline())
            yield FileOutcome(said["file"], said["tests"], said["passed"], tuple(said["faults"]))
    finally:
        peer.kill()
        peer.wait()
        peer.stdin.close()
        peer.stdout.close()


@click.command()
@click.option(
    "--database",
    default=IN_MEMORY,
    show_default=True,
    help="Of the daemon; {n} in it becomes the number of the file, so that each gets its own.",
)
@click.option("--workers", default=1, show_default=True, help="Processes of the daemon.")
@click.argument("names", nargs=-1)
def main(database: str, workers: int, names: tuple[str, ...]) -> None:
    """Run the tests of these files, or all."""
    peers.make("placement")
    arguments = ("--workers", str(workers)) if workers > 1 else ()
    total = passed = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for outcome in outcomes(Path(directory), names, database, arguments):
            total += outcome.tests
            passed += outcome.passed
            failed += len(outcome.real_faults)
            click.echo(f"{outcome.passed:4}/{outcome.tests:<4} {outcome.file}")
            for fault in outcome.real_faults:
                click.echo(f"      {fault}")
    click.echo(f"passed {passed}/{total}")
    sys.exit(1 if failed or not total else 0)


if __name__ == "__main__":
    main()
