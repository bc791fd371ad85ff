"""`computekit placement`: what is done with Placement servers."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from computekit.clock import SystemClock
from computekit.display import Table
from computekit.secret import Secret
from computekit.units import Seconds

if TYPE_CHECKING:
    from computekit.client import Authentication, CopyProgress

__all__ = ["placement"]

DIFFERENT = 4


@click.group()
def placement() -> None:
    """Work with Placement servers: computekit's own, and genuine ones."""


@placement.command()
@click.option("--from", "source", required=True, metavar="URL", help="Where everything is.")
@click.option("--to", "target", required=True, metavar="URL", help="Where it shall be too.")
@click.option("--from-user", help="HTTP basic authentication at the source.")
@click.option(
    "--from-secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Holds the password of --from-user, else a token; read again for each request.",
)
@click.option("--to-user", help="HTTP basic authentication at the target.")
@click.option(
    "--to-secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Likewise at the target. Without one, the token is noauth2's: admin.",
)
@click.option(
    "--timeout", default=60.0, show_default=True, metavar="SECONDS", help="Of each request."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def copy(
    source: str,
    target: str,
    from_user: str | None,
    from_secret_file: Path | None,
    to_user: str | None,
    to_secret_file: Path | None,
    timeout: float,
    dry_run: bool,
) -> None:
    """Copy all that one Placement holds into another.

    Providers, inventories, traits, aggregates, resource classes, consumers and their allocations;
    each server counts its own generations. What the target has and the source lacks is left alone
    and told. Run it again after an interruption: only what differs is written. Nobody should write
    to either meanwhile. At the end both are compared; exit code 4 says that they differ.
    """
    try:
        from computekit.client import (
            Connection,
            RemotePlacement,
            compare,
            read_snapshot,
            sums,
            write_differences,
        )
    except ImportError as error:
        message = f"{error.name} is missing: install computekit[client]"
        raise click.ClickException(message) from error

    progress = _Progress()
    limit = Seconds(timeout)
    with (
        Connection(
            source, authentication=_authentication(from_user, from_secret_file), timeout_s=limit
        ) as here,
        Connection(
            target, authentication=_authentication(to_user, to_secret_file), timeout_s=limit
        ) as there,
    ):
        one, other = RemotePlacement(here), RemotePlacement(there)
        wanted = read_snapshot(one, progress.of("source: "))
        differences = compare(wanted, read_snapshot(other, progress.of("target: ")))
        click.echo(_counts(differences.counts()))
        if dry_run:
            return
        write_differences(wanted, other, differences, progress.of(""))
        again = read_snapshot(one, progress.of("source again: "))
        result = read_snapshot(other, progress.of("target again: "))
    left = compare(again, result)
    click.echo(_sums(sums(again), sums(result)))
    if again != wanted:
        click.echo("the source has changed meanwhile: run this again")
    if not left.none:
        click.echo("they differ:")
        click.echo(_counts(left.counts()))
        raise click.exceptions.Exit(DIFFERENT)
    click.echo("both hold the same")


def _authentication(user: str | None, file: Path | None) -> "Authentication":
    from computekit.client import basic, token

    if file is None:
        if user is not None:
            raise click.UsageError(f"the user {user} needs a secret file")
        return token(Secret(b"admin"))

    def headers() -> Mapping[str, str]:
        secret = Secret(file.read_bytes().strip())
        return (token(secret) if user is None else basic(user, secret))()

    return headers


def _counts(counts: Mapping[str, int]) -> str:
    shown = [(name, str(count)) for name, count in counts.items() if count]
    return (
        Table(("what", "count"), tuple(shown), frozenset({"count"})).text()
        if shown
        else "nothing differs"
    )


def _sums(source: Mapping[str, int], target: Mapping[str, int]) -> str:
    rows = tuple(
        (
            name,
            str(source.get(name, 0)),
            str(target.get(name, 0)),
            "" if source.get(name, 0) == target.get(name, 0) else "differs",
        )
        for name in sorted({*source, *target})
    )
    return Table(("what", "source", "target", ""), rows, frozenset({"source", "target"})).text()


class _Progress:
    """Says on standard error what is under way, at most once a second and at the end of each."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._said_s = Seconds(0.0)

    def of(self, prefix: str) -> "CopyProgress":
        def say(what: str, done: int, count: int) -> None:
            now_s = self._clock.monotonic_s()
            if done < count and now_s - self._said_s < 1.0:
                return
            self._said_s = now_s
            sys.stderr.write(f"{prefix}{what}: {done} of {count}\n")

        return say
