"""Use-cases on instances, one operation a file."""

from computekit.compute.admission import admit_host, mark_absent
from computekit.compute.aggregates import (
    add_host_to_aggregate,
    create_aggregate,
    delete_aggregate,
    describe_aggregate,
    move_to_zone,
    remove_host_from_aggregate,
    rename_aggregate,
)
from computekit.compute.audit import Audit, Discrepancy, Part, audit
from computekit.compute.catalogue import (
    FlavorWriter,
    KeypairWriter,
    ServerQuery,
    ServerRow,
    ServerTimes,
    ServerWriter,
)
from computekit.compute.console import ConsoleOutput, ConsoleParams, console_kind, read_console
from computekit.compute.create import CreateParams, create, create_kind
from computekit.compute.delete import DeleteParams, delete, delete_kind
from computekit.compute.groups import (
    GroupMembers,
    create_group,
    delete_group,
    group_members,
    make_group,
)
from computekit.compute.hints import Hints
from computekit.compute.kinds import operation_kinds
from computekit.compute.memory import MemoryInstances
from computekit.compute.observe import ObserveParams, observe, observe_kind
from computekit.compute.orphan import OrphanParams, orphan_kind, remove_orphan, remove_orphans
from computekit.compute.pin import pin_instance, write_pin, zone_shown
from computekit.compute.placing import PlacementAsked, ask_for_place, rebuild_report
from computekit.compute.ports import InstanceReader, InstanceWriter
from computekit.compute.purge import purge
from computekit.compute.reboot import RebootParams, reboot, reboot_kind
from computekit.compute.services import Services
from computekit.compute.set_host import disable_host, enable_host, set_host_zone
from computekit.compute.start import StartParams, start, start_kind
from computekit.compute.stop import StopParams, stop, stop_kind
from computekit.compute.upkeep import Upkeep, UpkeepRules, drop_images, look_around

__all__ = [
    "Audit",
    "ConsoleOutput",
    "ConsoleParams",
    "CreateParams",
    "DeleteParams",
    "Discrepancy",
    "FlavorWriter",
    "GroupMembers",
    "Hints",
    "InstanceReader",
    "InstanceWriter",
    "KeypairWriter",
    "MemoryInstances",
    "ObserveParams",
    "OrphanParams",
    "Part",
    "PlacementAsked",
    "RebootParams",
    "ServerQuery",
    "ServerRow",
    "ServerTimes",
    "ServerWriter",
    "Services",
    "StartParams",
    "StopParams",
    "Upkeep",
    "UpkeepRules",
    "add_host_to_aggregate",
    "admit_host",
    "ask_for_place",
    "audit",
    "console_kind",
    "create",
    "create_aggregate",
    "create_group",
    "create_kind",
    "delete",
    "delete_aggregate",
    "delete_group",
    "delete_kind",
    "describe_aggregate",
    "disable_host",
    "drop_images",
    "enable_host",
    "group_members",
    "look_around",
    "make_group",
    "mark_absent",
    "move_to_zone",
    "observe",
    "observe_kind",
    "operation_kinds",
    "orphan_kind",
    "pin_instance",
    "purge",
    "read_console",
    "reboot",
    "reboot_kind",
    "rebuild_report",
    "remove_host_from_aggregate",
    "remove_orphan",
    "remove_orphans",
    "rename_aggregate",
    "set_host_zone",
    "start",
    "start_kind",
    "stop",
    "stop_kind",
    "write_pin",
    "zone_shown",
]
