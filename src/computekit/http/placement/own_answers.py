"""What the answers of the operations beside those of Placement look like."""

from msgspec import Raw, Struct

__all__ = [
    "ChangesAnswer",
    "ClaimAnswer",
    "ConsumersAnswer",
    "ExplainedAnswer",
    "GrantedAnswer",
    "RoomAnswer",
    "TreeAnswer",
]


class ReasonSaid(Struct, forbid_unknown_fields=True):
    """A constraint of a request."""

    rule: str
    group: str
    asked: str


class ObstacleSaid(Struct, forbid_unknown_fields=True):
    """A constraint that a tree does not meet, and what is there."""

    reason: ReasonSaid
    provider: str | None
    name: str
    there: str
    change: str


class ReasonCountSaid(Struct, forbid_unknown_fields=True):
    """How many trees do not meet a constraint."""

    reason: ReasonSaid
    trees: int
    first: int
    alone: int
    examples: list[str]


class TreeReportSaid(Struct, forbid_unknown_fields=True):
    """A request against one tree."""

    root: str
    name: str
    fits: bool
    obstacles: list[ObstacleSaid]
    would_fit: list[str]


class ExplainedAnswer(Struct, forbid_unknown_fields=True):
    """Why a request finds so many candidates, or none."""

    summary: str
    trees: int
    fitting: int
    reasons: list[ReasonCountSaid]
    near_misses: list[TreeReportSaid]
    reports: list[TreeReportSaid]


class TreeRoomSaid(Struct, forbid_unknown_fields=True):
    """How many more fit on one tree."""

    root: str
    name: str
    count: int


class RoomAnswer(Struct, forbid_unknown_fields=True):
    """How many more would fit."""

    count: int
    exact: bool
    complete: bool
    trees: int
    largest: list[TreeRoomSaid]


class ProviderSaid(Struct, forbid_unknown_fields=True):
    """A provider as it is stored."""

    uuid: str
    name: str
    parent_provider_uuid: str | None
    generation: int


class TreeAnswer(Struct, forbid_unknown_fields=True):
    """A tree as it is stored."""

    providers: list[ProviderSaid]


class TakenSaid(Struct, forbid_unknown_fields=True):
    """What is taken of one provider."""

    resources: dict[str, int]


class LostSaid(Struct, forbid_unknown_fields=True):
    """A claim that was refused."""

    root: str
    allocations: dict[str, dict[str, int]]
    mappings: dict[str, list[str]]
    reason: str
    error: dict[str, Raw]


class ClaimAnswer(Struct, forbid_unknown_fields=True):
    """What was claimed, on the tree of this root."""

    root: str
    allocations: dict[str, TakenSaid]
    mappings: dict[str, list[str]]
    consumer_type: str | None
    consumer_generation: int
    lost: list[LostSaid]


class ChangeSaid(Struct, forbid_unknown_fields=True):
    """Something that was written."""

    kind: str
    key: str


class ChangesAnswer(Struct, forbid_unknown_fields=True):
    """What was written; all of it is to be read again if the changes are not complete."""

    head: int
    complete: bool
    changes: list[ChangeSaid]


class ConsumerSaid(Struct, forbid_unknown_fields=True):
    """A consumer with all that it holds."""

    consumer_uuid: str
    project_id: str
    user_id: str
    consumer_type: str | None
    consumer_generation: int
    allocations: dict[str, TakenSaid]


class ConsumersAnswer(Struct, forbid_unknown_fields=True):
    """Some consumers by id; `next` is the marker of the page that follows."""

    consumers: list[ConsumerSaid]
    next: str | None


class GrantedAnswer(Struct, forbid_unknown_fields=True):
    """What consumers hold after their claims."""

    consumers: list[ConsumerSaid]
