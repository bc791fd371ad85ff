"""Prove both commands in a clean copy inside a fresh root of a distribution.

Needs root and debootstrap. Makes a minimal root of the running distribution (or of another, with
--suite and --mirror), clones this repository's HEAD into it and runs `./dev demo` twice, then
`./dev test`: no package, no virtual environment and no cache of this machine is in reach.

All mounts are made in a mount namespace of their own: none survives it, however it ends, and none
is in sight where the files are removed.
"""

import argparse
import ast
import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSIDE = "COMPUTEKIT_FRESH_ROOT"
LEAVING_S = 5.0
USER = "somebody"
MIRRORS = {"debian": "http://deb.debian.org/debian", "ubuntu": "http://archive.ubuntu.com/ubuntu"}
KEYRINGS = {"debian": "debian-archive-keyring.gpg", "ubuntu": "ubuntu-archive-keyring.gpg"}
SCRIPTS = {"debian": "sid", "ubuntu": "gutsy"}  # what debootstrap's others are links to
UBUNTU = frozenset({"jammy", "noble", "plucky", "questing", "resolute"})

# How this machine reaches the outside: carried into the fresh root where it exists.
CARRIED_FILES = (
    "etc/apt/apt.conf.d",
    "etc/apt/auth.conf.d",
    "etc/apt/keyrings",
    "etc/apt/trusted.gpg.d",
    "etc/hosts",
    "etc/npmrc",
    "etc/resolv.conf",
    "etc/ssl/certs",
    "root/.npmrc",
    "usr/local/share/ca-certificates",
)
CARRIED_SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d")
CARRIED_VARIABLES = re.compile(
    r"(?i)(\w+_proxy|NPM_CONFIG_\w+|SSL_CERT_\w+|\w+_CA_BUNDLE|NODE_EXTRA_CA_CERTS)"
)


@dataclass(frozen=True)
class Fresh:
    """A root directory with the mounts that a running system has, and somebody in it."""

    root: Path
    user: str
    home: str

    def call(self, *command: str) -> int:
        """Run a command in the clone, in the foreground."""
        entered = ["chroot", f"--userspec={self.user}:{self.user}", str(self.root)]
        script = f'cd {self.home}/computekit && exec "$@"'
        return subprocess.call(
            [*entered, "/bin/sh", "-c", script, "sh", *command],
            env={**_environment(), "HOME": self.home, "USER": self.user},
            stdin=subprocess.DEVNULL,
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("demo", "test"))
    parser.add_argument("--keep", action="store_true", help="leave the root for a look")
    parser.add_argument("--work", type=Path, help="directory for the root (a temporary one)")
    parser.add_argument("--as-user", action="store_true", help="as one who has sudo, not as root")
    parser.add_argument("--suite", help="another release, such as bookworm, trixie, noble")
    parser.add_argument("--mirror", help="where its packages are")
    asked = parser.parse_args(arguments)
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        parser.error("this needs root and debootstrap")
    if INSIDE not in os.environ:
        return _in_own_namespace(arguments, asked)

    root = Path(os.environ[INSIDE])
    try:
        fresh = _make(root, asked.suite, asked.mirror, as_user=asked.as_user)
        commands = [it for it in ("demo", "demo", "test") if asked.only in (None, it)]
        codes = [_timed(fresh, command) for command in commands]
    finally:
        left = _stop_leftovers(root)
        for what in left:
            print(f"left running: {what}")
    return 1 if any(codes) or left else 0


def _in_own_namespace(arguments: Sequence[str], asked: argparse.Namespace) -> int:
    work = Path(tempfile.mkdtemp(prefix="computekit-fresh-", dir=asked.work))
    root = work / "root"
    alone = ["unshare", "--mount", "--propagation", "private", sys.executable, __file__]
    try:
        with subprocess.Popen([*alone, *arguments], env={**os.environ, INSIDE: str(root)}) as inner:
            # Ctrl-C reaches the inner process as well, which tidies up; wait for that.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return inner.wait()
    finally:
        if asked.keep:
            print(f"kept {root}")
        else:
            shutil.rmtree(work)


def _make(root: Path, suite: str | None, mirror: str | None, *, as_user: bool) -> Fresh:
    release = platform.freedesktop_os_release()
    own = suite in (None, release["VERSION_CODENAME"])
    suite = suite or release["VERSION_CODENAME"]
    system = "ubuntu" if suite in UBUNTU else "debian"
    mirror = mirror or (own and _mirror_of_sources()) or MIRRORS[system]
    components = "main,universe" if system == "ubuntu" else "main"
    root.mkdir()
    # Some mounts inside need the root to be a mount point itself.
    _run("mount", "--bind", str(root), str(root))
    _step(
        f"debootstrap of {suite} from {mirror}",
        *("debootstrap", "--variant=minbase", f"--components={components}"),
        *_signed_by(system),
        *(suite, str(root), mirror, *_script(suite, system)),
    )
    for name in (*CARRIED_FILES, *(CARRIED_SOURCES if own else ())):
        _carry(Path("/") / name, root / name)
    # A chroot has no init: packages must not try to start services.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", "ascii")
    policy.chmod(0o755)
    _run("mount", "-t", "proc", "proc", str(root / "proc"))
    _run("mount", "--rbind", "/sys", str(root / "sys"))
    _run("mount", "--rbind", "/dev", str(root / "dev"))
    (root / "etc/pip.conf").write_text(_pip_configuration(), "utf-8")
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    fresh = Fresh(root, USER, f"/home/{USER}") if as_user else Fresh(root, "root", "/root")
    if as_user:
        for line in (
            "apt-get -q update",
            "apt-get -qy install --no-install-recommends sudo",
            f"useradd --create-home --shell /bin/sh {USER}",
            f"echo '{USER} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{USER}",
        ):
            _run("chroot", str(root), "/bin/sh", "-c", line)
    _step(f"clone of {head}", "git", "clone", "-q", str(ROOT), f"{root}{fresh.home}/computekit")
    _run(
        "chroot", str(root), "chown", "-R", f"{fresh.user}:{fresh.user}", f"{fresh.home}/computekit"
    )
    return fresh


def _signed_by(system: str) -> tuple[str, ...]:
    """Say whose signature is asked for; without the keyring, only apt inside the root checks."""
    keyring = Path("/usr/share/keyrings") / KEYRINGS[system]
    if keyring.exists():
        return (f"--keyring={keyring}",)
    print(f"{keyring} is missing: debootstrap cannot check the signature of the release")
    return ("--no-check-gpg",)


def _script(suite: str, system: str) -> tuple[str, ...]:
    """Name a script of debootstrap for a release that is newer than it."""
    scripts = Path("/usr/share/debootstrap/scripts")
    return () if (scripts / suite).exists() else (SCRIPTS[system],)


def _timed(fresh: Fresh, command: str) -> int:
    print(f"\n=== ./dev {command}", flush=True)
    begun = time.monotonic()
    code = fresh.call("./dev", command)
    verdict = "passed" if code == 0 else f"FAILED ({code})"
    print(f"=== ./dev {command} {verdict} in {time.monotonic() - begun:.1f} s", flush=True)
    return code


def _environment() -> dict[str, str]:
    carried = {name: it for name, it in os.environ.items() if CARRIED_VARIABLES.fullmatch(name)}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**carried, "PATH": path, "TERM": os.environ.get("TERM", "dumb")}


def _carry(source: Path, target: Path) -> None:
    if source.is_dir():
        # Links may lead to files elsewhere on this machine: their contents are what counts.
        shutil.copytree(source, target, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)


def _mirror_of_sources() -> str | None:
    """Return the first address in this machine's own apt sources."""
    for file in (Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")):
        if file.suffix in {".list", ".sources"} and file.exists():
            text = file.read_text("utf-8")
            found = re.search(r"^(?:deb |URIs:).*?(https?://\S+)", text, re.MULTILINE)
            if found:
                return found[1]
    return None


def _pip_configuration() -> str:
    """Return pip's configuration without the directories of this machine that it names."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    options: dict[str, str] = {}
    for line in sorted(said.splitlines()):  # the environment's come first, and they win
        key, _, value = line.partition("=")
        words = [
            word
            for word in str(ast.literal_eval(value)).split()
            if not word.startswith("file:") and not Path(word).is_dir()
        ]
        if words:
            options.setdefault(key.rpartition(".")[2], " ".join(words))
    return "\n".join(["[global]", *(f"{name} = {it}" for name, it in options.items()), ""])


def _stop_leftovers(root: Path) -> list[str]:
    """End every process that still runs inside the root, and name them.

    What notices by itself within a few seconds that its parent is gone was not left.
    """
    patience_until_s = time.monotonic() + LEAVING_S
    while (left := _running(root)) and time.monotonic() < patience_until_s:
        time.sleep(0.2)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left:
        time.sleep(1)
    return [f"{pid} {words}" for pid, words in left.items()]


def _running(root: Path) -> dict[int, str]:
    """Return the command line of every process inside the root."""
    found: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = (process / "root").readlink().is_relative_to(root)
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if inside:
            found[int(process.name)] = words.strip()
    return found


def _step(what: str, *command: str) -> None:
    print(f"{what} ...", end=" ", flush=True)
    begun = time.monotonic()
    _run(*command)
    print(f"{time.monotonic() - begun:.1f} s", flush=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
