"""Durable operations: steps that are done or undone, whatever crashes."""

from computekit.journal.memory import MemoryJournal
from computekit.journal.operation import (
    Back,
    Context,
    Direction,
    Done,
    Ending,
    Fail,
    KindKey,
    Operation,
    OperationKind,
    OperationState,
    Outcome,
    Result,
    Step,
    Wait,
)
from computekit.journal.ports import Journal, JournalReader
from computekit.journal.runner import Progress, Runner
from computekit.journal.transitions import new_operation
from computekit.journal.workers import run_operations

__all__ = [
    "Back",
    "Context",
    "Direction",
    "Done",
    "Ending",
    "Fail",
    "Journal",
    "JournalReader",
    "KindKey",
    "MemoryJournal",
    "Operation",
    "OperationKind",
    "OperationState",
    "Outcome",
    "Progress",
    "Result",
    "Runner",
    "Step",
    "Wait",
    "new_operation",
    "run_operations",
]
