"""Virtual environments with the peers that parity is measured against, made once and kept.

They lie outside the project, below `COMPUTEKIT_PEERS` or `~/.cache/computekit/peers`, because the
peers need old libraries that do not belong beside ours. Nothing here is imported by the library.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PEERS: dict[str, tuple[str, ...]] = {
    "placement": (
        "openstack-placement==16.0.0",
        "fixtures",
        "gabbi",
        "granian",
        "gunicorn",
        "httpx",
        "oslotest",
        "psycopg2-binary",
        "testtools",
        "waitress",
        "wsgi-intercept",
    ),
    "nova": ("nova==34.0.0",),
    "openstackclient": ("python-openstackclient==10.5.0", "openstacksdk==4.22.0"),
}
"""What each environment holds."""


def folder() -> Path:
    """Return where the environments lie."""
    given = os.environ.get("COMPUTEKIT_PEERS")
    if given:
        return Path(given).expanduser().resolve()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "computekit" / "peers"


def _stamp(name: str) -> str:
    wanted = "\n".join((sys.version, *PEERS[name]))
    return hashlib.sha256(wanted.encode()).hexdigest()


def made(name: str) -> Path | None:
    """Return the environment of a peer, or None if it is not made (or for another version)."""
    home = folder() / name
    stamp = home / "made"
    return home if stamp.is_file() and stamp.read_text() == _stamp(name) else None


def missing(name: str) -> str:
    """Return the line that says why something is skipped."""
    return f"the environment of the peer {name} is not made: nox -s peers"


def make(name: str) -> Path:
    """Return the environment of a peer; make it if it is not there."""
    home = made(name)
    if home is not None:
        return home
    home = folder() / name
    if home.exists():
        shutil.rmtree(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    venv.create(home, with_pip=True)
    subprocess.run(
        (
            home / "bin" / "python",
            *("-m", "pip", "--disable-pip-version-check", "install", "--no-input", "--quiet"),
            *PEERS[name],
        ),
        check=True,
    )
    (home / "made").write_text(_stamp(name))
    return home


def main() -> None:
    for name in sys.argv[1:] or PEERS:
        print(make(name))


if __name__ == "__main__":
    main()
