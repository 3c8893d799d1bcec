"""How far a training is, and what it has gone through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cnncli.errors import CheckpointError
from cnncli.training.checkpoint import TrainingState
from cnncli.training.health import Update
from cnncli.training.history import Best, Judge, Record, best_of
from cnncli.training.metrics import Scores, Task, Totals
from cnncli.training.pace import Clock, Pace
from cnncli.training.stopping import monitored


@dataclass
class Course:
    """All that changes in a training besides the weights, and what the optimizer keeps of them."""

    task: Task
    judge: Judge
    epoch_batches: int
    """In a whole epoch."""

    step: int = 0  # updates made
    epochs: int = 0  # finished
    batches: int = 0  # of the epoch at work, that are done
    totals: Totals = field(init=False)  # of this epoch
    last_update: Update | None = None  # of this epoch, or of the one before
    history: list[Record] = field(default_factory=list)
    monitored: list[float] = field(default_factory=list)  # lower is better
    warned: set[str] = field(default_factory=set)  # kinds of warnings that have been given
    clock: Clock = field(default_factory=lambda: Clock(Pace()))

    def __post_init__(self) -> None:
        self.totals = Totals(self.task)

    @property
    def at_end_of_epoch(self) -> bool:
        """Whether all batches of the epoch at work are done."""
        return self.batches == self.epoch_batches

    @property
    def batches_seen(self) -> int:
        """Since the training began: what selects dropout masks, so that no two batches get the same."""
        return self.epochs * self.epoch_batches + self.batches

    def updates_by_now(self, accumulate: int) -> int:
        """What `step` would be had all epochs had as many batches: where a schedule is. A training that was forked with
        other batches has made another number of updates."""
        return self.epochs * -(-self.epoch_batches // accumulate) + -(-self.batches // accumulate)

    @property
    def is_recorded(self) -> bool:
        """Whether the last record is of this moment."""
        return bool(self.history) and self.history[-1].step == self.step

    def best(self) -> Best | None:
        """The best moment so far."""
        return best_of(self.history, self.judge, self.task)

    def record(self, lr: float, val: Scores | None) -> Record:
        """Files this moment away: the last update was made with the rate `lr`."""
        self.clock.lap()
        pace = self.clock.pace
        record = Record(
            epoch=self.epochs + 1,
            step=self.step,
            lr=lr,
            train=self.totals.scores(),
            val=val,
            seconds=pace.epoch_seconds,
            images_per_second=pace.epoch_images_per_second,
            data_wait=pace.data_wait,
        )
        self.history.append(record)
        self.monitored = monitored(self.history, self.judge, self.task)
        return record

    def next_epoch(self) -> None:
        """The one at work is finished."""
        self.epochs, self.batches, self.totals = self.epochs + 1, 0, Totals(self.task)
        self.clock.pace.next_epoch()

    def to_state(self) -> dict[str, Any]:
        """The fields of `TrainingState` that are kept here."""
        self.clock.lap()
        return {
            "step": self.step,
            "epochs": self.epochs,
            "batches": self.batches,
            "totals": self.totals.to_json(),
            "pace": replace(self.clock.pace),
            "history": tuple(self.history),
            "warned": tuple(sorted(self.warned)),
            "last_update": self.last_update,
        }

    def go_on_from(self, state: TrainingState) -> None:
        """Takes over what `to_state` gave. Raises CheckpointError if it is of another training than the configured."""
        names = {metric.name for metric in self.task.metrics}
        known = not state.totals["sums"] or set(state.totals["sums"]) == names
        if not known or state.batches > self.epoch_batches or (state.batches > 0) != (state.totals["samples"] > 0):
            raise CheckpointError(
                "the state of the training does not fit its configuration: one of the two files has been changed;"
                " restore it, or train again"
            )
        self.step, self.epochs, self.batches = state.step, state.epochs, state.batches
        self.totals = Totals.from_json(self.task, state.totals)
        self.clock = Clock(replace(state.pace))
        self.history, self.warned = list(state.history), set(state.warned)
        self.monitored = monitored(self.history, self.judge, self.task)
        self.last_update = state.last_update
