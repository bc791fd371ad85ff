"""Whatever flavor and image say, the answer is a config that keeps it, or all faults."""

from hypothesis import given
from hypothesis import strategies as st

from computekit.errors import Fault, InvalidInput
from computekit.guest import DiskRole, GuestConfig, HostDefaults, resolve
from computekit.guest.keys import FLAVOR_KEYS, IMAGE_KEYS
from computekit.ids import FlavorId, ImageId
from computekit.model import Flavor, FrozenMap, Image, decode, encode
from computekit.units import Bytes, Gib, Mib, gib_to_bytes

FURTHER = (
    "hw:numa_cpus.0",
    "hw:numa_cpus.1",
    "hw:numa_mem.0",
    "hw:numa_mem.1",
    "resources:PCPU",
    "resources:VCPU",
    "resources1:VGPU",
    "resources_a:CUSTOM_A",
    "trait:HW_CPU_HYPERTHREADING",
    "trait1:CUSTOM_A",
)


def known(rules: frozenset[str]) -> st.SearchStrategy[str]:
    """Return keys that mean something, patterns with something in them; some of images too."""
    return st.sampled_from(sorted({*(key.replace("*", "x") for key in rules), *FURTHER}))


values = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["true", "false", "uefi", "bios", "q35", "pc", "virt", "required", "x86_64"]),
    st.sampled_from(["dedicated", "mixed", "shared", "require", "isolate", "prefer", "share"]),
    st.sampled_from(
        ["0", "1", "2", "64", "0-1", "^0", "0,2", "2MB", "1GB", "large", "any", "9" * 5000]
    ),
    st.sampled_from(
        ["1.2", "2.0", "tpm-crb", "tpm-tis", "host", "emulate", "socket", "none", "forbidden"]
    ),
)
amounts = st.integers(min_value=-1, max_value=2**31)
small = st.integers(min_value=0, max_value=64)


def texts(known_keys: st.SearchStrategy[str]) -> st.SearchStrategy[FrozenMap[str, str]]:
    keys = st.one_of(known_keys, st.text(max_size=12), st.text(max_size=12).map("hw:".__add__))
    return st.dictionaries(keys, values, max_size=6).map(FrozenMap)


flavors = st.builds(
    Flavor,
    id=st.just(FlavorId("f")),
    name=st.just("f"),
    vcpus=st.one_of(small, amounts),
    memory_mib=st.one_of(small, amounts).map(Mib),
    disk_gib=st.one_of(small, amounts).map(Gib),
    ephemeral_gib=small.map(Gib),
    swap_mib=small.map(Mib),
    extra_specs=texts(known(FLAVOR_KEYS.supported | FLAVOR_KEYS.not_yet.keys())),
)
images = st.builds(
    Image,
    id=st.just(ImageId("2f1d8a34-6c5b-4e7f-a9d0-1b3c5d7e9f00")),
    name=st.just("i"),
    disk_format=st.sampled_from(["raw", "qcow2", "aki", "vmdk"]),
    size_bytes=st.just(Bytes(1)),
    virtual_size_bytes=st.integers(min_value=0, max_value=2**40).map(Bytes),
    sha256=st.just("0" * 64),
    min_disk_gib=small.map(Gib),
    min_memory_mib=small.map(Mib),
    properties=texts(known(IMAGE_KEYS.supported | IMAGE_KEYS.not_yet.keys())),
)


def answer(flavor: Flavor, image: Image) -> GuestConfig | tuple[Fault, ...]:
    try:
        return resolve(flavor, image, HostDefaults())
    except InvalidInput as error:
        return error.faults


@given(flavors, images)
def test_a_config_keeps_its_promises_or_there_are_faults(flavor: Flavor, image: Image) -> None:
    guest = answer(flavor, image)
    if isinstance(guest, tuple):
        assert guest
        assert all(str(fault).isprintable() for fault in guest)
        return
    root = guest.disks[0]
    assert root.role is DiskRole.ROOT
    assert root.size_bytes >= max(image.virtual_size_bytes, gib_to_bytes(image.min_disk_gib))
    assert guest.memory_mib >= image.min_memory_mib
    assert len({disk.role for disk in guest.disks}) == len(guest.disks)
    assert decode(encode(guest), GuestConfig) == guest
    for key in FLAVOR_KEYS.not_yet.keys() & flavor.extra_specs.keys():
        assert flavor.extra_specs[key].strip().lower() in FLAVOR_KEYS.not_yet[key]


@given(flavors, images)
def test_the_same_question_has_the_same_answer(flavor: Flavor, image: Image) -> None:
    assert encode(answer(flavor, image)) == encode(answer(flavor, image))
