"""Cyborg's accelerator requests: what is known of them says whether a guest can start.

Events are hints: one may come before anybody waits, twice, or never. What they said is kept by
instance and request, and looked at together with what Cyborg itself says.
"""

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from computekit.ids import InstanceId
from computekit.pci.accelerator import AttachHandle

__all__ = ["Arq", "ArqEvent", "ArqOutcome", "ArqState", "judge_arqs"]


class ArqState(Enum):
    """Where an accelerator request is, in Cyborg's words."""

    INITIAL = "Initial"
    BIND_STARTED = "BindStarted"
    BOUND = "Bound"
    BIND_FAILED = "BindFailed"
    UNBOUND = "Unbound"
    UNBIND_FAILED = "UnbindFailed"
    DELETING = "Deleting"


@attrs.frozen
class Arq:
    """One accelerator request, as Cyborg says.

    Attributes:
        id: of it.
        state: where it is.
        handle: what to attach; only of a bound one.
    """

    id: str
    state: ArqState
    handle: AttachHandle | None = None


@attrs.frozen
class ArqEvent:
    """What Cyborg has told of one request (`accelerator-request-bound`).

    Attributes:
        instance: that it is for.
        arq: its id, the tag of the event.
        completed: whether it is bound; else it has failed.
    """

    instance: InstanceId
    arq: str
    completed: bool


@attrs.frozen
class ArqOutcome:
    """Whether a guest can start.

    Attributes:
        handles: what to attach, by request; complete if nothing waits and nothing has failed.
        waiting: requests that nothing final is known of.
        failed: requests that will not be bound.
        ask: whether to ask Cyborg again: an event says more than it said last.
    """

    handles: Mapping[str, AttachHandle]
    waiting: tuple[str, ...]
    failed: tuple[str, ...]
    ask: bool

    @property
    def ready(self) -> bool:
        """Whether everything is bound."""
        return not self.waiting and not self.failed


_LOST = frozenset(
    {ArqState.BIND_FAILED, ArqState.UNBOUND, ArqState.UNBIND_FAILED, ArqState.DELETING}
)


def judge_arqs(
    instance: InstanceId,
    wanted: Iterable[str],
    said: Iterable[Arq],
    events: Iterable[ArqEvent],
) -> ArqOutcome:
    """Return whether a guest can start, whatever came in which order.

    Args:
        instance: whose guest.
        wanted: ids of its requests.
        said: what Cyborg said last.
        events: all that were told, of any instance.
    """
    known = {arq.id: arq for arq in said}
    told = {event.arq: event for event in events if event.instance == instance}
    handles: dict[str, AttachHandle] = {}
    waiting: list[str] = []
    failed: list[str] = []
    for id_ in wanted:
        arq, event = known.get(id_), told.get(id_)
        if arq is not None and arq.state is ArqState.BOUND and arq.handle is not None:
            handles[id_] = arq.handle
        elif (arq is not None and arq.state in _LOST) or (event and not event.completed):
            failed.append(id_)
        else:
            waiting.append(id_)
    # A completed event of one that still waits: what Cyborg said is older.
    ask = any(id_ in told and told[id_].completed for id_ in waiting)
    return ArqOutcome(handles, tuple(waiting), tuple(failed), ask)
