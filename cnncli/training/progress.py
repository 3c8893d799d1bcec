"""What a training tells while it runs, and the listener that writes plain lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from cnncli.training.evaluation import EvalResult
from cnncli.training.health import Health
from cnncli.training.history import Record
from cnncli.training.metrics import Scores, score_text
from cnncli.training.result import TrainResult
from cnncli.training.watch import WatchPlan


@dataclass(frozen=True)
class Plan:
    """What is about to happen."""

    epochs: int
    batches: int  # an epoch
    updates: int  # of the weights, an epoch
    batch_size: int
    samples: dict[str, int]  # in each split that there is: train, val, test
    task: str  # classification, multi-label or regression
    judged_by: tuple[Literal["val", "train"], str]  # split and number by which the best epoch is chosen
    run: Path | None
    watch: WatchPlan | None = None
    done: int = 0  # epochs that were finished before: it is gone on with
    step: int = 0  # updates that were made before
    notes: tuple[str, ...] = ()  # what there is to say beforehand, a sentence each


@dataclass(frozen=True)
class Step:
    """One update has been made."""

    epoch: int  # from 1
    batch: int  # in this epoch, from 1
    step: int  # since the training began, from 1
    loss: float  # of the batches that it was made from, before it
    lr: float
    gradient_norm: float  # before clipping
    seconds: float  # that it took, with the preparation of its data
    samples: int
    so_far: Scores  # over the epoch up to here


class Listener:
    """Hears what happens, on the thread that called `fit`; these methods do nothing.

    `step` is called for every update: it should return within microseconds. `ended` is not called if the training
    ends with an exception.
    """

    def started(self, plan: Plan) -> None:
        """Before the first step."""

    def step(self, step: Step) -> None:
        """After every update."""

    def recorded(self, record: Record, *, best: bool, health: Sequence[Health] = ()) -> None:
        """After an epoch or a validation within one, when it has been saved; `best`: nothing so far was better.
        `health` is that of every layer, at the end of an epoch."""

    def warned(self, text: str) -> None:
        """Something looks wrong, and this is what may help."""

    def ended(self, result: TrainResult) -> None:
        """After the last epoch, or an interruption, when everything has been saved and tested."""


class Listeners(Listener):
    """Hands everything on to several."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners

    def started(self, plan: Plan) -> None:
        for each in self.listeners:
            each.started(plan)

    def step(self, step: Step) -> None:
        for each in self.listeners:
            each.step(step)

    def recorded(self, record: Record, *, best: bool, health: Sequence[Health] = ()) -> None:
        for each in self.listeners:
            each.recorded(record, best=best, health=health)

    def warned(self, text: str) -> None:
        for each in self.listeners:
            each.warned(text)

    def ended(self, result: TrainResult) -> None:
        for each in self.listeners:
            each.ended(result)


class PlainLines(Listener):
    """One line an epoch, for a pipe or a file; in `width` columns, where it must fit, it says less."""

    def __init__(self, stream: TextIO, width: int | None = None) -> None:
        self.stream = stream
        self.width = width
        self.epochs = 0
        self.batches = 0
        self.batch = 0

    def started(self, plan: Plan) -> None:
        """How much there is to learn from."""
        self.epochs, self.batches = plan.epochs, plan.batches
        for note in plan.notes:
            self._write(note)
        counts = ", ".join(f"{count:,} {split}" for split, count in plan.samples.items())
        self._write(f"samples: {counts}; {plan.batches:,} batches of {plan.batch_size} an epoch")
        if plan.judged_by[0] == "train":
            self._write(f"no val split: the best epoch is chosen by the training {plan.judged_by[1]}")
        if plan.watch is not None:
            frames = f"{plan.watch.frames:,} frames, every {plan.watch.every:,} steps"
            self._write(f"watching {', '.join(plan.watch.inputs)}: {frames}, {plan.watch.bytes / 1e6:.3g} MB")

    def step(self, step: Step) -> None:
        """Remembers how far the epoch is."""
        self.batch = step.batch

    def recorded(self, record: Record, *, best: bool, health: Sequence[Health] = ()) -> None:
        """The scores, the speed, and whether this is the best so far."""
        place, train = f"{record.epoch}/{self.epochs}", scores_text(record.train)
        if 0 < self.batch < self.batches:  # within an epoch
            place += f" step {record.step:,}"
        val = [] if record.val is None else ["val " + scores_text(record.val)]
        speed, time = f"{record.images_per_second:,.0f} img/s", f"{record.seconds:.1f} s"
        lines = [
            "  ".join([*parts, "best"] if best else parts)
            for parts in (
                [f"epoch {place}", train, *val, speed, time],
                [f"epoch {place}", train, *val, speed],
                [f"epoch {place}", train, *val],
                [place, train, *val],
                [place, *(val or [train])],
            )
        ]
        self._write(next((line for line in lines if self.width is None or len(line) <= self.width), lines[-1]))

    def warned(self, text: str) -> None:
        """As it is."""
        self._write(f"warning: {text}")

    def ended(self, result: TrainResult) -> None:
        """Whether it was interrupted; the scores on the test split are part of the result, not of the progress."""
        if result.interrupted:
            self._write(f"interrupted after {result.epochs} of {self.epochs} epochs")
        elif result.stopped_early:
            self._write(f"stopped early, after {result.epochs} of {self.epochs} epochs: no improvement any more")

    def _write(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


def scores_text(scores: Scores | EvalResult) -> str:
    """As one line: `loss 0.3712  accuracy 87.25%`; shares are percentages."""
    numbers = {"loss": scores.loss, **scores.metrics}
    return "  ".join(f"{name} {score_text(name, value)}" for name, value in numbers.items())
