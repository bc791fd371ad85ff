"""A session of the stock OpenStack command line against the all-in-one, command by command.

    python -m tests.parity.clients --hosts 2

Each command is a process of its own, of the pinned client in the environment of the peers, with the
`clouds.yaml` that the all-in-one has written. What it ends with and what it shows is checked.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from tests.parity import peers

START_S = 60.0
COMMAND_S = 120.0

Check = Callable[[Any], bool]


@attrs.frozen
class Command:
    """One command: its words, what it is to end with, and what it is to show.

    Attributes:
        words: with `{name}` for what was remembered.
        fields: of the object that it shows, and their values.
        check: of what it shows.
        fails: what its complaint is to have in it; "" for a command that succeeds.
        keep: remember the field `id` under this name.
    """

    words: str
    fields: Mapping[str, object] = {}
    check: Check | None = None
    fails: str = ""
    keep: str = ""


def listed(*names: str) -> Check:
    """Return a check that a list has these names and no others."""
    return lambda rows: sorted(row["Name"] for row in rows) == sorted(names)


def session(image: Path, key: Path) -> Sequence[Command]:
    """Return the session; `image` is a disk, `key` a public key."""
    server = "server create --image disk --flavor tiny --wait"
    return (
        Command(f"image create --disk-format raw --container-format bare --file {image} disk",
                {"status": "active"}, keep="image"),
        Command("image list", check=listed("disk")),
        Command("image show disk", {"disk_format": "raw"}),
        Command("flavor create --ram 64 --vcpus 1 --disk 1 --property hw:cpu_policy=shared tiny",
                {"ram": 64}, keep="flavor"),
        Command("flavor create --ram 9999999 --vcpus 1 --disk 1 huge", {"vcpus": 1}),
        Command("flavor list", check=listed("tiny", "huge")),
        Command("flavor set --property hw:mem_page_size=small tiny"),
        Command("flavor unset --property hw:mem_page_size tiny"),
        Command("flavor show tiny", {"properties": {"hw:cpu_policy": "shared"}}),
        Command(f"keypair create --public-key {key} mine", {"type": "ssh"}),
        Command("keypair list", check=listed("mine")),
        Command("keypair show mine", {"name": "mine"}),
        Command("server group create --policy anti-affinity apart", {"policy": "anti-affinity"},
                keep="group"),
        Command("server group list", check=listed("apart")),
        Command(f"{server} --nic none --key-name mine --property k=v --tag red "
                "--description words one",
                {"status": "ACTIVE", "key_name": "mine", "description": "words"}, keep="one"),
        Command("server list", check=listed("one")),
        Command("server list --long --all-projects", check=listed("one")),
        Command("server list --name one --status ACTIVE", check=listed("one")),
        Command("server show one", {"name": "one", "tags": ["red"], "properties": {"k": "v"}}),
        Command("server set --property a=b --name uno --tag blue {one}"),
        Command("server show uno", {"properties": {"a": "b", "k": "v"}, "tags": ["blue", "red"]}),
        Command("server unset --property a --tag red uno"),
        Command("server show uno", {"properties": {"k": "v"}, "tags": ["blue"]}),
        Command("server lock --reason because uno"),
        Command("server show uno", {"locked": True, "locked_reason": "because"}),
        Command("server unlock uno"),
        Command("server stop uno"),
        Command("server show uno", check=lambda it: it["status"] in {"SHUTOFF", "ACTIVE"}),
        Command("server start uno", fails=""),
        Command("console log show uno"),
        Command("server event list uno", check=lambda rows: rows[-1]["Action"] == "create"),
        Command(f"{server} --nic none --hint group={{group}} two", {"status": "ACTIVE"}),
        Command(f"{server} --nic none --hint group={{group}} three", {"status": "ACTIVE"}),
        Command(f"{server} --nic none --hint group={{group}} four", fails="Error creating server"),
        Command("server show four",
                check=lambda it: it["fault"]["message"].startswith("No valid host was found.")),
        Command("server create --image disk --flavor huge --nic none --wait giant",
                fails="Error creating server"),
        Command("server delete --wait giant four"),
        Command("server group show apart", check=lambda it: len(it["members"]) == 2),
        Command("aggregate create --zone z1 left", {"availability_zone": "z1"}),
        Command("aggregate set --property ssd=true left"),
        Command("aggregate list", check=listed("left")),
        Command("aggregate delete left"),
        Command("availability zone list --compute", check=lambda rows: len(rows) == 1),
        Command("hypervisor list", check=lambda rows: all(row["State"] == "up" for row in rows)),
        Command("compute service list", check=lambda rows: rows[0]["Binary"] == "nova-compute"),
        Command("compute service set --disable --disable-reason work fake-1 nova-compute"),
        Command("compute service list --host fake-1",
                check=lambda rows: rows[0]["Status"] == "disabled"),
        Command("compute service set --enable fake-1 nova-compute"),
        Command("limits show --absolute"),
        Command("--os-compute-api-version 2.104 server set --pinned-availability-zone nova two"),
        Command("--os-compute-api-version 2.104 server show two",
                {"pinned_availability_zone": "nova"}),
        Command("--os-compute-api-version 2.104 server unset --pinned-availability-zone two"),
        Command("server pause uno", fails="not offered yet"),
        Command("server delete --wait uno two three"),
        Command("server list", check=listed()),
        Command("server show uno", fails="No Server found for uno"),
        Command("server group delete {group}"),
        Command("keypair delete mine"),
        Command("flavor delete tiny huge"),
        Command("image delete disk"),
    )  # fmt: skip


@contextmanager
def allinone(state: Path, hosts: int, auth: str) -> Iterator[Path]:
    """Run an all-in-one on fake hosts; gives its `clouds.yaml`.

    Raises:
        RuntimeError: it does not come up.
    """
    program = Path(sys.executable).with_name("computekit-allinone")
    words = (str(program), "--state", str(state), "--listen", "127.0.0.1:0", "--auth", auth)
    with (state.parent / "allinone.log").open("wb") as log:
        process = subprocess.Popen(
            (*words, "--fake", str(hosts)), stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("clouds.yaml "):
                    yield Path(line.partition(" ")[2].strip())
                    return
            raise RuntimeError((state.parent / "allinone.log").read_text()[-2000:])
        finally:
            process.terminate()
            process.wait(60.0)


def run(command: Command, clouds: Path, kept: dict[str, str]) -> str:
    """Run one command; return what is wrong with how it ended, or ""."""
    program = peers.folder() / "openstackclient" / "bin" / "openstack"
    words = [re.sub(r"\{(\w+)\}", lambda it: kept[it[1]], word) for word in command.words.split()]
    shows = command.check is not None or command.fields or command.keep
    done = subprocess.run(
        (str(program), "--os-cloud", "computekit", *words, *(("-f", "json") if shows else ())),
        env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(clouds)},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    if command.fails:
        said = done.stdout + done.stderr
        if done.returncode == 0:
            return "it succeeds"
        return "" if command.fails in said else f"it complains of something else: {said[-500:]}"
    if done.returncode != 0:
        return f"it ends with {done.returncode}: {done.stderr[-800:]}"
    if not shows:
        return ""
    shown = json.loads(done.stdout)
    for name, value in command.fields.items():
        if shown.get(name) != value:
            return f"{name} is {shown.get(name)!r} and not {value!r}"
    if command.keep:
        kept[command.keep] = shown["id"]
    if command.check is not None and not command.check(shown):
        return f"it shows {done.stdout[:800]}"
    return ""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=2, help="fake ones")
    parser.add_argument("--auth", default="none", choices=["none", "token", "basic", "password"])
    parser.add_argument("--stop", action="store_true", help="at the first command that is wrong")
    asked = parser.parse_args(arguments)
    if peers.made("openstackclient") is None:
        print(peers.missing("openstackclient"))
        return 77
    wrong, kept = 0, dict[str, str]()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        image, key = home / "disk.raw", home / "key"
        image.write_bytes(bytes(1 << 20))
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
        commands = session(image, key.with_suffix(".pub"))
        with allinone(home / "state", asked.hosts, asked.auth) as clouds:
            for command in commands:
                begun_s = time.monotonic()
                why = run(command, clouds, kept)
                took_s = time.monotonic() - begun_s
                print(f"{'no' if why else 'ok'} {took_s:5.1f} s  openstack {command.words}")
                if why:
                    wrong += 1
                    print(f"   {why}")
                    if asked.stop:
                        break
    print(f"{len(commands) - wrong} of {len(commands)} commands did what they should")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
