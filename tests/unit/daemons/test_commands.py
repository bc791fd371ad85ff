"""The commands, on a state directory with an all-in-one of fake hosts."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from computekit.cli import main
from computekit_daemons.allinone import AllInOne

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("state")
    stop, ready = threading.Event(), threading.Event()
    service = AllInOne(directory, fake=2)
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            service.serve(stop, lambda _: ready.set())
        except BaseException as error:
            failures.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(30)
    assert not failures
    yield directory
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def run(state: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        environment = {"COMPUTEKIT_STATE": str(state)}
        return CliRunner().invoke(main, arguments, env=environment, catch_exceptions=False)

    return invoke


@pytest.fixture(scope="module")
def disk(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("disk") / "disk"
    file.write_bytes(bytes(1 << 20))
    added = run("image", "add", str(file), "--name", "disk", "--format", "raw")
    assert added.exit_code == 0, added.output
    return added.output.strip()


def test_every_command_has_help(run: Run) -> None:
    listed = run("--help").output
    commands = "console create delete demo hosts image list ops place reboot show start stop"
    for command in commands.split():
        assert f"\n  {command} " in listed
        assert run(command, "--help").exit_code == 0


def test_the_life_of_an_instance(run: Run, disk: str) -> None:
    assert json.loads(run("list", "--json").output) == []
    created = run("create", "one", "--image", "disk")
    assert created.exit_code == 0, created.output
    assert "active" in created.output
    assert "BOOTED one" in run("console", "one", "--until", "BOOTED", "--timeout", "20").output
    assert run("stop", "one", "--grace", "5").exit_code == 0
    assert json.loads(run("list", "--json").output)[0]["state"] == "stopped"
    assert run("start", "one").exit_code == 0
    assert run("reboot", "one").exit_code == 0
    assert run("reboot", "one", "--hard").exit_code == 0
    shown = run("show", "one").output
    assert "instance.reboot" in shown
    assert disk in shown
    assert run("delete", "one").output == "one deleted\n"
    assert json.loads(run("list", "--json").output) == []
    assert "instance.delete" in run("ops", "--all").output


def test_what_cannot_fit_says_why(run: Run, disk: str) -> None:
    refused = run("create", "big", "--image", disk, "--memory-mib", "999999")
    assert refused.exit_code == 1
    assert "MEMORY_MB" in refused.output
    operations = run("ops", "--all").output.splitlines()
    (line,) = (line for line in operations if "no host can take it" in line)
    explained = run("ops", "show", line.split()[0]).output
    assert "What would help" in explained
    assert "65024" in explained
    placed = run("place", "--memory-mib", "999999", "--explain")
    assert placed.exit_code == 3
    assert "What would help" in placed.output
    assert run("place").output == "fake-1\n"
    assert json.loads(run("place", "--json").output)["host"] == "fake-1"
    assert run("delete", "big").exit_code == 0


def test_every_fault_of_the_input_is_listed(run: Run, disk: str) -> None:
    refused = run("create", "a\tb", "--image", disk, "--vcpus", "0", "--extra-spec", "hw:no=1")
    assert refused.exit_code == 1
    for part in ("name:", "flavor.vcpus:", "flavor.extra_specs[hw:no]:"):
        assert part in refused.output
    assert json.loads(run("list", "--json").output) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "x", "--image", "none"), "no image none"),
        (("create", "x", "--image", "disk", "--flavor", "none"), "no flavor 'none'"),
        (("show", "none"), "no instance none"),
        (("delete", "none"), "no instance none"),
        (("ops", "show", "none"), "no operation none"),
        (("hosts", "enable", "none"), "no host none"),
        (("hosts", "disable", "fake-1", "--reason", ""), "reason: "),
        (("hosts", "zone", "fake-1"), "either --in ZONE or --none"),
        (("hosts", "zone", "fake-1", "--none", "--in", "x"), "either --in ZONE or --none"),
        (("image", "add", "/dev/null", "--name", "x", "--format", "vmdk"), "vmdk"),
        (("image", "add", "/dev/null", "--name", "x", "--format", "qcow2"), "image x is refused"),
    ],
)
def test_refusals_are_one_clear_line(
    run: Run, disk: str, arguments: tuple[str, ...], words: str
) -> None:
    refused = run(*arguments)
    assert refused.exit_code in {1, 2}
    assert words in refused.output
    assert "Traceback" not in refused.output


def test_hosts_show_what_they_have(run: Run) -> None:
    shown = run("hosts", "--tree").output
    assert "fake-2" in shown
    assert "HW_ARCH_X86_64" in shown
    assert len(json.loads(run("hosts", "--json").output)) == 2


def test_a_host_is_disabled_and_enabled(run: Run) -> None:
    assert run("hosts", "disable", "fake-1", "--reason", "new firmware").exit_code == 0
    assert "up, disabled: new firmware" in run("hosts").output
    assert run("place").output == "fake-2\n"
    assert run("hosts", "disable", "fake-2").output == "fake-2 disabled: by command\n"
    nowhere = run("place")
    assert nowhere.exit_code == 3
    assert "disabled: new firmware" in nowhere.output
    assert run("hosts", "enable", "fake-1", "fake-2").output == "fake-1 enabled\nfake-2 enabled\n"
    assert run("place").output == "fake-1\n"
    assert "disabled" not in run("hosts").output


def test_a_host_goes_into_a_zone(run: Run, disk: str) -> None:
    assert run("place", "--zone", "north").exit_code == 3
    assert run("hosts", "zone", "--in", "north", "fake-2").output == "fake-2 in zone north\n"
    assert run("place", "--zone", "north").output == "fake-2\n"
    assert run("create", "one", "--image", disk, "--zone", "north").exit_code == 0
    held = run("hosts", "zone", "--none", "fake-2")
    assert held.exit_code == 1
    assert "host fake-2 is in use by 1 instance" in held.output
    assert run("delete", "one").exit_code == 0
    assert run("hosts", "zone", "--none", "fake-2").output == "fake-2 in no zone\n"
    zones = [host["zone"] for host in json.loads(run("hosts", "--json").output)]
    assert zones == [None, None]


def test_hosts_are_grouped_and_instances_pinned(run: Run, disk: str) -> None:
    made = run("aggregates", "create", "racks", "--zone", "north", "--set", "ssd=true")
    assert made.output.startswith("racks created, number ")
    assert run("aggregates", "add", "racks", "fake-2").output == "fake-2 is in racks\n"
    assert "availability_zone=north, ssd=true" in run("aggregates").output
    rows = json.loads(run("aggregates", "--json").output)
    assert {row["name"]: row["hosts"] for row in rows}["racks"] == ["fake-2"]
    assert run("place", "--zone", "north").output == "fake-2\n"
    assert run("create", "one", "--image", disk, "--zone", "north").exit_code == 0
    assert run("unpin", "one").output == "one not pinned\n"
    refused = run("pin", "one", "south")
    assert refused.exit_code == 1
    assert "in zone north" in refused.output
    assert run("pin", "one", "north").output == "one pinned to zone north\n"
    assert "1 instance" in run("aggregates", "remove", "racks", "fake-2").output
    assert "1 instance" in run("aggregates", "set", "racks", "availability_zone=x").output
    assert run("delete", "one").exit_code == 0
    changed = run("aggregates", "set", "racks", "--unset", "ssd", "--rename", "rows")
    assert changed.output == "rows changed\n"
    assert run("aggregates", "delete", "rows").exit_code == 1
    assert run("aggregates", "remove", "rows", "fake-2").exit_code == 0
    assert run("aggregates", "delete", "rows").output == "rows deleted\n"
    for wrong in (("delete", "rows"), ("set", "rows"), ("create", "x", "--set", "a")):
        assert run("aggregates", *wrong).exit_code in {1, 2}


def test_what_instances_hold_of_numa_nodes_is_known_to_place(run: Run, disk: str) -> None:
    assert run("place", "--extra-spec", "hw:numa_nodes=1").output == "fake-1\n"
    apart = run("place", "--extra-spec", "hw:cpu_policy=dedicated")
    assert apart.exit_code == 3
    assert "2 fail PCPU 1" in apart.output


def test_an_image_comes_and_goes(run: Run, disk: str, tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_bytes(bytes(1 << 16))
    run("image", "add", str(file), "--name", "other", "--format", "raw", "--property", "a=b")
    assert "other" in run("image", "list").output
    assert run("image", "delete", "other").exit_code == 0
    assert "other" not in run("image", "list").output
    assert disk in run("image", "list").output


def test_a_second_all_in_one_is_refused(state: Path) -> None:
    from computekit_daemons.allinone import main as allinone

    refused = CliRunner().invoke(allinone, ["--state", str(state), "--fake", "1"])
    assert refused.exit_code == 1
    assert "is in use by process" in refused.output


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["list", "--state", str(tmp_path / "none")])
    assert refused.exit_code == 1
    assert "computekit-allinone --state" in refused.output


def test_members_of_a_group_lie_apart(run: Run, disk: str) -> None:
    made = run(
        "groups", "create", "web", "--policy", "anti-affinity", "--rule", "max_server_per_host=1"
    )
    assert made.exit_code == 0, made.output
    assert "at most 1 per host" in run("groups").output
    assert len(json.loads(run("groups", "list", "--json").output)) == 1
    bad = run("groups", "create", "x", "--policy", "anti-affinity", "--rule", "max_server_per_x=0")
    assert bad.exit_code == 1
    assert "there is no level 'x'" in bad.output
    delete = ["delete"]
    try:
        for name in ("w1", "w2", "w3"):
            delete.append(name)
            refused = run("create", name, "--image", disk, "--hint", "group=web")
            assert refused.exit_code == (1 if name == "w3" else 0), refused.output
        rows = json.loads(run("list", "--json").output)
        assert {row["host"] for row in rows} == {"fake-1", "fake-2", None}
        assert "w2" in run("groups", "show", "web").output
    finally:
        assert run(*delete).exit_code == 0
    assert run("groups", "delete", "web").output == "web deleted\n"
    assert json.loads(run("groups", "--json").output) == []
