"""Write the pages of docs/reference that say what the code says; `--check` only compares.

tools/generate_reference.py            write
tools/generate_reference.py --check    fail if writing would change anything
"""

import argparse
import inspect
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory

import attrs
import click

from computekit import cli, errors
from computekit.access import Directory, Passwords, Revoked, SignIn, Tokens
from computekit.api.compute import Cloud
from computekit.clock import SystemClock
from computekit.errors import ComputekitError
from computekit.forms import form_lines, json_schema
from computekit.guest import GuestFeature
from computekit.http.compute import compute_document, compute_endpoints
from computekit.http.identity import identity_document, identity_endpoints
from computekit.http.image import image_document, image_endpoints
from computekit.http.network import network_document, network_endpoints
from computekit.http.placement import placement_document, placement_endpoints
from computekit.images import KeptImages
from computekit.model import FrozenMap
from computekit.pci import PCI_CODES
from computekit.placement import LocalPlacement
from computekit.scheduler import (
    DEFAULT_FILTERS,
    FILTERS,
    HOST_ATTRIBUTES,
    ONCE_PER_REQUEST,
    PREFILTERS,
    WEIGHERS,
)
from computekit.scheduler.files import AnswerForm, FleetForm, RequestForm
from computekit.secret import Secret
from computekit.sim import POLICIES
from computekit.store import SqlFlavors, SqlKeypairs, SqlServers, SqlStore
from computekit.testing.fake_fleet import FakeFleet
from computekit_daemons import allinone, placement

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

ERRORS_HEAD = """\
# Errors

<!-- Written by tools/generate_reference.py from src/computekit/errors.py. -->

Every error that computekit raises on purpose is a `computekit.errors.ComputekitError`. `code` is
stable: it is what an operation row, an event and an API fault carry. `retryable` says that the same
call may succeed later without anything being changed about it.
"""


def errors_page() -> str:
    """Return the page of the error tree: depth first, in the order of the source."""
    lines = [ERRORS_HEAD]
    for depth, kind in _tree(ComputekitError, 0):
        summary = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
        parent = "" if depth == 0 else f"A `{kind.__mro__[1].__name__}`. "
        lines.append(f"## {kind.__name__}\n\n{parent}{summary}\n")
        lines.append(f"- code: `{kind.code}`")
        lines.append(f"- retryable: {'yes' if kind.retryable else 'no'}")
        if fields := _fields(kind):
            lines.append(f"- fields: {', '.join(fields)}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _tree(kind: type[ComputekitError], depth: int) -> Iterator[tuple[int, type[ComputekitError]]]:
    yield depth, kind
    for below in kind.__subclasses__():
        # attrs leaves the class behind that it has made a slotted one of.
        if getattr(errors, below.__name__, None) is below:
            yield from _tree(below, depth + 1)


def _fields(kind: type[ComputekitError]) -> list[str]:
    if not attrs.has(kind):
        return []
    return [
        f"`{field.name}: {inspect.formatannotation(field.type).replace('computekit.errors.', '')}`"
        for field in attrs.fields(kind)
    ]


COMMANDS_HEAD = """\
# Commands

<!-- Written by tools/generate_reference.py from the commands themselves. -->

`computekit` works on the state directory of an all-in-one: it writes operations, which a running
`computekit-allinone` carries out. `computekit place` only reads, or works
on [files](place-files.md); `computekit pci` does without, and `computekit demo` brings its own.
`computekit-placement` serves the Placement API, described by
[an OpenAPI document](placement-openapi.json), and `computekit-allinone --listen` the Compute API,
described by [another](compute-openapi.json), beside [identity](identity-openapi.json),
[images](image-openapi.json) and [networks](network-openapi.json).
"""


def commands_page() -> str:
    """Return the page of every command with its help."""
    lines = [COMMANDS_HEAD]
    programs = (
        ("computekit", cli.main),
        ("computekit-allinone", allinone.main),
        ("computekit-placement", placement.main),
    )
    for name, command in programs:
        for path, found in _commands(name, command):
            context = click.Context(found, info_name=path, max_content_width=92, terminal_width=92)
            lines.append(f"## {path}\n\n```text\n{found.get_help(context)}\n```\n")
    home = str(Path.home())
    return "\n".join(lines).replace(home, "~").replace(f"[default: {gethostname()}]", "")


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _commands(f"{path} {name}", below)


PCI_CODES_HEAD = """\
# Codes of PCI faults, findings and notes

<!-- Written by tools/generate_reference.py from src/computekit/pci/codes.py. -->

C, S, A, F and P are faults of what is written: the file, a device spec, an alias, an affinity set,
the memory of a host. G is about groups, H about a configuration together with a host, K and M about
virtual GPUs, L about moves, V about device profiles. N is what discovery finds broken; it keeps no
other device from being reported.

| code | meaning |
|------|---------|
"""


def pci_codes_page() -> str:
    """Return the page of the codes that the PCI room uses."""
    return PCI_CODES_HEAD + "".join(f"| {code} | {text} |\n" for code, text in PCI_CODES.items())


RULES_HEAD = """\
# Rules and weighers

<!-- Written by tools/generate_reference.py from src/computekit/scheduler/catalogue.py. -->

Every filter and weigher of Nova, by its name. `nova_policy()` is Nova as it is without a word of
configuration; `nova_policy(["ComputeFilter", IoOpsFilter(4)], CrossCellWeigher(0.0))` names
filters, gives one a setting of its own and switches a weigher off. What every request asks (that
the host is up and enabled, resources, traits, zone, the rules of its server group) needs no filter.

*Default* filters are those that Nova asks without configuration. *Once* are those whose answer is
the same for all instances of one request. *Rebuild* are those that `check_rebuild` asks when an
instance gets another image where it is.

Whatever cannot be read is a refusal that says so: a malformed extra spec or hint passes on no host,
an attribute that a host does not have, or that is no number where one is needed, does not match.
A bound or multiplier in the metadata of an aggregate that is no number counts for nothing there;
`metadata_notes` lists them.

## Filters

"""

RULES_WEIGHERS = """\
## Weighers

What a weigher gives is scaled to 0..1 over the hosts that can take the request, times its
multiplier, and added up. An aggregate may set the multiplier of its hosts by the key that is named
here; of several aggregates the least holds.

"""

RULES_PREFILTERS = """\
## Request filters

`Policy(prefilters=...)`, and `computekit-allinone --request-filter NAME`, in this order. Each adds
to what is asked before hosts are looked at; a trait that nobody knows costs only itself.

"""

RULES_ATTRIBUTES = """\
## Attributes of hosts

Names for `capabilities:` (`ComputeCapabilitiesFilter`) and, with dots for colons, for `query`
(`JsonFilter`). Any other name is looked for among the labels and figures of the host; `stats:x` is
the figure `x`.

| name | is |
|------|----|
"""


# The rows below these lines are written anew; what is around the table stays.
POLICIES_TABLE = """\
| name | class | prefers | for |
| --- | --- | --- | --- |
"""


def rules_page() -> str:
    """Return the page of every rule and weigher by Nova's name."""
    parts = [RULES_HEAD]
    for name, rule in FILTERS.items():
        marks = [
            mark
            for mark, holds in (
                ("default", name in DEFAULT_FILTERS),
                ("once", name in ONCE_PER_REQUEST),
                ("rebuild", getattr(rule, "on_rebuild", False)),
            )
            if holds
        ]
        parts.append(_rule_section(name, rule, marks))
    parts.append(RULES_WEIGHERS)
    for name, weigher in WEIGHERS.items():
        option = getattr(weigher, "option", "")
        parts.append(_rule_section(name, weigher, [f"key `{option}`"] if option else []))
    parts.append(RULES_PREFILTERS)
    for prefilter in PREFILTERS:
        name = prefilter.name.lower().replace(" ", "-")
        features = getattr(prefilter, "features", frozenset[GuestFeature]())
        marks = sorted(f"`{feature.value}`" for feature in features)
        parts.append(_prefilter_section(name, prefilter, marks))
    rows = (f"| `{name}` | {what} |\n" for name, what in sorted(HOST_ATTRIBUTES.items()))
    return "".join([*parts, RULES_ATTRIBUTES, *rows])


def _prefilter_section(name: str, prefilter: object, traits: list[str]) -> str:
    text, _, _settings = (inspect.getdoc(type(prefilter)) or "").partition("\n\nAttributes:\n")
    asked = f": {', '.join(traits)}" if traits else ""
    return f"### {name}\n\n`{type(prefilter).__name__}`{asked}. {text}\n\n"


def _rule_section(name: str, rule: object, marks: list[str]) -> str:
    kind = type(rule)
    text, _, settings = (inspect.getdoc(kind) or "").partition("\n\nAttributes:\n")
    told = dict(_settings(settings))
    if kind.__name__ != name:
        marks = [f"`{kind.__name__}`", *marks]
    note = f"*{', '.join(marks)}*\n\n" if marks else ""
    lines = [f"### {name}\n\n{note}{text}\n\n"]
    for field in attrs.fields(kind) if attrs.has(kind) else ():
        if field.name in told and field.name not in {"name", "option"}:
            value = getattr(rule, field.name)
            lines.append(f"- `{field.name}` ({_shown(value)}): {told[field.name]}\n")
    return "".join(lines) + ("\n" if len(lines) > 1 else "")


def _settings(text: str) -> Iterator[tuple[str, str]]:
    """Return what a docstring says of each attribute; a line further in goes on with the last."""
    name, said = "", ""
    for line in text.splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            if name:
                yield name, said
            name, _, said = line.strip().partition(": ")
        else:
            said = f"{said} {line.strip()}".strip()
    if name:
        yield name, said


def _shown(value: object) -> str:
    if isinstance(value, frozenset | FrozenMap) and not value:
        return "none"
    return f"`{value}`" if value != "" else "none"


def policies_page() -> str:
    """Return the page of the policies with its table as `computekit.sim` knows them."""
    before, _, rest = (REFERENCE / "policies.md").read_text("utf-8").partition(POLICIES_TABLE)
    _, _, after = rest.partition("\n\n")
    rows = (
        f"| `{one.name}` | {', '.join(f'`{name}`' for name in one.classes)} | {one.prefers} "
        f"| {', '.join(sorted(one.replays))} |\n"
        for one in POLICIES
    )
    return f"{before}{POLICIES_TABLE}{''.join(rows)}\n{after}"


def placement_openapi() -> str:
    """Return the OpenAPI document of the Placement API."""
    endpoints = placement_endpoints(LocalPlacement.in_memory(), random.Random(0))
    return placement_document(endpoints).decode()


def stand_in_openapis() -> Iterator[tuple[str, str]]:
    """Return the names and OpenAPI documents of the services beside compute."""
    clock, source = SystemClock(), random.Random(0)
    with TemporaryDirectory() as directory:
        at = Path(directory)
        images = KeptImages(at / "images", clock, source)
        yield "image", image_document(image_endpoints(images, clock, source)).decode()
        nobody = Directory((), ())
        tokens = Tokens(nobody, Secret(b""), Revoked(at / "revoked"), clock, source)
        sign_in = SignIn(nobody, Passwords({}, clock, b""), tokens)
        yield "identity", identity_document(identity_endpoints(sign_in)).decode()
    yield "network", network_document(network_endpoints()).decode()


def compute_openapi() -> str:
    """Return the OpenAPI document of the Compute API."""
    with TemporaryDirectory() as directory:
        fleet = FakeFleet(Path(directory) / "fleet", url=f"sqlite:///{directory}/books.sqlite")
        assert isinstance(fleet.store, SqlStore)
        store = fleet.store
        cloud = Cloud(fleet.services, SqlFlavors(store), SqlKeypairs(store), SqlServers(store))
        document = compute_document(compute_endpoints(cloud)).decode()
        fleet.close()
    return document


PLACE_FILES_HEAD = """\
# Files of `computekit place`

<!-- Written by tools/generate_reference.py from src/computekit/scheduler/files. -->

`computekit place --fleet FLEET.json --request REQUEST.json [--policy NAME] [--explain] [--json]`
decides on files, without a daemon or a database. `computekit.scheduler.files` does the same in a
program. A member that is not listed here, a name that comes twice, or a value of another type is a
fault; all faults of both files are told at once, each with its path. Ends with 0 if there is a
place, 3 if there is none, 1 if a file has faults.

The same as JSON Schemas: [fleet](place-fleet.schema.json), [request](place-request.schema.json),
[answer](place-answer.schema.json).

```json
{
  "hosts": [
    {"name": "cmp1", "inventories": {"VCPU": 16, "MEMORY_MB": 65536, "DISK_GB": 500}},
    {"name": "cmp2", "inventories": {"VCPU": {"total": 16, "allocation_ratio": 4.0}},
     "used": {"VCPU": 12}, "zone": "az1", "traits": ["CUSTOM_SSD"]}
  ],
  "aggregates": [{"name": "rack1", "metadata": {"rack": "r1"}, "hosts": ["cmp1"]}]
}
```

```json
{"flavor": {"vcpus": 4, "memory_mib": 8192, "disk_gib": 40}, "zone": "az1"}
```
"""

PLACE_FILES = (
    ("place-fleet", "The fleet", FleetForm),
    ("place-request", "The request", RequestForm),
    ("place-answer", "The answer (`--json`)", AnswerForm),
)


def place_schema(kind: type[attrs.AttrsInstance], title: str) -> str:
    """Return the JSON Schema of one file of `computekit place`."""
    return json.dumps(json_schema(kind, f"computekit {title}"), indent=2) + "\n"


def place_files_page() -> str:
    """Return the page of the files of `computekit place`: every member of every object."""
    lines = [PLACE_FILES_HEAD]
    for _file, title, kind in PLACE_FILES:
        lines.append(f"## {title}\n")
        lines.extend(form_lines(json_schema(kind, title)))
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    pages = {
        REFERENCE / "errors.md": errors_page(),
        REFERENCE / "commands.md": commands_page(),
        REFERENCE / "pci-codes.md": pci_codes_page(),
        REFERENCE / "placement-openapi.json": placement_openapi(),
        REFERENCE / "compute-openapi.json": compute_openapi(),
        **{REFERENCE / f"{name}-openapi.json": text for name, text in stand_in_openapis()},
        REFERENCE / "rules.md": rules_page(),
        REFERENCE / "policies.md": policies_page(),
        REFERENCE / "place-files.md": place_files_page(),
        **{
            REFERENCE / f"{file}.schema.json": place_schema(kind, file)
            for file, _title, kind in PLACE_FILES
        },
    }
    stale = False
    for path, text in pages.items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale = True
        if not check:
            path.write_text(text, "utf-8")
            print(f"wrote {path}")
    if check and stale:
        print("docs/reference is not what the code says: run `nox -s docs`", file=sys.stderr)
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
