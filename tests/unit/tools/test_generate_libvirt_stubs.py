"""The parts that make the stubs of libvirt-python, on a small API and binding of our own."""

import ast
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import attrs
import cattrs
import pytest

from tools import generate_libvirt_stubs as generator
from tools.libvirt_stubs import api, binding, corrections, derive, reference, render, shape

DESCRIPTION = """
<api name="small">
  <files><file name="f"><exports symbol="virThingGetName" type="function"/></file></files>
  <symbols>
    <macro name="LIBVIR_VERSION_NUMBER" raw="10002003"/>
    <macro name="VIR_THING_SIZE" string="size">
      <info>the size, as VIR_TYPED_PARAM_ULLONG</info>
    </macro>
    <macro name="VIR_THING_NICK" string="nick-name"><info>the name, as a string</info></macro>
    <macro name="VIR_THING_MOOD" string="mood"><info>nobody knows</info></macro>
    <macro name="VIR_THING_LEN" raw="80"/>
    <enum name="VIR_EVENT_ID_BORN" value="0"/>
    <enum name="VIR_EVENT_ID_GONE" value="1"/>
    <enum name="VIR_KINDS" value="2"/>
    <function name="virThingGetName">
      <return type="char *"/><arg name="thing" type="virThingPtr"/>
    </function>
    <function name="virThingRename">
      <return type="int"/>
      <arg name="thing" type="virThingPtr"/>
      <arg name="name" type="const char *" info="a name, or NULL for none"/>
      <arg name="flags" type="unsigned int"/>
    </function>
    <function name="virThingListAll">
      <return type="int"/>
      <arg name="conn" type="virThingPtr"/>
      <arg name="all" type="virThingPtr **"/>
    </function>
    <function name="virThingGetParameters">
      <return type="int"/>
      <arg name="thing" type="virThingPtr"/>
      <arg name="params" type="virTypedParameterPtr"/>
      <arg name="nparams" type="int *"/>
    </function>
    <function name="virThingGetInfo">
      <return type="int"/>
      <arg name="thing" type="virThingPtr"/>
      <arg name="info" type="virThingInfoPtr"/>
    </function>
  </symbols>
</api>
"""
MODULE = '''
VIR_THING_SIZE = "size"
VIR_THING_NICK = "nick-name"
VIR_THING_MOOD = "mood"
VIR_EVENT_ID_BORN = 0
VIR_EVENT_ID_GONE = 1
VIR_KINDS = 2

class virThing:
    def name(self) -> "str":
        return libvirtmod.virThingGetName(self._o)
    def rename(self, name, flags=0) -> "int":
        return libvirtmod.virThingRename(self._o, name, flags)
    def listAll(self):
        return libvirtmod.virThingListAll(self._o)
    def parameters(self) -> "str":
        return libvirtmod.virThingGetParameters(self._o)
    def info(self) -> "str":
        return libvirtmod.virThingGetInfo(self._o)
    def register(self, thing, eventID, cb, opaque):
        """Some text that must not be copied."""
    def _private(self):
        pass
'''
TABLE = """
growing = ["VIR_KINDS"]
[aliases]
TypedParameters = "dict[str, int]"
[shapes.Parameters]
macros = "VIR_THING_"
unstated = "float"
[shapes.Info]
total = true
fields = { cpus = "list[int]" }
[callbacks."virThing.register"]
subject = "virThing"
parameter = "thing"
[callbacks."virThing.register".events]
VIR_EVENT_ID_BORN = ["str"]
VIR_EVENT_ID_GONE = ["int", "str | None"]
[methods]
"virThing.parameters" = { returns = "Parameters" }
"virThing.info" = { returns = "Info" }
"""


@pytest.fixture
def module() -> ModuleType:
    made = ModuleType("small")
    exec(compile(MODULE, "small.py", "exec"), vars(made))
    for value in vars(made).values():
        if isinstance(value, type):
            value.__module__ = "small"
    return made


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "api.xml"
    path.write_text(DESCRIPTION, "utf-8")
    return path


@pytest.fixture
def prototypes(description: Path) -> api.Api:
    return api.read(description)


def table(tmp_path: Path, text: str = TABLE) -> corrections.Corrections:
    path = tmp_path / "table.toml"
    path.write_text(text, "utf-8")
    return corrections.read(path)


def derived(
    prototypes: api.Api, module: ModuleType, corrected: corrections.Corrections
) -> tuple[Mapping[str, derive.Signature], tuple[derive.Fault, ...]]:
    surface = binding.inspect_binding(module)
    return derive.derive(prototypes, surface, corrected, frozenset({"virThing"}))


@pytest.fixture
def stub(prototypes: api.Api, module: ModuleType, tmp_path: Path) -> str:
    corrected = table(tmp_path)
    signatures, faults = derived(prototypes, module, corrected)
    assert faults == ()
    surface = binding.inspect_binding(module)
    return render.stub("small 1", prototypes, surface, corrected, signatures)


def test_the_version_is_that_of_the_description(description: Path) -> None:
    assert api.version(description) == "10.2.3"


def test_a_description_without_a_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "api.xml"
    path.write_text("<api/>", "utf-8")
    with pytest.raises(ValueError, match="LIBVIR_VERSION_NUMBER"):
        api.version(path)


def test_field_types_are_those_that_the_description_states(prototypes: api.Api) -> None:
    assert prototypes.field_types == {"VIR_THING_SIZE": "int", "VIR_THING_NICK": "str"}


def test_types_come_from_the_prototype(stub: str) -> None:
    assert "def name(self) -> str: ..." in stub
    assert "def rename(self, name: str | None, flags: int = 0) -> int: ..." in stub
    assert "def listAll(self) -> list[virThing]: ..." in stub


def test_types_that_no_prototype_says_come_from_the_table(stub: str) -> None:
    assert "def parameters(self) -> Parameters: ..." in stub
    assert "def info(self) -> Info: ..." in stub


def test_every_event_has_its_callback(stub: str) -> None:
    assert stub.count("@overload") == 2
    assert "eventID: Literal[0], cb: Callable[[virConnect, virThing, str, _T], object]" in stub
    assert (
        "Callable[[virConnect, virThing, int, str | None, _T], object], opaque: _T) -> int" in stub
    )


def test_events_with_the_same_arguments_share_an_overload(
    prototypes: api.Api, module: ModuleType, tmp_path: Path
) -> None:
    same = TABLE.replace('["int", "str | None"]', '["str"]')
    signatures, _ = derived(prototypes, module, table(tmp_path, same))
    (overload,) = signatures["virThing.register"].overloads
    assert "eventID: Literal[0, 1]" in overload


def test_constants_have_their_values_and_growing_ones_none(stub: str) -> None:
    assert "VIR_EVENT_ID_GONE: Final = 1" in stub
    assert "VIR_THING_NICK: Final = 'nick-name'" in stub
    assert "VIR_KINDS: Final[int]" in stub


def test_a_dict_is_a_class_if_its_keys_are_names(stub: str) -> None:
    assert "@type_check_only\nclass Info(TypedDict):\n    cpus: list[int]" in stub
    assert (
        'Parameters = TypedDict("Parameters", '
        '{"mood": float, "nick-name": str, "size": int}, total=False)'
    ) in stub


def test_a_stub_has_no_text_of_the_binding(stub: str) -> None:
    assert "Some text" not in stub
    assert "_private" not in stub
    ast.parse(stub)


def test_the_same_again_is_the_same(
    stub: str, prototypes: api.Api, module: ModuleType, tmp_path: Path
) -> None:
    signatures, _ = derived(prototypes, module, table(tmp_path))
    surface = binding.inspect_binding(module)
    again = render.stub("small 1", prototypes, surface, table(tmp_path), signatures)
    assert again == stub


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('"virThing.info" = { returns = "Info" }', ""), "return type is not known"),
        (("[methods]", '[methods]\n"virThing.name" = { returns = "str" }'), "says what C says"),
        (
            ("[methods]", '[methods]\n"virThing.rename" = { params = { flags = "int" } }'),
            "'flags' says what C says",
        ),
        (
            ("[methods]", '[methods]\n"virThing.rename" = { params = { x = "int" } }'),
            "no parameter 'x'",
        ),
        (("[methods]", '[methods]\n"virThing.gone" = { returns = "str" }'), "no such method"),
    ],
)
def test_a_table_that_says_too_little_or_too_much_is_refused(
    change: tuple[str, str],
    problem: str,
    prototypes: api.Api,
    module: ModuleType,
    tmp_path: Path,
) -> None:
    _, faults = derived(prototypes, module, table(tmp_path, TABLE.replace(*change)))
    assert [problem in fault.problem for fault in faults] == [True]


def test_an_entry_of_the_wrong_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cattrs.BaseValidationError):
        table(tmp_path, '[methods]\nopen = { return = "str" }')


def test_a_field_without_a_type_is_refused(
    prototypes: api.Api, module: ModuleType, tmp_path: Path
) -> None:
    corrected = table(tmp_path, TABLE.replace('unstated = "float"', ""))
    signatures, _ = derived(prototypes, module, corrected)
    surface = binding.inspect_binding(module)
    with pytest.raises(ValueError, match="VIR_THING_MOOD"):
        render.stub("small 1", prototypes, surface, corrected, signatures)


def test_a_constant_that_nothing_describes_is_refused(
    prototypes: api.Api, module: ModuleType, tmp_path: Path
) -> None:
    vars(module)["VIR_NEW"] = 1
    signatures, _ = derived(prototypes, module, table(tmp_path))
    surface = binding.inspect_binding(module)
    with pytest.raises(ValueError, match="VIR_NEW"):
        render.stub("small 1", prototypes, surface, table(tmp_path), signatures)


FITS: tuple[tuple[str, object], ...] = (
    ("int", 1),
    ("str | None", None),
    ("object", object()),
    ("list[int]", []),
    ("list[str | int]", ["a", 1]),
    ("tuple[int, str]", (1, "a")),
    ("tuple[bool, ...]", (True, False)),
    ("dict[int, dict[int, int]]", {1: {2: 3}}),
    ("bytes | Literal[-2]", -2),
    ("Info", {"cpus": [1]}),
    ("Parameters", {"nick-name": "a"}),
    ("TypedParameters", {"a": 1}),
)
DIFFERS: tuple[tuple[str, object], ...] = (
    ("int", "1"),
    ("int", True),
    ("str", None),
    ("str | None", b""),
    ("list[int]", (1,)),
    ("list[int]", [1, "a"]),
    ("tuple[int, str]", (1,)),
    ("tuple[int, str]", ("a", 1)),
    ("tuple[bool, ...]", (True, 1)),
    ("dict[int, int]", {"1": 1}),
    ("dict[int, int]", {1: "1"}),
    ("bytes | Literal[-2]", -3),
    ("Info", {}),
    ("Info", {"cpus": ["1"]}),
    ("Parameters", {"nick-name": 1}),
    ("Parameters", {"unknown": 1}),
    ("Parameters", []),
    ("virThing", object()),
)


@pytest.mark.parametrize(("annotation", "value"), FITS)
def test_a_value_of_the_type_fits(
    annotation: str, value: object, stub: str, module: ModuleType
) -> None:
    assert shape.read(stub, module).faults(value, annotation) == ()


@pytest.mark.parametrize(("annotation", "value"), DIFFERS)
def test_a_value_of_another_type_does_not(
    annotation: str, value: object, stub: str, module: ModuleType
) -> None:
    assert shape.read(stub, module).faults(value, annotation) != ()


def test_a_later_version_may_add_keys(stub: str, module: ModuleType) -> None:
    open_stub = shape.read(stub, module, closed=False)
    assert open_stub.faults({"unknown": 1}, "Parameters") == ()
    assert open_stub.faults({"size": "1"}, "Parameters") != ()


def test_callbacks_are_compared_with_their_event(stub: str, module: ModuleType) -> None:
    stated = shape.read(stub, module)
    thing = module.virThing()
    assert stated.events("virThing.register") == {0, 1}
    stated = attrs.evolve(stated, module=_with_connection(module))
    connection = stated.module.virConnect()
    assert stated.event_faults("virThing.register", 0, (connection, thing, "a", None)) == ()
    assert stated.event_faults("virThing.register", 1, (connection, thing, 1, None, None)) == ()
    assert stated.event_faults("virThing.register", 0, (connection, thing, 1, None)) != ()
    assert stated.event_faults("virThing.register", 0, (connection, thing, None)) != ()
    with pytest.raises(KeyError):
        stated.event_faults("virThing.register", 2, ())


def _with_connection(module: ModuleType) -> ModuleType:
    vars(module)["virConnect"] = type("virConnect", (), {})
    return module


def test_the_page_lists_what_is_called_and_what_is_not(
    prototypes: api.Api, module: ModuleType, tmp_path: Path
) -> None:
    signatures, _ = derived(prototypes, module, table(tmp_path))
    section = reference.section("small 1", signatures, {"a driver": frozenset({"virThing.info"})})
    assert "| functions and methods | 6 | 1 |" in section
    assert "| result annotated falsely by the binding | 2 | 1 |" in section
    assert "| `virThing.info` | `str` | `Info` | a driver |" in section
    assert "- `virThing`: `parameters`, `register`" in section


def test_the_page_keeps_what_people_wrote() -> None:
    page = f"before\n{reference.BEGIN}\nold\n{reference.END}\nafter\n"
    made = reference.insert(page, "new")
    assert made == f"before\n{reference.BEGIN}\n\nnew\n\n{reference.END}\nafter\n"
    assert reference.insert(made, "new") == made
    with pytest.raises(ValueError, match="no place"):
        reference.insert("nothing", "new")


def test_a_difference_is_shown_by_file(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("text\n", "utf-8")
    (tmp_path / "edited").write_text("edited\n", "utf-8")
    texts = {Path(name): "text\n" for name in ("same", "edited", "missing")}
    shown = generator.difference(texts, tmp_path)
    assert "-edited\n+text\n" in shown
    assert "missing (made now)" in shown
    assert "same (made now)" not in shown


def test_a_check_with_another_version_is_a_skip_that_names_both(tmp_path: Path) -> None:
    path = tmp_path / generator.STUBS["libvirt"]
    path.parent.mkdir(parents=True)
    path.write_text("# libvirt 1.0.0, libvirt-python 2.0.0\n", "utf-8")
    # Nothing is read of what is installed: a later version need not even be understood.
    found = generator.Installed("libvirt 1.1.0, libvirt-python 2.0.0", {}, {})
    verdict = generator.run(found, tmp_path, checking=True)
    assert verdict.status == 77
    assert "libvirt 1.0.0, libvirt-python 2.0.0" in verdict.says
    assert "libvirt 1.1.0, libvirt-python 2.0.0" in verdict.says


def test_a_machine_without_libvirt_is_a_skip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert generator.main(["--check"]) == 77
    assert capsys.readouterr().out.startswith("skip: ")
