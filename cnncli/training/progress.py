"""What a training tells while it runs, and the listener that writes plain lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from cnncli.training.evaluation import EvalResult
from cnncli.training.history import Epoch
from cnncli.training.metrics import METRICS, Scores
from cnncli.training.result import TrainResult
from cnncli.training.watch import WatchPlan


@dataclass(frozen=True)
class Plan:
    """What is about to happen."""

    epochs: int
    batches: int  # an epoch
    batch_size: int
    samples: dict[str, int]  # in each split that there is: train, val, test
    task: str  # classification, multi-label or regression
    judged_by: tuple[Literal["val", "train"], str]  # split and number by which the best epoch is chosen
    run: Path | None
    watch: WatchPlan | None = None


@dataclass(frozen=True)
class Step:
    """One update has been made."""

    epoch: int  # from 1
    batch: int  # in this epoch, from 1
    step: int  # since the training began, from 1
    loss: float  # of this batch, before the update
    lr: float
    seconds: float  # that it took, with the preparation of its data
    samples: int
    so_far: Scores  # over the epoch up to here


class Listener:
    """Hears what happens, on the thread that called `fit`; these methods do nothing.

    `step` is called for every batch: it should return within microseconds. `ended` is not called if the training
    ends with an exception.
    """

    def started(self, plan: Plan) -> None:
        """Before the first step."""

    def step(self, step: Step) -> None:
        """After every update."""

    def epoch_ended(self, epoch: Epoch, *, best: bool) -> None:
        """After validation and after the epoch was saved; `best`: it is the best so far."""

    def ended(self, result: TrainResult) -> None:
        """After the last epoch, or an interruption, when everything has been saved and tested."""


class PlainLines(Listener):
    """One line an epoch, for a pipe or a file; in `width` columns, where it must fit, it says less."""

    def __init__(self, stream: TextIO, width: int | None = None) -> None:
        self.stream = stream
        self.width = width
        self.epochs = 0

    def started(self, plan: Plan) -> None:
        """How much there is to learn from."""
        self.epochs = plan.epochs
        counts = ", ".join(f"{count:,} {split}" for split, count in plan.samples.items())
        self._write(f"samples: {counts}; {plan.batches:,} batches of {plan.batch_size} an epoch")
        if plan.judged_by[0] == "train":
            self._write(f"no val split: the best epoch is chosen by the training {plan.judged_by[1]}")
        if plan.watch is not None:
            frames = f"{plan.watch.frames:,} frames, every {plan.watch.every:,} steps"
            self._write(f"watching {', '.join(plan.watch.inputs)}: {frames}, {plan.watch.bytes / 1e6:.3g} MB")

    def epoch_ended(self, epoch: Epoch, *, best: bool) -> None:
        """The scores, the speed, and whether this is the best epoch so far."""
        place, train = f"{epoch.epoch}/{self.epochs}", scores_text(epoch.train)
        val = [] if epoch.val is None else ["val " + scores_text(epoch.val)]
        speed, time = f"{epoch.images_per_second:,.0f} img/s", f"{epoch.seconds:.1f} s"
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

    def ended(self, result: TrainResult) -> None:
        """Whether it was interrupted; the scores on the test split are part of the result, not of the progress."""
        if result.interrupted:
            self._write(f"interrupted after {len(result.history)} of {self.epochs} epochs")

    def _write(self, line: str) -> None:
        print(line, file=self.stream, flush=True)


def scores_text(scores: Scores | EvalResult) -> str:
    """As one line: `loss 0.3712  accuracy 87.25%`; shares are percentages."""
    return "  ".join([f"loss {_number(scores.loss)}", *(f"{name} {_shown(name, scores)}" for name in scores.metrics)])


def _shown(name: str, scores: Scores | EvalResult) -> str:
    value = scores.metrics[name]
    return f"{value:.2%}" if METRICS[name].is_share else _number(value)


def _number(value: float) -> str:
    """With four decimals, unless it is very large or small."""
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.3e}"
