"""When there is nothing more to hope for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cnncli.training.history import Judge, Record, judged
from cnncli.training.metrics import Task
from cnncli.training.settings import EarlyStopping


def monitored(history: Sequence[Record], split: Judge, task: Task) -> list[float]:
    """The monitored number on that split whenever it was measured, turned so that lower is better."""
    return [task.badness(scores)[0] for _, scores in judged(history, split)]


def has_stalled(badness: Sequence[float], stopping: EarlyStopping | None) -> bool:
    """Whether the last `patience` numbers are no improvement on the best one before: none is lower by more than
    `min_delta` (as Keras's EarlyStopping)."""
    if stopping is None:
        return False
    best, since = math.inf, 0
    for value in badness:
        best, since = (value, 0) if value < best - stopping.min_delta else (best, since + 1)
    return since >= stopping.patience
