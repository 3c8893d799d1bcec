"""What there is to go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.metrics import Task


@dataclass(frozen=True)
class Evidence:
    """Of a training, at its last record."""

    health: Sequence[Health]  # of every layer in the order of the network, at the end of an epoch; or nothing, within
    history: Sequence[Record]
    task: Task
    lr: float  # the optimizer's own, which the schedule multiplies

    @property
    def last(self) -> Record:
        """The record that was just made."""
        return self.history[-1]

    @property
    def has_learned(self) -> bool:
        """Whether the training loss is less than half of that of guessing."""
        base = self.task.baseline
        return base is not None and self.last.train.loss < 0.5 * base.loss
