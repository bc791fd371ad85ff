"""A request as people write it in a file: a flavor, or resources in groups; and where it may go."""

from collections.abc import Callable
from typing import Annotated, Literal

import attrs

from computekit.errors import Fault, InvalidInput
from computekit.forms import String, Unique, Whole, read_form, read_json
from computekit.guest import GuestConfig, HostDefaults, resolve
from computekit.ids import (
    AggregateId,
    FlavorId,
    HostName,
    ImageId,
    InstanceId,
    ProjectId,
    ProviderId,
    ServerGroupId,
    UserId,
)
from computekit.model import (
    MAX_AMOUNT,
    Flavor,
    FrozenMap,
    Image,
    PlacementRequest,
    RequestGroup,
    ResourceClass,
    Trait,
)
from computekit.placement import check_request
from computekit.scheduler.files.fleet_form import Amount, ClassName, Name, TraitName
from computekit.scheduler.request import PlacementIntent, Request, SchedulingRun
from computekit.scheduler.translate import translate
from computekit.units import Bytes, Gib, Mib

__all__ = ["FlavorForm", "GroupForm", "ImageForm", "RequestForm", "read_request"]

Size = Annotated[int, Whole(0, MAX_AMOUNT)]
Value = Annotated[str, String(most=10_000, least=0)]
Suffix = Annotated[str, String(pattern="[A-Za-z0-9_-]{1,64}", what="a suffix")]
Traits = tuple[TraitName | frozenset[TraitName], ...]
Aggregates = tuple[Name | frozenset[Name], ...]


@attrs.frozen
class FlavorForm:
    """The size of an instance, and the rules that come with it (Compute API, flavors).

    Attributes:
        vcpus: virtual CPUs.
        memory_mib: memory in MiB.
        name: for people.
        disk_gib: root disk in GiB; 0 means the size of the image.
        ephemeral_gib: a further, empty disk.
        swap_mib: a swap disk.
        extra_specs: rules as text by key: `hw:cpu_policy`, `resources:...`, `trait:...`.
    """

    vcpus: Size
    memory_mib: Size
    name: Name = "flavor"
    disk_gib: Size = 0
    ephemeral_gib: Size = 0
    swap_mib: Size = 0
    extra_specs: FrozenMap[Name, Value] = FrozenMap()

    def flavor(self) -> Flavor:
        """Return this as a value of the model."""
        return Flavor(
            FlavorId(self.name),
            self.name,
            self.vcpus,
            Mib(self.memory_mib),
            Gib(self.disk_gib),
            Gib(self.ephemeral_gib),
            Mib(self.swap_mib),
            FrozenMap(self.extra_specs),
        )


@attrs.frozen
class ImageForm:
    """What an instance boots, as far as its place depends on it (Image API).

    Attributes:
        name: for people.
        disk_format: `raw` or `qcow2`.
        size_bytes: length of the disk in it.
        min_disk_gib: smallest root disk that it fits on.
        min_memory_mib: least memory that it boots with.
        properties: text by key: `hw_machine_type`, `hw_firmware_type` ...
    """

    name: Name = "image"
    disk_format: Name = "raw"
    size_bytes: Annotated[int, Whole(0, 2**60)] = 0
    min_disk_gib: Size = 0
    min_memory_mib: Size = 0
    properties: FrozenMap[Name, Value] = FrozenMap()

    def image(self) -> Image:
        """Return this as a value of the model."""
        size = Bytes(self.size_bytes)
        return Image(
            ImageId(""),
            self.name,
            self.disk_format,
            size,
            size,
            "",
            Gib(self.min_disk_gib),
            Mib(self.min_memory_mib),
            FrozenMap(self.properties),
        )


@attrs.frozen
class GroupForm:
    """Resources that one provider serves (Placement API, granular resource requests).

    Attributes:
        suffix: unique among the groups.
        resources: amounts by class.
        required: traits that its provider must have; a list in it: one of them.
        forbidden: traits that it must not have.
        member_of: aggregates that it must be in; a list in it: one of them.
        not_member_of: aggregates that it must not be in.
        in_tree: a provider in whose tree it must be.
    """

    suffix: Suffix
    resources: FrozenMap[ClassName, Amount] = FrozenMap()
    required: Traits = ()
    forbidden: frozenset[TraitName] = frozenset()
    member_of: Aggregates = ()
    not_member_of: frozenset[Name] = frozenset()
    in_tree: Name | None = None


@attrs.frozen
class RequestForm:
    """What is to be placed: a flavor, or resources; both may come with further groups.

    Attributes:
        flavor: size and rules, which say what is asked of a host.
        image: what boots; only with a flavor.
        resources: amounts by class, from the host as a whole; instead of a flavor.
        required: traits that the providers of `resources` must have; a list in it: one of them.
        forbidden: traits that they must not have.
        member_of: aggregates that they must be in; a list in it: one of them.
        not_member_of: aggregates that they must not be in.
        in_tree: a provider in whose tree they must be.
        groups: resources that one provider each must serve.
        group_policy: whether groups may share a provider; needed with two or more.
        same_subtree: suffixes of groups whose providers must be on one branch of the tree.
        root_required: traits of the host itself.
        root_forbidden: traits that the host itself must not have.
        machine_type: that the host's hypervisor must have; a flavor brings one along.
        zone: availability zone.
        hints: scheduler hints, all values of each: `same_host`, `different_host`, `group` ...
        project: who owns the instance.
        user: who asks.
        instance: id of the instance to be placed, which rules leave out of what they count.
        host: the only host that may be chosen; every rule is still asked.
        ignored_hosts: hosts that must not be chosen.
    """

    flavor: FlavorForm | None = None
    image: ImageForm | None = None
    resources: FrozenMap[ClassName, Amount] = FrozenMap()
    required: Traits = ()
    forbidden: frozenset[TraitName] = frozenset()
    member_of: Aggregates = ()
    not_member_of: frozenset[Name] = frozenset()
    in_tree: Name | None = None
    groups: Annotated[tuple[GroupForm, ...], Unique("suffix")] = ()
    group_policy: Literal["none", "isolate"] | None = None
    same_subtree: tuple[frozenset[Suffix], ...] = ()
    root_required: frozenset[TraitName] = frozenset()
    root_forbidden: frozenset[TraitName] = frozenset()
    machine_type: Name | None = None
    zone: Name | None = None
    hints: FrozenMap[Name, tuple[Value, ...]] = FrozenMap()
    project: Name | None = None
    user: Name | None = None
    instance: Name | None = None
    host: Name | None = None
    ignored_hosts: frozenset[Name] = frozenset()

    def request(
        self, hosts_of: FrozenMap[InstanceId, frozenset[HostName]] = FrozenMap()
    ) -> Request:
        """Return the request.

        Args:
            hosts_of: where the instances are that hints may name.

        Raises:
            InvalidInput: flavor and image contradict each other, or what is asked makes no sense.
        """
        faults: list[Fault] = []
        flavor = None if self.flavor is None else self.flavor.flavor()
        if flavor is None and self.image is not None:
            faults.append(Fault("request.image", "not_applicable", "is only for a flavor"))
        if flavor is not None and self.resources:
            message = "says what the flavor says; give one of them"
            faults.append(Fault("request.resources", "conflict", message))
        image = (self.image or ImageForm()).image()
        group = next(iter(self.hints.get("group", ())), None)
        intent = PlacementIntent(
            zone=self.zone,
            hints=FrozenMap(self.hints),
            required_traits=frozenset(map(Trait, self.root_required)),
            forbidden_traits=frozenset(map(Trait, self.root_forbidden)),
            project=None if self.project is None else ProjectId(self.project),
            user=None if self.user is None else UserId(self.user),
            flavor=flavor,
            image=None if flavor is None else image,
            group=None if group is None else ServerGroupId(group),
        )
        placement, guest = self._placement(), None
        if flavor is not None:
            placement, guest = self._of_flavor(flavor, image, intent, faults)
        _collect(faults, lambda: check_request(placement))
        if faults:
            raise InvalidInput(tuple(faults))
        run = SchedulingRun(
            ignored_hosts=frozenset(map(HostName, self.ignored_hosts)),
            host=None if self.host is None else HostName(self.host),
            instance=None if self.instance is None else InstanceId(self.instance),
            hosts_of=hosts_of,
        )
        machine_type = self.machine_type
        if guest is None:
            return Request(placement, intent, run, machine_type)
        machine_type = machine_type or guest.machine_type
        return Request(placement, intent, run, machine_type, guest.topology)

    def _placement(self) -> PlacementRequest:
        plain = _group("", self)
        groups = tuple(_group(one.suffix, one) for one in self.groups)
        return PlacementRequest(
            groups=(plain, *groups) if plain != RequestGroup() or not groups else groups,
            group_policy=self.group_policy,
            root_required=frozenset(map(Trait, self.root_required)),
            root_forbidden=frozenset(map(Trait, self.root_forbidden)),
            same_subtree=tuple(self.same_subtree),
        )

    def _of_flavor(
        self, flavor: Flavor, image: Image, intent: PlacementIntent, faults: list[Fault]
    ) -> tuple[PlacementRequest, GuestConfig | None]:
        asked = self._placement()
        try:
            guest = resolve(flavor, image, HostDefaults())
            groups = tuple(group for group in asked.groups if group.suffix)
            found = translate(guest, intent, groups=groups)
        except InvalidInput as error:
            faults.extend(attrs.evolve(one, path=f"request.{one.path}") for one in error.faults)
            return asked, None
        except ValueError as error:
            faults.append(Fault("request.groups", "duplicate", str(error)))
            return asked, None
        plain = next((group for group in asked.groups if not group.suffix), RequestGroup())
        further = tuple(
            attrs.evolve(
                group,
                required=group.required | plain.required,
                forbidden=group.forbidden | plain.forbidden,
                member_of=group.member_of | plain.member_of,
                not_member_of=group.not_member_of | plain.not_member_of,
                in_tree=plain.in_tree,
            )
            if not group.suffix
            else group
            for group in found.groups
        )
        placement = attrs.evolve(
            found,
            groups=further,
            group_policy=self.group_policy or found.group_policy,
            same_subtree=(*found.same_subtree, *asked.same_subtree),
        )
        return placement, guest


def read_request(text: str | bytes) -> RequestForm:
    """Return the request that a file describes (docs/reference/place-request.schema.json).

    Raises:
        InvalidInput: with every fault and its path.
    """
    return read_form(read_json(text, "request"), RequestForm, "request")


def _group(suffix: str, form: RequestForm | GroupForm) -> RequestGroup:
    return RequestGroup(
        suffix,
        FrozenMap({ResourceClass(name): amount for name, amount in form.resources.items()}),
        frozenset(frozenset(map(Trait, _any_of(one))) for one in form.required),
        frozenset(map(Trait, form.forbidden)),
        frozenset(frozenset(map(AggregateId, _any_of(one))) for one in form.member_of),
        frozenset(map(AggregateId, form.not_member_of)),
        None if form.in_tree is None else ProviderId(form.in_tree),
    )


def _any_of(one: str | frozenset[str]) -> frozenset[str]:
    return frozenset({one}) if isinstance(one, str) else one


def _collect(faults: list[Fault], check: Callable[[], None]) -> None:
    try:
        check()
    except InvalidInput as error:
        faults.extend(attrs.evolve(one, path=f"request.{one.path}") for one in error.faults)
